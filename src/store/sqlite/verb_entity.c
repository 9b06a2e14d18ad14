// SPDX-License-Identifier: Apache-2.0
// What applications, users and APIs have in common: each belongs to an account, has a row version,
// and is named by a number.
#include "store/sqlite/verb.h"

// A state is account, version, status and generation, and the name of what is told about.
static const struct {
    enum statement_id state, touch, scope_add;
    enum store_change_kind change;
} entities[] = {
    [ENTITY_APPLICATION] = {SQL_APPLICATION_STATE, SQL_APPLICATION_TOUCH,
                            SQL_APPLICATION_SCOPE_ADD, CHANGE_APPLICATION},
    [ENTITY_USER] = {SQL_USER_STATE, SQL_USER_TOUCH, SQL_USER_SCOPE_ADD, CHANGE_USER},
    [ENTITY_API] = {.state = SQL_API_STATE, .touch = SQL_API_TOUCH},
};

enum twoleg_error verb_entity_head(struct round *round, enum verb_entity_kind kind,
                                   uint64_t number, uint64_t account,
                                   struct verb_entity *ret_head)
{
    struct statement read = statement_begin(round->database, entities[kind].state);
    statement_number(&read, number);
    bool found = statement_step(&read);
    struct verb_entity head = {.number = number};
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

enum twoleg_error verb_entity_touch(struct round *round, enum verb_entity_kind kind,
                                    uint64_t number, const struct store_verb *verb,
                                    struct verb_entity *ret_head)
{
    bool first;
    enum twoleg_error error = verb_entity_head(round, kind, number, verb->account, ret_head);
    if (!error)
        error = round_touch(round, number, ret_head->version, verb->expected, &first);
    if (error || !first)
        return error;
    return verb_simple_two(round, entities[kind].touch, number, (uint64_t)round->now_us);
}

enum twoleg_error verb_entity_changed(struct round *round, enum verb_entity_kind kind,
                                      uint64_t number)
{
    struct statement read = statement_begin(round->database, entities[kind].state);
    statement_number(&read, number);
    enum twoleg_error error = TWOLEG_NONE;
    if (statement_step(&read)) {
        struct store_change change = {.kind = entities[kind].change, .number = number};
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

unsigned verb_entity_fields(const struct verb_entity *head, unsigned fields,
                            enum entity_status status)
{
    bool active = status == STATUS_ACTIVE && head->state.status == STATUS_ACTIVE;
    return (fields & FIELD_STATUS) && active ? fields & ~(unsigned)FIELD_GENERATION : fields;
}

uint64_t verb_entity_generation(const struct verb_entity *head, uint64_t wanted)
{
    uint64_t next = head->state.generation + 1;
    return wanted > next ? wanted : next;
}

enum twoleg_error verb_entity_scopes_add(struct round *round, enum verb_entity_kind kind,
                                         const struct verb_entity *head,
                                         const struct application_api *link)
{
    if (link->scopes.len > SCOPE_TEXT_MAX)
        return TWOLEG_RANGE;
    struct str rest = link->scopes;
    struct str word;
    enum twoleg_error error = TWOLEG_NONE;
    while (!error && str_word(&rest, &word)) {
        struct statement add = statement_begin(round->database, entities[kind].scope_add);
        statement_number(&add, head->number);
        statement_number(&add, link->api);
        statement_text(&add, word);
        statement_number(&add, head->account);
        error = statement_run(&add);
    }
    return error;
}
