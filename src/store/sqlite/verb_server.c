// SPDX-License-Identifier: Apache-2.0
// What belongs to the server and to no account: keys and settings. And the audit.
#include "store/sqlite/verb.h"

static enum twoleg_error key_changed(struct round *round, uint64_t id)
{
    struct store_change change = {.kind = CHANGE_KEY, .number = id};
    return round_change(round, &change);
}

// Are keys still wrapped as they were when this one was?
static enum twoleg_error key_check_wrapping(struct round *round, struct str wrapped)
{
    if (wrapped.len == 0)
        return TWOLEG_NONE;
    struct statement read = statement_begin(round->database, SQL_KEY_HAS_WRAPPED);
    statement_bytes(&read, wrapped);
    bool found = statement_step(&read);
    enum twoleg_error error = statement_end(&read);
    return !error && !found ? TWOLEG_VERSION_CONFLICT : error;
}

enum twoleg_error verb_key_create(struct round *round, const struct store_verb *verb)
{
    const struct store_key *key = &verb->key;
    if (verb->account != STORE_OPERATOR)
        return TWOLEG_NOT_FOUND;
    enum twoleg_error error = key_check_wrapping(round, verb->expected_wrapped);
    if (error)
        return error;
    struct statement add = statement_begin(round->database, SQL_KEY_ADD);
    statement_number(&add, key->id);
    statement_text(&add, key->purpose);
    statement_text(&add, key->algorithm);
    statement_text(&add, key->kid);
    statement_text(&add, key->state);
    statement_bytes(&add, key->wrapped);
    statement_text(&add, key->public_jwk);
    statement_int(&add, key->created_us ? key->created_us : round->now_us);
    statement_int(&add, key->state_us ? key->state_us : round->now_us);
    statement_int(&add, key->last_expiry_us);
    error = statement_run(&add);
    return error ? error : key_changed(round, key->id);
}

enum twoleg_error verb_key_state(struct round *round, const struct store_verb *verb)
{
    if (verb->account != STORE_OPERATOR)
        return TWOLEG_NOT_FOUND;
    struct statement read = statement_begin(round->database, SQL_KEY_STATE);
    statement_number(&read, verb->key.id);
    bool found = statement_step(&read);
    bool expected = found && (!verb->expected_state.len ||
                              str_equal(statement_get_text(&read, 0), verb->expected_state));
    enum twoleg_error error = statement_end(&read);
    if (error)
        return error;
    if (!found)
        return TWOLEG_NOT_FOUND;
    if (!expected)
        return TWOLEG_VERSION_CONFLICT;
    struct statement move = statement_begin(round->database, SQL_KEY_MOVE);
    statement_number(&move, verb->key.id);
    statement_text(&move, verb->key.state);
    statement_int(&move, verb->key.state_us ? verb->key.state_us : round->now_us);
    statement_int(&move, verb->key.last_expiry_us);
    error = statement_run(&move);
    return error ? error : key_changed(round, verb->key.id);
}

enum twoleg_error verb_key_rewrap(struct round *round, const struct store_verb *verb)
{
    if (verb->account != STORE_OPERATOR)
        return TWOLEG_NOT_FOUND;
    struct statement set = statement_begin(round->database, SQL_KEY_REWRAP);
    statement_number(&set, verb->key.id);
    statement_bytes(&set, verb->key.wrapped);
    statement_bytes(&set, verb->expected_wrapped);
    enum twoleg_error error = statement_run(&set);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_VERSION_CONFLICT;
    return error ? error : key_changed(round, verb->key.id);
}

enum twoleg_error verb_setting_set(struct round *round, const struct store_verb *verb)
{
    if (verb->account != STORE_OPERATOR)
        return TWOLEG_NOT_FOUND;
    bool create = verb->kind == VERB_SETTING_CREATE;
    struct statement set =
        statement_begin(round->database, create ? SQL_SETTING_ADD : SQL_SETTING_SET);
    statement_text(&set, verb->setting.name);
    statement_text(&set, verb->setting.value);
    statement_int(&set, round->now_us);
    enum twoleg_error error = statement_run(&set);
    struct store_change change = {.kind = CHANGE_SETTING, .setting = verb->setting.name};
    return error ? error : round_change(round, &change);
}

enum twoleg_error verb_audit(struct round *round, const struct store_verb *verb)
{
    struct statement add = statement_begin(round->database, SQL_AUDIT_ADD);
    statement_int(&add, round->now_us);
    statement_number(&add, verb->account == STORE_OPERATOR ? 0 : verb->account);
    statement_text(&add, verb->audit.actor);
    statement_text(&add, verb->audit.action);
    statement_text(&add, verb->audit.object);
    statement_text(&add, verb->audit.detail);
    statement_text(&add, verb->audit.request_id);
    return statement_run(&add);
}
