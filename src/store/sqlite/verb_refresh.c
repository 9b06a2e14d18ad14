// SPDX-License-Identifier: Apache-2.0
// Refresh tokens: rows that nobody keeps in memory, so no change is told.
#include "store/sqlite/verb.h"

static struct str refresh_hash(const struct sha256 *hash)
{
    return str_of(hash->bytes, sizeof hash->bytes);
}

// What the family was granted under must be so still: nothing that was revoked meanwhile may leave
// a row behind that speaks of now.
static enum twoleg_error refresh_check(struct round *round, const struct store_verb *verb)
{
    const struct refresh_family *family = verb->family;
    struct verb_entity application, user;
    bool refreshes = false;
    enum twoleg_error error = verb_entity_head(round, ENTITY_APPLICATION, family->application,
                                               verb->account, &application);
    if (!error)
        error = verb_entity_head(round, ENTITY_USER, family->user, verb->account, &user);
    if (error == TWOLEG_NOT_FOUND)
        return TWOLEG_VERSION_CONFLICT;
    if (!error && (application.state.generation != family->generation ||
                   user.state.generation != family->user_generation))
        error = TWOLEG_VERSION_CONFLICT;
    if (!error)
        error = verb_application_refreshes(round, family->application, &refreshes);
    return error || refreshes ? error : TWOLEG_VERSION_CONFLICT;
}

static enum twoleg_error refresh_insert(struct round *round, const struct refresh_family *family)
{
    struct statement add = statement_begin(round->database, SQL_REFRESH_ADD);
    statement_number(&add, family->number);
    statement_number(&add, family->account);
    statement_number(&add, family->application);
    statement_number(&add, family->generation);
    statement_number(&add, family->user);
    statement_number(&add, family->user_generation);
    statement_number(&add, family->api);
    statement_text(&add, family->scope);
    statement_int(&add, family->key);
    statement_bytes(&add, refresh_hash(&family->current));
    statement_int(&add, family->rotated_us);
    statement_int(&add, family->idle_us);
    statement_int(&add, family->expires_us);
    statement_int(&add, family->epoch);
    return statement_run(&add);
}

enum twoleg_error verb_refresh_add(struct round *round, const struct store_verb *verb)
{
    const struct refresh_family *family = verb->family;
    enum twoleg_error error = refresh_check(round, verb);
    if (!error)
        error = verb_simple(round, SQL_REFRESH_PURGE, (uint64_t)round->now_us);
    if (!error)
        error = refresh_insert(round, family);
    if (error)
        return error;
    struct statement trim = statement_begin(round->database, SQL_REFRESH_TRIM);
    statement_number(&trim, family->user);
    statement_number(&trim, family->application);
    statement_number(&trim, family->number);
    statement_int(&trim, REFRESH_FAMILIES_MAX - 1);
    return statement_run(&trim);
}

enum twoleg_error verb_refresh_rotate(struct round *round, const struct store_verb *verb)
{
    struct statement rotate = statement_begin(round->database, SQL_REFRESH_ROTATE);
    statement_number(&rotate, verb->rotate.family);
    statement_bytes(&rotate, refresh_hash(&verb->rotate.current));
    statement_bytes(&rotate, refresh_hash(&verb->rotate.next));
    statement_int(&rotate, verb->rotate.key);
    statement_int(&rotate, verb->rotate.rotated_us);
    statement_int(&rotate, verb->rotate.idle_us);
    enum twoleg_error error = statement_run(&rotate);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_VERSION_CONFLICT;
    return error;
}

// One that is gone already succeeds, as RFC 7009 section 2.2 has it.
enum twoleg_error verb_refresh_revoke(struct round *round, const struct store_verb *verb)
{
    return verb_simple(round, SQL_REFRESH_DROP, verb->number);
}
