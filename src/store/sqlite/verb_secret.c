// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verb.h"

static enum twoleg_error secret_check_limit(struct round *round, uint64_t application)
{
    struct statement read = statement_begin(round->database, SQL_SECRET_COUNT);
    statement_number(&read, application);
    statement_int(&read, round->now_us);
    bool row = statement_step(&read);
    int64_t kept = row ? statement_get_int(&read, 0) : 0;
    int64_t live = row ? statement_get_int(&read, 1) : 0;
    enum twoleg_error error = statement_end(&read);
    if (error)
        return error;
    return live >= SECRETS_LIVE_MAX || kept >= SECRETS_KEPT_MAX ? TWOLEG_LIMIT : TWOLEG_NONE;
}

enum twoleg_error verb_secret_add(struct round *round, const struct verb_entity *head,
                                  const struct secret *secret)
{
    enum twoleg_error error = secret_check_limit(round, head->number);
    if (error)
        return error;
    struct statement add = statement_begin(round->database, SQL_SECRET_ADD);
    statement_number(&add, secret->number);
    statement_number(&add, head->account);
    statement_number(&add, head->number);
    statement_text(&add, secret->label);
    statement_int(&add, secret->scheme);
    statement_int(&add, secret->key);
    if (secret->scheme == SECRET_KEYED) {
        statement_bytes(&add, str_of(secret->mac, sizeof secret->mac));
        statement_null(&add);
    } else {
        statement_null(&add);
        statement_text(&add, secret->slow_hash);
    }
    statement_int(&add, secret->created_us ? secret->created_us : round->now_us);
    statement_int(&add, secret->not_before_us);
    statement_int(&add, secret->expires_us);
    statement_int(&add, secret->used_us);
    statement_number(&add, secret->used_count);
    statement_text(&add, secret->used_address);
    return statement_run(&add);
}

enum twoleg_error verb_secret_create(struct round *round, const struct store_verb *verb)
{
    uint64_t application = verb->secret.application;
    struct verb_entity head;
    enum twoleg_error error =
        verb_entity_touch(round, ENTITY_APPLICATION, application, verb, &head);
    if (!error)
        error = verb_secret_add(round, &head, &verb->secret.secret);
    return error ? error : verb_entity_changed(round, ENTITY_APPLICATION, application);
}

enum twoleg_error verb_secret_remove(struct round *round, const struct store_verb *verb)
{
    uint64_t application = verb->secret.application;
    struct verb_entity head;
    enum twoleg_error error =
        verb_entity_touch(round, ENTITY_APPLICATION, application, verb, &head);
    if (error)
        return error;
    struct statement remove = statement_begin(round->database, SQL_SECRET_REMOVE);
    statement_number(&remove, application);
    statement_number(&remove, verb->secret.secret.number);
    statement_int(&remove, round->now_us);
    error = statement_run(&remove);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_NOT_FOUND;
    return error ? error : verb_entity_changed(round, ENTITY_APPLICATION, application);
}

// Statistics: no row version, no change, and a secret that is gone meanwhile spoils nothing.
enum twoleg_error verb_secret_used(struct round *round, const struct store_verb *verb)
{
    struct statement used = statement_begin(round->database, SQL_SECRET_USED);
    statement_number(&used, verb->used.application);
    statement_number(&used, verb->used.number);
    statement_int(&used, verb->used.used_us);
    statement_number(&used, verb->used.count);
    statement_text(&used, verb->used.address);
    statement_number(&used, verb->account);
    return statement_run(&used);
}
