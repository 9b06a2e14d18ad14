// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verb.h"

// Rows that one slice takes away of each kind, so that nobody waits long for the same commit.
#define REVOKED_SLICE 500

// How many revocations an application has at most: of tokens that live, and of all that are kept.
// Counting them costs as much as there are, so it is done once; of those that live again only
// when what was added since could have reached the limit, and once a second there, whoever goes on
// asking: what expires, is purged or rolled back makes this too high; only a clock that steps back
// makes it too low, for a while, which a bound on growth can bear. What is kept becomes less by a
// purge or a sweep alone, after which all is counted anew.
// A new generation makes room: the tokens of an earlier one are dead without it.

static struct revoked_count *revoke_counted(struct round *round, const struct verb_entity *head)
{
    struct revoked_count *count = revoked_counts_find(&round->revoked, head->number);
    if (count->generation != head->state.generation)
        *count = (struct revoked_count){.application = head->number,
                                        .generation = head->state.generation,
                                        .live = -1,
                                        .kept = -1};
    return count;
}

// Those of this generation that never expire, or do after `after_s`. Of more than `most` it is not
// known how many.
static enum twoleg_error revoke_count(struct round *round, const struct verb_entity *head,
                                      int64_t after_s, int64_t most, int64_t *ret_count)
{
    struct statement read = statement_begin(round->database, SQL_REVOKED_COUNT);
    statement_number(&read, head->number);
    statement_int(&read, after_s);
    statement_int(&read, most);
    statement_number(&read, head->state.generation);
    int64_t count = statement_step(&read) ? statement_get_int(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_count = count;
    return error;
}

// The revocation of an expired token only counts should a clock have been wrong: it goes first.
static enum twoleg_error revoke_check_limit(struct round *round, const struct verb_entity *head,
                                            int64_t expires_s)
{
    struct revoked_count *most = revoke_counted(round, head);
    int64_t now_s = round->now_us / SECOND_US;
    bool lives = expires_s == 0 || expires_s > now_s;
    bool known = most->live >= 0 &&
                 (most->live < REVOCATIONS_PER_APPLICATION || now_s <= most->counted_s);
    enum twoleg_error error = TWOLEG_NONE;
    if (lives && !known) {
        error = revoke_count(round, head, now_s, REVOCATIONS_PER_APPLICATION, &most->live);
        most->counted_s = now_s;
    }
    if (!error && most->kept < 0)
        error = revoke_count(round, head, 0, REVOCATIONS_KEPT, &most->kept);
    if (error)
        return error;
    if (most->kept >= (lives ? REVOCATIONS_KEPT : REVOCATIONS_PER_APPLICATION))
        return TWOLEG_LIMIT;
    return lives && most->live >= REVOCATIONS_PER_APPLICATION ? TWOLEG_LIMIT : TWOLEG_NONE;
}

static enum twoleg_error revoke_is_known(struct round *round, const struct token_id *id,
                                         bool *ret_known)
{
    struct statement read = statement_begin(round->database, SQL_REVOKED_IS);
    statement_bytes(&read, str_of(id->bytes, sizeof id->bytes));
    *ret_known = statement_step(&read);
    return statement_end(&read);
}

// RFC 7009 section 2.2: revoking what is revoked already succeeds, and changes nothing.
enum twoleg_error verb_token_revoke(struct round *round, const struct store_verb *verb)
{
    struct str id = str_of(verb->revoke.id.bytes, sizeof verb->revoke.id.bytes);
    struct verb_entity head;
    bool known;
    enum twoleg_error error =
        verb_entity_head(round, ENTITY_APPLICATION, verb->revoke.application, verb->account, &head);
    if (!error)
        error = revoke_is_known(round, &verb->revoke.id, &known);
    if (error || known)
        return error;
    error = revoke_check_limit(round, &head, verb->revoke.expires_s);
    if (error)
        return error;
    struct statement add = statement_begin(round->database, SQL_REVOKED_ADD);
    statement_bytes(&add, id);
    statement_number(&add, head.account);
    statement_number(&add, head.number);
    statement_int(&add, verb->revoke.expires_s);
    statement_int(&add, round->now_us);
    statement_number(&add, head.state.generation);
    error = statement_run(&add);
    struct revoked_count *most = revoke_counted(round, &head);
    most->live += most->live >= 0;
    most->kept++;
    struct store_change change = {.kind = CHANGE_REVOCATION, .number = head.number,
                                  .account = head.account, .token = verb->revoke.id,
                                  .expires_s = verb->revoke.expires_s};
    return error ? error : round_change(round, &change);
}

static enum twoleg_error revoke_secret_owner(struct round *round, uint64_t secret,
                                             uint64_t *ret_application)
{
    struct statement read = statement_begin(round->database, SQL_SECRET_OWNER);
    statement_number(&read, secret);
    bool found = statement_step(&read);
    uint64_t application = found ? statement_get_number(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_application = application;
    return error ? error : found ? TWOLEG_NONE : TWOLEG_NOT_FOUND;
}

enum twoleg_error verb_credential_revoke(struct round *round, const struct store_verb *verb)
{
    uint64_t application;
    struct verb_entity head;
    enum twoleg_error error = revoke_secret_owner(round, verb->number, &application);
    if (!error)
        error = verb_entity_head(round, ENTITY_APPLICATION, application, verb->account, &head);
    if (error)
        return error;
    struct statement add = statement_begin(round->database, SQL_CREDENTIAL_ADD);
    statement_number(&add, verb->number);
    statement_number(&add, head.account);
    statement_number(&add, head.number);
    statement_int(&add, round->now_us);
    error = statement_run(&add);
    if (error || sqlite3_changes(round->database->db) == 0)
        return error;
    struct store_change change = {.kind = CHANGE_CREDENTIAL, .number = verb->number,
                                  .account = head.account};
    return round_change(round, &change);
}

static enum twoleg_error revoke_drop(struct round *round, enum statement_id id, int64_t before)
{
    struct statement drop = statement_begin(round->database, id);
    statement_int(&drop, before);
    statement_int(&drop, REVOKED_SLICE);
    enum twoleg_error error = statement_run(&drop);
    if (!error && sqlite3_changes(round->database->db) == REVOKED_SLICE)
        round->purged.more = true;
    return error;
}

// With the revocations goes what the feed keeps of that time, whose sequence goes on all the same,
// and the families that had expired. There is room for others once the last slice is away.
enum twoleg_error verb_revocations_purge(struct round *round, const struct store_verb *verb)
{
    int64_t before_us;
    if (__builtin_mul_overflow(verb->before_s, SECOND_US, &before_us))
        return TWOLEG_RANGE;
    enum twoleg_error error = revoke_drop(round, SQL_REVOKED_PURGE, verb->before_s);
    if (!error)
        error = revoke_drop(round, SQL_FEED_PURGE, before_us);
    if (!error)
        error = verb_refresh_purge(round, before_us);
    if (!round->purged.more)
        revoked_counts_clear(&round->revoked);
    return error;
}
