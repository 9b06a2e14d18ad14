// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verb.h"

enum twoleg_error verb_user_head(struct round *round, uint64_t number, uint64_t account,
                                 struct verb_application *ret_head)
{
    struct statement read = statement_begin(round->database, SQL_USER_STATE);
    statement_number(&read, number);
    bool found = statement_step(&read);
    struct verb_application head = {.number = number};
    if (found) {
        head.account = statement_get_number(&read, 0);
        head.version = statement_get_number(&read, 1);
        head.state.status = statement_get_status(&read, 2);
        head.state.generation = statement_get_number(&read, 3);
    }
    enum twoleg_error error = statement_end(&read);
    if (error)
        return error;
    if (!found || head.state.status == STATUS_DELETED ||
        (account != STORE_OPERATOR && account != head.account))
        return TWOLEG_NOT_FOUND;
    *ret_head = head;
    return TWOLEG_NONE;
}

static enum twoleg_error user_touch(struct round *round, const struct store_verb *verb,
                                    uint64_t number, struct verb_application *ret_head)
{
    bool first;
    enum twoleg_error error = verb_user_head(round, number, verb->account, ret_head);
    if (!error)
        error = round_touch(round, number, ret_head->version, verb->expected, &first);
    if (error || !first)
        return error;
    return verb_simple_two(round, SQL_USER_TOUCH, number, (uint64_t)round->now_us);
}

// CHANGE_USER with what the row says now.
static enum twoleg_error user_changed(struct round *round, uint64_t number)
{
    struct statement read = statement_begin(round->database, SQL_USER_STATE);
    statement_number(&read, number);
    enum twoleg_error error = TWOLEG_NONE;
    if (statement_step(&read)) {
        struct store_change change = {.kind = CHANGE_USER, .number = number};
        change.account = statement_get_number(&read, 0);
        change.state.status = statement_get_status(&read, 2);
        change.state.generation = statement_get_number(&read, 3);
        if (change.state.status != STATUS_DELETED)
            change.client_id = statement_get_text(&read, 4);
        error = round_change(round, &change);
    }
    enum twoleg_error end = statement_end(&read);
    return error ? error : end;
}

static enum twoleg_error user_insert(struct round *round, const struct user *user)
{
    struct statement add = statement_begin(round->database, SQL_USER_ADD);
    statement_number(&add, user->number);
    statement_number(&add, user->account);
    statement_text(&add, user->username);
    statement_text(&add, user->password_hash);
    statement_int(&add, user->state.status);
    statement_number(&add, user->state.generation);
    statement_int(&add, round->now_us);
    return statement_run(&add);
}

static enum twoleg_error user_add_rights(struct round *round, const struct user *user,
                                         const struct application_api *rights)
{
    struct statement link = statement_begin(round->database, SQL_USER_API_ADD);
    statement_number(&link, user->number);
    statement_number(&link, rights->api);
    statement_number(&link, user->account);
    enum twoleg_error error = statement_run(&link);
    struct str rest = rights->scopes;
    struct str word;
    while (!error && str_word(&rest, &word)) {
        struct statement add = statement_begin(round->database, SQL_USER_SCOPE_ADD);
        statement_number(&add, user->number);
        statement_number(&add, rights->api);
        statement_text(&add, word);
        statement_number(&add, user->account);
        error = statement_run(&add);
    }
    return error;
}

enum twoleg_error verb_user_create(struct round *round, const struct store_verb *verb)
{
    const struct user *user = verb->user;
    if (verb->account != STORE_OPERATOR && verb->account != user->account)
        return TWOLEG_NOT_FOUND;
    if (user->state.status == STATUS_DELETED)
        return TWOLEG_RANGE;
    bool first;
    enum twoleg_error error = user_insert(round, user);
    if (!error)
        error = round_touch(round, user->number, 1, 0, &first);
    for (size_t i = 0; i < user->api_count && !error; i++)
        error = user_add_rights(round, user, &user->apis[i]);
    return error ? error : user_changed(round, user->number);
}

enum twoleg_error verb_user_update(struct round *round, const struct store_verb *verb)
{
    uint64_t number = verb->user_update.number;
    unsigned fields = verb->user_update.fields;
    // Deleting has a verb of its own, which takes the rest away too.
    if ((fields & FIELD_STATUS) && verb->user_update.status == STATUS_DELETED)
        return TWOLEG_RANGE;
    struct verb_application head;
    enum twoleg_error error = user_touch(round, verb, number, &head);
    if (error)
        return error;
    // Never back to a generation that tokens were issued under, whatever the clock says.
    uint64_t generation = head.state.generation + 1;
    if (verb->user_update.generation > generation)
        generation = verb->user_update.generation;
    struct statement update = statement_begin(round->database, SQL_USER_UPDATE);
    statement_number(&update, number);
    verb_bind_field(&update, fields & FIELD_STATUS, verb->user_update.status);
    verb_bind_field(&update, fields & FIELD_GENERATION, (int64_t)generation);
    verb_bind_text(&update, fields & FIELD_PASSWORD, verb->user_update.password_hash);
    error = statement_run(&update);
    // Of another generation they are dead already; the rows need not wait for their time.
    if (!error && (fields & FIELD_GENERATION))
        error = verb_simple(round, SQL_REFRESH_CLEAR_USER, number);
    return error ? error : user_changed(round, number);
}

enum twoleg_error verb_user_delete(struct round *round, const struct store_verb *verb)
{
    uint64_t number = verb->number;
    struct verb_application head;
    enum twoleg_error error = user_touch(round, verb, number, &head);
    if (!error)
        error = verb_simple(round, SQL_USER_BURY, number);
    if (!error)
        error = verb_simple(round, SQL_USER_SCOPE_CLEAR, number);
    if (!error)
        error = verb_simple(round, SQL_USER_API_CLEAR, number);
    if (!error)
        error = verb_simple(round, SQL_REFRESH_CLEAR_USER, number);
    return error ? error : user_changed(round, number);
}
