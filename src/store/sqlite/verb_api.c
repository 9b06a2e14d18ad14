// SPDX-License-Identifier: Apache-2.0
// APIs, their scopes, and what applications may do with them.
#include "store/sqlite/verb.h"

#define API_COUNT_MAX 1000
#define API_SCOPES_MAX 1000

static enum twoleg_error api_count(struct round *round, enum statement_id id, uint64_t of,
                                   int64_t *ret_count)
{
    struct statement read = statement_begin(round->database, id);
    if (id != SQL_API_COUNT)
        statement_number(&read, of);
    int64_t count = statement_step(&read) ? statement_get_int(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_count = count;
    return error;
}

static enum twoleg_error api_changed(struct round *round, uint64_t number, uint64_t account)
{
    struct store_change change = {.kind = CHANGE_API, .number = number, .account = account};
    return round_change(round, &change);
}

static enum twoleg_error scope_insert(struct round *round, uint64_t api, uint64_t account,
                                      struct str name)
{
    struct statement add = statement_begin(round->database, SQL_SCOPE_ADD);
    statement_number(&add, api);
    statement_text(&add, name);
    statement_number(&add, account);
    statement_int(&add, round->now_us);
    return statement_run(&add);
}

enum twoleg_error verb_api_create(struct round *round, const struct store_verb *verb)
{
    const struct api *api = verb->api;
    if (verb->account != STORE_OPERATOR && verb->account != api->account)
        return TWOLEG_NOT_FOUND;
    int64_t count;
    enum twoleg_error error = api_count(round, SQL_API_COUNT, 0, &count);
    if (error)
        return error;
    if (count >= API_COUNT_MAX)
        return TWOLEG_LIMIT;
    struct statement add = statement_begin(round->database, SQL_API_ADD);
    statement_number(&add, api->number);
    statement_number(&add, api->account);
    statement_text(&add, api->identifier);
    statement_text(&add, api->name);
    statement_text(&add, api->algorithm);
    statement_int(&add, api->is_default);
    statement_int(&add, round->now_us);
    error = statement_run(&add);
    bool first;
    if (!error)
        error = round_touch(round, api->number, 1, 0, &first);
    struct str rest = api->scopes;
    struct str word;
    for (count = 0; !error && str_word(&rest, &word); count++)
        error = count < API_SCOPES_MAX ? scope_insert(round, api->number, api->account, word)
                                       : TWOLEG_LIMIT;
    return error ? error : api_changed(round, api->number, api->account);
}

enum twoleg_error verb_api_rename_default(struct round *round, const struct store_verb *verb)
{
    if (verb->account != STORE_OPERATOR)
        return TWOLEG_NOT_FOUND;
    struct statement rename = statement_begin(round->database, SQL_API_RENAME_DEFAULT);
    statement_text(&rename, verb->identifier);
    statement_int(&rename, round->now_us);
    enum twoleg_error error = statement_run(&rename);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_NOT_FOUND;
    return error ? error : api_changed(round, 0, 0);
}

enum twoleg_error verb_scope_create(struct round *round, const struct store_verb *verb)
{
    struct verb_entity api;
    int64_t count = 0;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_API, verb->scope.api, verb, &api);
    if (!error)
        error = api_count(round, SQL_SCOPE_COUNT, api.number, &count);
    if (!error && count >= API_SCOPES_MAX)
        error = TWOLEG_LIMIT;
    if (!error)
        error = scope_insert(round, api.number, api.account, verb->scope.name);
    return error ? error : api_changed(round, api.number, api.account);
}

static struct statement scope_statement(struct round *round, enum statement_id id,
                                        const struct store_verb *verb)
{
    struct statement statement = statement_begin(round->database, id);
    statement_number(&statement, verb->scope.api);
    statement_text(&statement, verb->scope.name);
    return statement;
}

// Their numbers, read to the end first: the rows are about to go.
static enum twoleg_error scope_holders(struct round *round, const struct store_verb *verb,
                                       struct round_touched **ret_holders)
{
    struct statement read = scope_statement(round, SQL_SCOPE_HOLDERS, verb);
    struct round_touched *holders = NULL;
    enum twoleg_error error = TWOLEG_NONE;
    while (!error && statement_step(&read)) {
        struct round_touched *holder = ARENA_NEW(&round->arena, struct round_touched);
        if (!holder) {
            error = TWOLEG_NO_MEMORY;
            break;
        }
        *holder = (struct round_touched){holders, statement_get_number(&read, 0), 0};
        holders = holder;
    }
    enum twoleg_error end = statement_end(&read);
    *ret_holders = holders;
    return error ? error : end;
}

enum twoleg_error verb_scope_remove(struct round *round, const struct store_verb *verb)
{
    struct verb_entity api;
    struct round_touched *holders = NULL;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_API, verb->scope.api, verb, &api);
    if (!error)
        error = scope_holders(round, verb, &holders);
    if (error)
        return error;
    struct statement release = scope_statement(round, SQL_SCOPE_RELEASE, verb);
    error = statement_run(&release);
    if (error)
        return error;
    struct statement drop = scope_statement(round, SQL_SCOPE_DROP, verb);
    error = statement_run(&drop);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_NOT_FOUND;
    if (!error)
        error = api_changed(round, api.number, api.account);
    for (; holders && !error; holders = holders->next) {
        // Their bodies are other ones now, and whoever changes them must have seen that.
        error = verb_simple_two(round, SQL_APPLICATION_TOUCH, holders->number,
                                (uint64_t)round->now_us);
        if (!error)
            error = verb_entity_changed(round, ENTITY_APPLICATION, holders->number);
    }
    return error;
}

enum twoleg_error verb_application_api_add(struct round *round, uint64_t account,
                                           const struct verb_entity *head,
                                           const struct application_api *link)
{
    int64_t count = 0;
    struct verb_entity api;
    enum twoleg_error error = verb_entity_head(round, ENTITY_API, link->api, account, &api);
    if (!error)
        error = api_count(round, SQL_APPLICATION_API_COUNT, head->number, &count);
    if (error)
        return error;
    if (count >= APPLICATION_APIS_MAX)
        return TWOLEG_LIMIT;
    struct statement add = statement_begin(round->database, SQL_APPLICATION_API_ADD);
    statement_number(&add, head->number);
    statement_number(&add, link->api);
    statement_number(&add, head->account);
    statement_int(&add, link->requests);
    statement_int(&add, link->serves);
    error = statement_run(&add);
    return error ? error : verb_entity_scopes_add(round, ENTITY_APPLICATION, head, link);
}

enum twoleg_error verb_application_api_set(struct round *round, const struct store_verb *verb)
{
    struct application_api link = {verb->application_api.api, verb->application_api.requests,
                                   verb->application_api.serves, verb->application_api.scopes};
    uint64_t number = verb->application_api.application;
    struct verb_entity head;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_APPLICATION, number, verb, &head);
    if (!error)
        error = verb_simple_two(round, SQL_APPLICATION_SCOPE_DROP, number, link.api);
    if (!error)
        error = verb_simple_two(round, SQL_APPLICATION_API_DROP, number, link.api);
    if (!error && (link.requests || link.serves))
        error = verb_application_api_add(round, verb->account, &head, &link);
    return error ? error : verb_entity_changed(round, ENTITY_APPLICATION, number);
}
