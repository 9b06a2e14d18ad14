// SPDX-License-Identifier: Apache-2.0
// Refresh tokens: rows that nobody keeps in memory, so no change is told but the end of what came
// with them.
#include "base/env.h"
#include "store/sqlite/verb.h"

#define REFRESH_SLICE 200 // rows that one purge takes, of each kind: each is in three trees

static struct str refresh_hash(const struct sha256 *hash)
{
    return str_of(hash->bytes, sizeof hash->bytes);
}

// Whether the application has the grant refresh_token, as the transaction sees it.
static enum twoleg_error refresh_allowed(struct round *round, uint64_t application,
                                         bool *ret_allowed)
{
    struct statement read = statement_begin(round->database, SQL_APPLICATION_REFRESHES);
    statement_number(&read, application);
    bool allowed = statement_step(&read);
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_allowed = allowed;
    return error;
}

// What the family was granted under must be so still: nothing that was revoked meanwhile may leave
// a row behind that speaks of now.
static enum twoleg_error refresh_check(struct round *round, const struct store_verb *verb)
{
    const struct refresh_family *family = verb->family;
    struct verb_entity application, user;
    bool allowed = false;
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
        error = refresh_allowed(round, family->application, &allowed);
    return error || allowed ? error : TWOLEG_VERSION_CONFLICT;
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
    statement_int(&add, family->tokens_until_s);
    statement_number(&add, family->credential);
    return statement_run(&add);
}

static enum twoleg_error refresh_purge_some(struct round *round, enum statement_id id,
                                            int64_t before_us, int *rows)
{
    struct statement purge = statement_begin(round->database, id);
    statement_int(&purge, before_us);
    statement_int(&purge, REVOCATION_KEPT_S);
    statement_int(&purge, REFRESH_SLICE);
    enum twoleg_error error = statement_run(&purge);
    if (!error)
        *rows += sqlite3_changes(round->database->db);
    return error;
}

// One whose access tokens live on stays until they have expired: whoever gives its refresh token
// back means them too. Not where they never do, which would be for ever. As the buried are those
// that the first statement has left, fewer than a slice are no more than there were.
enum twoleg_error verb_refresh_purge(struct round *round, int64_t before_us)
{
    int rows = 0;
    enum twoleg_error error = refresh_purge_some(round, SQL_REFRESH_PURGE, before_us, &rows);
    if (!error)
        error = refresh_purge_some(round, SQL_REFRESH_BURY_EXPIRED, before_us, &rows);
    if (rows >= REFRESH_SLICE)
        round->purged.more = true;
    return error;
}

static enum twoleg_error refresh_trim(struct round *round, enum statement_id id,
                                      const struct refresh_family *added)
{
    struct statement trim = statement_begin(round->database, id);
    statement_number(&trim, added->user);
    statement_int(&trim, REVOCATION_KEPT_S);
    statement_number(&trim, added->number);
    statement_int(&trim, REFRESH_FAMILIES_MAX - 1);
    statement_number(&trim, added->application);
    statement_int(&trim, round->now_us);
    statement_int(&trim, round->now_us + ENV_AHEAD_US);
    return statement_run(&trim);
}

// The purge buries without counting: between two logins of one user no more than there were.
enum twoleg_error verb_refresh_add(struct round *round, const struct store_verb *verb)
{
    const struct refresh_family *family = verb->family;
    enum twoleg_error error = refresh_check(round, verb);
    if (!error)
        error = refresh_insert(round, family);
    if (!error)
        error = refresh_trim(round, SQL_REFRESH_TRIM_BURY, family);
    if (!error)
        error = refresh_trim(round, SQL_REFRESH_TRIM, family);
    return error ? error
                 : verb_simple_two(round, SQL_REFRESH_TRIM_BURIED, family->number,
                                   REFRESH_BURIED_MAX);
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
    statement_int(&rotate, verb->rotate.tokens_until_s);
    statement_number(&rotate, verb->rotate.credential);
    enum twoleg_error error = statement_run(&rotate);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_VERSION_CONFLICT;
    return error;
}

// Another access token comes with what is current still: so long must it be known that it ended.
enum twoleg_error verb_refresh_note(struct round *round, const struct store_verb *verb)
{
    struct statement note = statement_begin(round->database, SQL_REFRESH_NOTE);
    statement_number(&note, verb->rotate.family);
    statement_bytes(&note, refresh_hash(&verb->rotate.current));
    statement_int(&note, verb->rotate.tokens_until_s);
    enum twoleg_error error = statement_run(&note);
    if (!error && sqlite3_changes(round->database->db) == 0)
        error = TWOLEG_VERSION_CONFLICT;
    return error;
}

// Until when its access tokens live: what was found, or later, if it was used meanwhile.
static enum twoleg_error refresh_tokens_until(struct round *round, const struct store_verb *verb,
                                              int64_t *ret_until_s)
{
    struct statement read = statement_begin(round->database, SQL_REFRESH_UNTIL);
    statement_number(&read, verb->refresh_revoke.family);
    int64_t until_s = statement_step(&read) ? statement_get_int(&read, 0) : 0;
    int64_t found_s = verb->refresh_revoke.tokens_until_s;
    *ret_until_s = until_s > found_s ? until_s : found_s;
    return statement_end(&read);
}

// RFC 7009 section 2.1: the access tokens of the family end with it.
static enum twoleg_error refresh_end_tokens(struct round *round, const struct store_verb *verb,
                                            int64_t until_s)
{
    bool lasting = until_s == REFRESH_TOKENS_LASTING;
    struct store_verb revoke = {.kind = VERB_TOKEN_REVOKE, .account = verb->account};
    revoke.revoke.id = token_family_id(verb->refresh_revoke.family);
    revoke.revoke.application = verb->refresh_revoke.application;
    revoke.revoke.expires_s = lasting ? 0 : until_s;
    enum twoleg_error error = verb_token_revoke(round, &revoke);
    // Of a deleted application all are dead. Where there are too many already, those that have
    // expired are dead without it: the last of them a while after what was noted, at most.
    bool dead = !lasting && until_s <= round->now_us / SECOND_US - REFRESH_OUTLIVES_S;
    return error == TWOLEG_NOT_FOUND || (error == TWOLEG_LIMIT && dead) ? TWOLEG_NONE : error;
}

// It must be known that it was: but however many of one user have ended like this, not of all.
static enum twoleg_error refresh_bury(struct round *round, uint64_t family)
{
    struct statement bury = statement_begin(round->database, SQL_REFRESH_BURY);
    statement_number(&bury, family);
    statement_int(&bury, REVOCATION_KEPT_S);
    statement_int(&bury, round->now_us);
    enum twoleg_error error = statement_run(&bury);
    return error ? error
                 : verb_simple_two(round, SQL_REFRESH_TRIM_BURIED, family, REFRESH_BURIED_MAX);
}

// One that is gone already succeeds, as RFC 7009 section 2.2 has it. One whose access tokens live
// on stays as long as they do: nobody gets anything by it, but whoever asks for the end once more
// must not be told that there is nothing to end.
enum twoleg_error verb_refresh_revoke(struct round *round, const struct store_verb *verb)
{
    int64_t until_s;
    uint64_t family = verb->refresh_revoke.family;
    enum twoleg_error error = refresh_tokens_until(round, verb, &until_s);
    if (error)
        return error;
    if (until_s && verb->refresh_revoke.alone)
        return refresh_bury(round, family);
    error = verb_simple(round, SQL_REFRESH_DROP, family);
    return error || !until_s ? error : refresh_end_tokens(round, verb, until_s);
}
