// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verb.h"

// Of another generation logins are dead already, and their rows need not wait for their time; but
// where there are more, nobody waits for them.
#define USER_LOGINS_CLEARED 2500

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

static enum twoleg_error user_add_rights(struct round *round, const struct verb_entity *head,
                                         const struct application_api *rights)
{
    struct statement add = statement_begin(round->database, SQL_USER_API_ADD);
    statement_number(&add, head->number);
    statement_number(&add, rights->api);
    statement_number(&add, head->account);
    enum twoleg_error error = statement_run(&add);
    return error ? error : verb_entity_scopes_add(round, ENTITY_USER, head, rights);
}

enum twoleg_error verb_user_create(struct round *round, const struct store_verb *verb)
{
    const struct user *user = verb->user;
    if (verb->account != STORE_OPERATOR && verb->account != user->account)
        return TWOLEG_NOT_FOUND;
    if (user->state.status == STATUS_DELETED)
        return TWOLEG_RANGE;
    struct verb_entity head = {user->number, user->account, 1, user->state};
    bool first;
    enum twoleg_error error = user_insert(round, user);
    if (!error)
        error = round_touch(round, head.number, head.version, 0, &first);
    for (size_t i = 0; i < user->api_count && !error; i++)
        error = user_add_rights(round, &head, &user->apis[i]);
    return error ? error : verb_entity_changed(round, ENTITY_USER, head.number);
}

enum twoleg_error verb_user_update(struct round *round, const struct store_verb *verb)
{
    uint64_t number = verb->user_update.number;
    unsigned fields = verb->user_update.fields;
    // Deleting has a verb of its own, which takes the rest away too.
    if ((fields & FIELD_STATUS) && verb->user_update.status == STATUS_DELETED)
        return TWOLEG_RANGE;
    struct verb_entity head;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_USER, number, verb, &head);
    if (error)
        return error;
    fields = verb_entity_fields(&head, fields, verb->user_update.status);
    uint64_t generation = verb_entity_generation(&head, verb->user_update.generation);
    struct statement update = statement_begin(round->database, SQL_USER_UPDATE);
    statement_number(&update, number);
    verb_bind_field(&update, fields & FIELD_STATUS, verb->user_update.status);
    verb_bind_field(&update, fields & FIELD_GENERATION, (int64_t)generation);
    verb_bind_text(&update, fields & FIELD_PASSWORD, verb->user_update.password_hash);
    error = statement_run(&update);
    if (!error && (fields & FIELD_GENERATION))
        error = verb_simple_two(round, SQL_REFRESH_CLEAR_USER, number, USER_LOGINS_CLEARED);
    return error ? error : verb_entity_changed(round, ENTITY_USER, number);
}

enum twoleg_error verb_user_delete(struct round *round, const struct store_verb *verb)
{
    uint64_t number = verb->number;
    struct verb_entity head;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_USER, number, verb, &head);
    if (!error)
        error = verb_simple(round, SQL_USER_BURY, number);
    if (!error)
        error = verb_simple(round, SQL_USER_SCOPE_CLEAR, number);
    if (!error)
        error = verb_simple(round, SQL_USER_API_CLEAR, number);
    if (!error)
        error = verb_simple_two(round, SQL_REFRESH_CLEAR_USER, number, USER_LOGINS_CLEARED);
    return error ? error : verb_entity_changed(round, ENTITY_USER, number);
}
