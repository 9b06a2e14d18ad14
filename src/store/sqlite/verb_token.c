// SPDX-License-Identifier: Apache-2.0
// Reference tokens: a row for each, and how rows leave.
#include <string.h>

#include "store/sqlite/token_place.h"
#include "store/sqlite/verb.h"

// Rows that one slice takes away: less than a millisecond for whoever waits for the same commit.
#define TOKENS_SLICE 500
#define TOKENS_SWEEP 100 // applications that one slice looks at

// The tokens of one life lie in four to nine buckets at a time: so many must be looked into for a
// token, and so much longer than its life does a row stay at most (a quarter, or 17 minutes).
static int64_t token_bucket(const struct token_record *record)
{
    int64_t life = (record->expires_s - record->issued_s) / TOKEN_BUCKET_S;
    int64_t width = 1;
    while (width <= life / 8)
        width *= 2;
    int64_t after = record->expires_s / TOKEN_BUCKET_S + 1;
    return record->expires_s ? (after + width - 1) / width * width : 0;
}

#define TOKEN_ARENA_CAP ((size_t)16 * 1024) // a scope

// Whether one lives still when the next one begins.
static bool token_lives(const struct token_record *token, const struct token_record *next)
{
    return token->expires_s == 0 || token->expires_s > next->issued_s;
}

// What was found out before the batch was queued may be true no more: where one lives there is no
// other.
static enum twoleg_error token_check_alone(struct round *round, const struct store_verb *verb)
{
    struct arena arena;
    struct token_record other;
    enum twoleg_error error = TWOLEG_NONE;
    arena_init(&arena, NULL, TOKEN_ARENA_CAP);
    for (size_t i = 0; i < verb->token.unless_count && !error; i++) {
        error = token_search(round->database, &verb->token.unless[i], &arena, &other);
        bool lives = !error && token_lives(&other, verb->token.record);
        error = lives ? TWOLEG_CONFLICT : error == TWOLEG_NOT_FOUND ? TWOLEG_NONE : error;
    }
    arena_finish(&arena);
    return error;
}

// nonce: NULL for a token that takes nobody's place.
static enum twoleg_error token_insert(struct round *round, uint64_t account,
                                      const struct store_token_key *key,
                                      const struct token_record *record,
                                      const struct token_nonce *nonce)
{
    int64_t bucket = token_bucket(record);
    if (record->api_count != 1 || record->expires_s < 0 || bucket >= TOKEN_BUCKETS ||
        key->slot >= TOKEN_SLOTS_MAX || account == STORE_OPERATOR)
        return TWOLEG_RANGE;
    struct statement add = statement_begin(round->database, SQL_TOKEN_ADD);
    statement_int(&add, token_place(bucket, key));
    statement_bytes(&add, str_of(key->hash.bytes, SHA256_SIZE));
    statement_number(&add, account);
    statement_number(&add, record->application);
    statement_number(&add, record->generation);
    statement_number(&add, record->credential);
    statement_number(&add, record->subject);
    statement_number(&add, record->subject_generation);
    statement_int(&add, record->epoch);
    statement_number(&add, record->apis[0]);
    statement_text(&add, record->scope);
    statement_int(&add, record->issued_s);
    statement_int(&add, record->expires_s);
    statement_number(&add, record->family);
    if (nonce)
        statement_bytes(&add, str_of(nonce->bytes, sizeof nonce->bytes));
    else
        statement_null(&add);
    return statement_run(&add);
}

// Not held against the application: that would be a look into another table for each token. Whoever
// asked looks again before it gives the token out, and a row that came too late is swept.
enum twoleg_error verb_token_add(struct round *round, const struct store_verb *verb)
{
    enum twoleg_error error = token_check_alone(round, verb);
    return error ? error
                 : token_insert(round, verb->account, &verb->token.key, verb->token.record, NULL);
}

// Whether it is good still. What has ended all of the application's, all of the user's or all there
// are has ended it, too, and to revoke it would cost one of the places of single revocations.
static bool token_is_good(const struct token_record *token, const struct token_record *next)
{
    return token->generation == next->generation && token->epoch == next->epoch &&
           token->subject_generation == next->subject_generation && token_lives(token, next);
}

// The one that had the place is revoked, and has it no more.
static enum twoleg_error token_depose(struct round *round, const struct store_verb *verb,
                                      const struct token_record *before, int64_t place)
{
    struct store_verb revoke = {.kind = VERB_TOKEN_REVOKE, .account = verb->account};
    revoke.revoke.id = before->id;
    revoke.revoke.application = before->application;
    revoke.revoke.expires_s = before->expires_s;
    enum twoleg_error error = TWOLEG_NONE;
    if (token_is_good(before, verb->replace.record))
        error = verb_token_revoke(round, &revoke);
    return error ? error : verb_simple(round, SQL_TOKEN_DEPOSE, (uint64_t)place);
}

enum twoleg_error verb_token_replace(struct round *round, const struct store_verb *verb)
{
    const struct token_record *record = verb->replace.record;
    struct store_token_sole sole = {.nonce = {{0}}};
    int64_t place;
    struct arena arena;
    arena_init(&arena, NULL, TOKEN_ARENA_CAP);
    enum twoleg_error error = token_search_sole(round->database, record->application,
                                                record->subject, &arena, &sole, &place);
    arena_finish(&arena);
    bool found = !error;
    if (error == TWOLEG_NOT_FOUND)
        error = TWOLEG_NONE;
    // One that went with its row meanwhile is in nobody's way.
    if (found && !verb->replace.whichever &&
        memcmp(&sole.record.id, &verb->replace.before, sizeof sole.record.id) != 0)
        return TWOLEG_CONFLICT;
    if (found)
        error = token_depose(round, verb, &sole.record, place);
    return error ? error
                 : token_insert(round, verb->account, &verb->replace.key, record,
                                &verb->replace.nonce);
}

static enum twoleg_error tokens_drop(struct round *round, struct statement *drop,
                                     unsigned *ret_rows)
{
    statement_int(drop, TOKENS_SLICE);
    enum twoleg_error error = statement_run(drop);
    *ret_rows = error ? 0 : (unsigned)sqlite3_changes(round->database->db);
    return error;
}

// Buckets that lie wholly before: the first ones, but for that of the tokens that never expire.
static enum twoleg_error tokens_drop_expired(struct round *round, int64_t before_s)
{
    int64_t last = before_s / TOKEN_BUCKET_S;
    if (last < 1)
        return TWOLEG_NONE;
    if (last >= TOKEN_BUCKETS)
        last = TOKEN_BUCKETS - 1;
    struct statement drop = statement_begin(round->database, SQL_TOKEN_PURGE);
    statement_int(&drop, (int64_t)1 << TOKEN_PLACE_BITS);
    statement_int(&drop, (last + 1) << TOKEN_PLACE_BITS);
    return tokens_drop(round, &drop, &round->purged.rows);
}

// What is left of an application that was deleted, or of an earlier generation of it.
struct tokens_lasting {
    enum statement_id next, clear;
};

struct tokens_holder {
    bool found, deleted;
    int64_t application;
};

// The next application that holds some.
static enum twoleg_error tokens_next_holder(struct round *round, enum statement_id id,
                                            int64_t from, struct tokens_holder *ret_holder)
{
    struct statement next = statement_begin(round->database, id);
    statement_int(&next, from);
    struct tokens_holder holder = {.found = statement_step(&next)};
    if (holder.found) {
        holder.application = statement_get_int(&next, 0);
        holder.deleted = statement_get_status(&next, 1) == STATUS_DELETED;
    }
    *ret_holder = holder;
    return statement_end(&next);
}

// Goes on from where the last slice was; an application is looked at again until it has none left.
// A sweep that has come to its end is enough for this time.
static enum twoleg_error tokens_sweep(struct round *round, const struct tokens_lasting *what,
                                      struct round_sweep *sweep, unsigned *ret_rows)
{
    unsigned left = sweep->left;
    for (unsigned i = 0; i < TOKENS_SWEEP && sweep->left == left; i++) {
        struct tokens_holder holder;
        enum twoleg_error error = tokens_next_holder(round, what->next, sweep->from, &holder);
        if (error)
            return error;
        if (holder.deleted) {
            struct statement drop = statement_begin(round->database, what->clear);
            statement_int(&drop, holder.application);
            round->purged.more = true;
            return tokens_drop(round, &drop, ret_rows);
        }
        bool last = !holder.found || holder.application == INT64_MAX;
        sweep->from = last ? INT64_MIN : holder.application + 1;
        sweep->left -= last;
    }
    round->purged.more = round->purged.more || sweep->left == left;
    return TWOLEG_NONE;
}

enum twoleg_error verb_tokens_purge(struct round *round, const struct store_verb *verb)
{
    static const struct tokens_lasting tokens = {SQL_TOKEN_LASTING, SQL_TOKEN_CLEAR};
    static const struct tokens_lasting revocations = {SQL_REVOKED_HOLDER, SQL_REVOKED_CLEAR};
    unsigned revoked, left = round->revocations.left;
    enum twoleg_error error = tokens_drop_expired(round, verb->before_s);
    round->purged.more = round->purged.rows > 0;
    if (error || round->purged.more)
        return error;
    if (round->tokens.left)
        error = tokens_sweep(round, &tokens, &round->tokens, &round->purged.rows);
    if (!error && !round->purged.more && round->revocations.left)
        error = tokens_sweep(round, &revocations, &round->revocations, &revoked);
    if (round->revocations.left != left) // at the end of a sweep there may be room for others
        revoked_counts_clear(&round->revoked);
    return error;
}
