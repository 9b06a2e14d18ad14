// SPDX-License-Identifier: Apache-2.0
// Rows of reference tokens: written, found, and removed in slices.
#include "core_test.h"

#include "crypto/hash.h"

#define NOW_S (TEST_NOW / SECOND_US)
#define HOUR_S ((int64_t)3600)
#define SLICE 500u

static struct store_token_key key_of(unsigned which)
{
    return (struct store_token_key){sha256(str_of(&which, sizeof which)), which % TOKEN_SLOTS_MAX};
}

// Of an application as test_make_application makes it; life_s 0: never expires.
static struct token_record record_of(uint64_t application, int64_t life_s)
{
    return (struct token_record){.epoch = UINT32_MAX,
                                 .application = application,
                                 .generation = 5,
                                 .credential = application + 1000,
                                 .subject = UINT64_MAX,
                                 .subject_generation = 3,
                                 .family = UINT64_MAX - 1,
                                 .apis = {TEST_API},
                                 .api_count = 1,
                                 .scope = STR("groups sms"),
                                 .issued_s = NOW_S,
                                 .expires_s = life_s ? NOW_S + life_s : 0};
}

static enum twoleg_error add_as(struct test_store *test, uint64_t account, unsigned which,
                                const struct token_record *record)
{
    struct store_verb verb = {.token = {.key = key_of(which), .record = record}};
    return test_one(test, VERB_TOKEN_ADD, account, &verb);
}

static enum twoleg_error add(struct test_store *test, unsigned which,
                             const struct token_record *record)
{
    return add_as(test, ACCOUNT_DEFAULT, which, record);
}

// The numbers from first on, in one batch.
static void add_many(struct test_store *test, unsigned first, unsigned count,
                     const struct token_record *record)
{
    struct store_batch *batch = test_batch();
    for (unsigned i = 0; i < count; i++) {
        struct store_verb *verb = store_batch_add(batch, VERB_TOKEN_ADD, ACCOUNT_DEFAULT);
        verb->token.key = key_of(first + i);
        verb->token.record = record;
    }
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
}

static enum twoleg_error find(struct test_store *test, unsigned which,
                              struct token_record *ret_record)
{
    struct store_token_key key = key_of(which);
    return store_token(test->reader, &key, &test->arena, ret_record);
}

static unsigned count_found(struct test_store *test, unsigned first, unsigned count)
{
    struct token_record record;
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++)
        found += find(test, first + i, &record) == TWOLEG_NONE;
    return found;
}

// All slices; no one may be larger than a slice. Gives how many took rows away.
static unsigned purge(struct test_store *test, int64_t before_s, unsigned *ret_rows)
{
    unsigned slices = 0;
    struct store_purged purged;
    *ret_rows = 0;
    do {
        purged = test_purge_slice(test, VERB_TOKENS_PURGE, before_s);
        assert_in_range(purged.rows, 0, SLICE);
        *ret_rows += purged.rows;
        slices += purged.rows > 0;
    } while (purged.more);
    return slices;
}

static void a_token_is_found_by_its_hash_alone(void **state)
{
    struct test_store *test = *state;
    size_t told = test->told.count;
    struct token_record hour = record_of(11, HOUR_S), never = record_of(12, 0), found;
    assert_int_equal(find(test, 1, &found), TWOLEG_NOT_FOUND);
    assert_int_equal(add(test, 1, &hour), TWOLEG_NONE);
    assert_int_equal(add(test, 2, &never), TWOLEG_NONE);
    assert_int_equal(test->told.count, told); // nobody needs to hear of it
    for (int life = 0; life < 2; life++) {
        assert_int_equal(find(test, 1, &found), TWOLEG_NONE);
        assert_memory_equal(found.id.bytes, key_of(1).hash.bytes, sizeof found.id.bytes);
        assert_int_equal(found.epoch, UINT32_MAX);
        assert_int_equal(found.application, 11);
        assert_int_equal(found.generation, 5);
        assert_int_equal(found.credential, 1011);
        assert_int_equal(found.subject, UINT64_MAX);
        assert_int_equal(found.subject_generation, 3);
        assert_true(found.family == UINT64_MAX - 1);
        assert_int_equal(found.api_count, 1);
        assert_int_equal(found.apis[0], TEST_API);
        test_assert_str(found.scope, "groups sms");
        assert_int_equal(found.issued_s, NOW_S);
        assert_int_equal(found.expires_s, NOW_S + HOUR_S);
        assert_int_equal(find(test, 2, &found), TWOLEG_NONE);
        assert_int_equal(found.expires_s, 0);
        assert_int_equal(found.application, 12);
        assert_int_equal(find(test, 3, &found), TWOLEG_NOT_FOUND);
        test_close(test);
        test_open(test);
    }
}

static void a_hash_with_the_same_place_is_another_token(void **state)
{
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S), found;
    assert_int_equal(add(test, 1, &record), TWOLEG_NONE);
    struct store_verb verb = {.token = {.key = key_of(1), .record = &record}};
    verb.token.key.hash.bytes[20] ^= 1;
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_CONFLICT);
    assert_int_equal(store_token(test->reader, &verb.token.key, &test->arena, &found),
                     TWOLEG_NOT_FOUND);
    assert_int_equal(find(test, 1, &found), TWOLEG_NONE);
}

// In one transaction with the row: what somebody else wrote meanwhile counts.
static void a_token_is_not_written_while_another_lives(void **state)
{
    struct test_store *test = *state;
    struct token_record old = record_of(11, HOUR_S), young = record_of(11, HOUR_S);
    const struct store_token_key unless[] = {key_of(7), key_of(1), key_of(8)};
    struct store_verb verb = {.token = {key_of(2), &young, unless, 3}};
    assert_int_equal(add(test, 1, &old), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_CONFLICT);
    assert_int_equal(find(test, 2, &young), TWOLEG_NOT_FOUND);
    young = record_of(11, HOUR_S);
    young.issued_s = old.expires_s - 1;
    young.expires_s = young.issued_s + HOUR_S;
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_CONFLICT);
    young.issued_s = old.expires_s;
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_NONE);
    struct token_record lasting = record_of(11, 0);
    assert_int_equal(add(test, 8, &lasting), TWOLEG_NONE);
    verb.token.key = key_of(3);
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_CONFLICT);
    verb.token.unless_count = 2;
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_NONE);
}

// ---------------------------------------------------------------------------------- replace

// What was found before: the one with this number, none (0), or whichever there is (-1).
static enum twoleg_error replace(struct test_store *test, unsigned which, int before,
                                 const struct token_record *record)
{
    struct store_verb verb = {.replace = {.key = key_of(which), .record = record,
                                          .whichever = before < 0}};
    verb.replace.nonce.bytes[0] = (uint8_t)which;
    struct store_token_key key = key_of((unsigned)before);
    if (before > 0)
        memcpy(&verb.replace.before, key.hash.bytes, sizeof verb.replace.before);
    return test_one(test, VERB_TOKEN_REPLACE, ACCOUNT_DEFAULT, &verb);
}

// The number of the one token; 0: there is none.
static unsigned sole(struct test_store *test, uint64_t application, uint64_t subject)
{
    struct store_token_sole found;
    enum twoleg_error error =
        store_token_sole(test->reader, application, subject, &test->arena, &found);
    if (error) {
        assert_int_equal(error, TWOLEG_NOT_FOUND);
        return 0;
    }
    struct store_token_key key = key_of(found.nonce.bytes[0]);
    assert_memory_equal(&found.hash, &key.hash, sizeof key.hash);
    assert_memory_equal(&found.record.id, &key.hash, sizeof found.record.id);
    assert_true(found.record.application == application && found.record.subject == subject);
    test_assert_str(found.record.scope, "groups sms");
    return found.nonce.bytes[0];
}

// The last change told is the revocation of this one.
static void assert_revoked(const struct test_store *test, unsigned which, int64_t expires_s)
{
    const struct store_change *last = &test->told.changes[test->told.count - 1];
    struct store_token_key key = key_of(which);
    assert_int_equal(last->kind, CHANGE_REVOCATION);
    assert_memory_equal(&last->token, &key.hash, sizeof last->token);
    assert_int_equal(last->expires_s, expires_s);
}

static void a_token_takes_the_place_of_the_one_before(void **state)
{
    struct test_store *test = *state;
    struct token_record own = record_of(11, HOUR_S), found;
    own.subject = own.subject_generation = own.family = 0;
    struct token_record users = record_of(11, HOUR_S), other = own;
    other.application = 12;
    assert_int_equal(sole(test, 11, 0), 0);
    size_t told = test->told.count;
    assert_int_equal(replace(test, 1, 0, &own), TWOLEG_NONE);
    assert_int_equal(replace(test, 2, 0, &users), TWOLEG_NONE);
    assert_int_equal(replace(test, 3, 0, &other), TWOLEG_NONE);
    assert_int_equal(test->told.count, told); // each is the first one of whom it is for
    assert_int_equal(replace(test, 4, 1, &own), TWOLEG_NONE);
    assert_int_equal(test->told.count, told + 1);
    assert_revoked(test, 1, own.expires_s);
    for (int life = 0; life < 2; life++) {
        assert_int_equal(sole(test, 11, 0), 4);
        assert_int_equal(sole(test, 11, UINT64_MAX), 2);
        assert_int_equal(sole(test, 12, 0), 3);
        assert_int_equal(find(test, 1, &found), TWOLEG_NONE); // for whoever asks what became of it
        test_close(test);
        test_open(test);
    }
}

// In one transaction: what somebody else wrote meanwhile counts.
static void of_two_that_found_the_same_one_the_second_is_told(void **state)
{
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S), found;
    uint64_t subject = record.subject;
    assert_int_equal(replace(test, 1, 0, &record), TWOLEG_NONE);
    assert_int_equal(replace(test, 2, 0, &record), TWOLEG_CONFLICT);
    assert_int_equal(replace(test, 2, 1, &record), TWOLEG_NONE);
    assert_int_equal(replace(test, 3, 1, &record), TWOLEG_CONFLICT);
    assert_int_equal(find(test, 3, &found), TWOLEG_NOT_FOUND);
    assert_int_equal(sole(test, 11, subject), 2);
    size_t told = test->told.count;
    assert_int_equal(replace(test, 3, -1, &record), TWOLEG_NONE);
    assert_int_equal(test->told.count, told + 1);
    assert_revoked(test, 2, record.expires_s);
    // One that has expired is dead without a revocation; one that was purged is in nobody's way.
    struct token_record next = record;
    next.issued_s = record.expires_s;
    next.expires_s = next.issued_s + HOUR_S;
    assert_int_equal(replace(test, 4, 3, &next), TWOLEG_NONE);
    assert_int_equal(test->told.count, told + 1);
    unsigned rows;
    purge(test, next.expires_s + 2 * HOUR_S, &rows);
    assert_int_equal(sole(test, 11, subject), 0);
    assert_int_equal(replace(test, 5, 4, &next), TWOLEG_NONE);
    struct token_record lasting = record_of(11, 0);
    assert_int_equal(replace(test, 6, 5, &lasting), TWOLEG_NONE);
    assert_int_equal(replace(test, 7, 6, &lasting), TWOLEG_NONE);
    assert_revoked(test, 6, 0);
    assert_int_equal(sole(test, 11, subject), 7);
}

static void rfc7009_5_one_that_cannot_be_revoked_keeps_its_place(void **state)
{
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S), found;
    assert_int_equal(replace(test, 1, 0, &record), TWOLEG_NONE);
    test_revoke_many(test, 0, REVOCATIONS_PER_APPLICATION, TEST_NOW, NOW_S + 100);
    assert_int_equal(replace(test, 2, 1, &record), TWOLEG_LIMIT);
    assert_int_equal(find(test, 2, &found), TWOLEG_NOT_FOUND);
    assert_int_equal(sole(test, 11, record.subject), 1);
    struct store_verb gone = {.number = 11};
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &gone), TWOLEG_NONE);
    assert_int_equal(replace(test, 2, 1, &record), TWOLEG_NOT_FOUND);
    struct token_record far = record_of(12, HOUR_S);
    assert_int_equal(replace(test, 3, 0, &far), TWOLEG_NONE);
    far.expires_s = INT64_MAX;
    assert_int_equal(replace(test, 4, 3, &far), TWOLEG_RANGE);
    assert_int_equal(sole(test, 12, far.subject), 3); // all or nothing
}

static void what_has_no_place_is_refused(void **state)
{
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S);
    assert_int_equal(add_as(test, STORE_OPERATOR, 1, &record), TWOLEG_RANGE);
    struct token_record far = record_of(12, HOUR_S);
    far.expires_s = INT64_MAX;
    assert_int_equal(add(test, 2, &far), TWOLEG_RANGE);
    far.expires_s = -1;
    assert_int_equal(add(test, 2, &far), TWOLEG_RANGE);
    struct token_record two = record_of(12, HOUR_S);
    two.api_count = 2;
    assert_int_equal(add(test, 2, &two), TWOLEG_RANGE);
    struct store_verb verb = {.token = {.key = key_of(2), .record = &record}};
    verb.token.key.slot = TOKEN_SLOTS_MAX;
    assert_int_equal(test_one(test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_RANGE);
    struct token_record found;
    assert_int_equal(find(test, 1, &found), TWOLEG_NOT_FOUND);
    assert_int_equal(find(test, 2, &found), TWOLEG_NOT_FOUND);
}

// A row never leaves before it has expired, and not much later.
static void each_life_leaves_in_its_time(void **state)
{
    struct test_store *test = *state;
    static const int64_t lives[] = {1, 60, 1023, 1024, 1025, HOUR_S, 24 * HOUR_S, 168 * HOUR_S,
                                    87840 * HOUR_S};
    for (unsigned i = 0; i < sizeof lives / sizeof *lives; i++) {
        struct token_record record = record_of(11, lives[i]), found;
        assert_int_equal(add(test, i, &record), TWOLEG_NONE);
        test_purge_slice(test, VERB_TOKENS_PURGE, record.expires_s - 1);
        assert_int_equal(find(test, i, &found), TWOLEG_NONE);
        assert_int_equal(found.expires_s, record.expires_s);
        test_purge_slice(test, VERB_TOKENS_PURGE, record.expires_s + lives[i] / 4 + 2048);
        assert_int_equal(find(test, i, &found), TWOLEG_NOT_FOUND);
    }
}

static void expired_rows_leave_in_slices(void **state)
{
    struct test_store *test = *state;
    struct token_record hour = record_of(11, HOUR_S), day = record_of(11, 24 * HOUR_S);
    struct token_record never = record_of(11, 0);
    unsigned rows;
    add_many(test, 0, 3 * SLICE + 250, &hour);
    add_many(test, 10000, 300, &day);
    add_many(test, 20000, 20, &never);
    assert_int_equal(purge(test, NOW_S + HOUR_S - 1, &rows), 0);
    assert_int_equal(purge(test, NOW_S + 2 * HOUR_S, &rows), 4);
    assert_int_equal(rows, 3 * SLICE + 250);
    assert_int_equal(count_found(test, 0, 3 * SLICE + 250), 0);
    assert_int_equal(count_found(test, 10000, 300), 300);
    assert_int_equal(count_found(test, 20000, 20), 20);
    assert_int_equal(purge(test, INT64_MAX, &rows), 1);
    assert_int_equal(rows, 300);
    assert_int_equal(count_found(test, 20000, 20), 20);
    assert_int_equal(purge(test, INT64_MIN, &rows), 0);
}

// A slice is one batch: between two of them others are served.
static void a_purge_under_way_holds_up_nobody(void **state)
{
    struct test_store *test = *state;
    struct token_record hour = record_of(11, HOUR_S), day = record_of(11, 24 * HOUR_S), found;
    add_many(test, 0, 4 * SLICE, &hour);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(test_purge_slice(test, VERB_TOKENS_PURGE, NOW_S + 2 * HOUR_S).rows, SLICE);
        assert_int_equal(add(test, 10000 + i, &day), TWOLEG_NONE);
        assert_int_equal(find(test, 10000 + i, &found), TWOLEG_NONE);
        assert_int_equal(count_found(test, 0, 4 * SLICE), (3 - i) * SLICE);
    }
}

static void rows_that_never_expire_leave_with_their_application(void **state)
{
    struct test_store *test = *state;
    struct token_record first = record_of(11, 0), second = record_of(12, 0);
    unsigned rows;
    add_many(test, 0, SLICE + 20, &first);
    add_many(test, 10000, 30, &second);
    assert_int_equal(purge(test, NOW_S, &rows), 0);
    // More applications than one slice looks at, on both sides.
    for (unsigned i = 0; i < 250; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        uint64_t number = i % 2 ? 2 + UINT64_MAX / 2 + i : 100 + i;
        assert_int_equal(test_make_application(test, number, name), TWOLEG_NONE);
        struct token_record record = record_of(number, 0);
        assert_int_equal(add(test, 20000 + i, &record), TWOLEG_NONE);
    }
    struct store_verb gone = {.number = 11};
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &gone), TWOLEG_NONE);
    assert_int_equal(purge(test, NOW_S, &rows), 2);
    assert_int_equal(rows, SLICE + 20);
    // One that was on its way when the application was deleted, and one that came in time to be
    // seen by the first purge.
    assert_int_equal(add(test, 30000, &first), TWOLEG_NONE);
    assert_int_equal(purge(test, NOW_S, &rows), 1);
    assert_int_equal(add(test, 30000, &first), TWOLEG_NONE);
    assert_int_equal(purge(test, NOW_S, &rows), 0); // nothing was deleted for so long
    assert_int_equal(rows, 0);
    gone.number = 2 + UINT64_MAX / 2 + 249;
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &gone), TWOLEG_NONE);
    // Also what an earlier life has left.
    test_close(test);
    test_open(test);
    assert_int_equal(purge(test, NOW_S, &rows), 2);
    assert_int_equal(rows, 2);
    assert_int_equal(count_found(test, 10000, 30), 30);
    assert_int_equal(count_found(test, 20000, 250), 249);
}

static void a_commit_that_fails_leaves_no_token(void **state)
{
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S), found;
    for (unsigned nth = 1; nth < 40; nth++) {
        fault_arm(FAULT_STORE, nth, false);
        enum twoleg_error error = add(test, nth, &record);
        fault_arm(FAULT_STORE, 0, false);
        // What a failed commit has left nobody knows, so the store has stopped.
        if (store_stopped(test->store))
            return;
        assert_int_equal(error, TWOLEG_STORE_FAILED);
        assert_int_equal(find(test, nth, &found), TWOLEG_NOT_FOUND);
    }
    fail_msg("no commit failed");
}

static void a_read_that_fails_is_no_answer(void **state)
{
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S), found;
    assert_int_equal(add(test, 1, &record), TWOLEG_NONE);
    enum twoleg_error error = TWOLEG_STORE_FAILED;
    unsigned failed = 0;
    for (unsigned nth = 1; error == TWOLEG_STORE_FAILED; nth++) {
        fault_arm(FAULT_STORE, nth, false);
        error = find(test, 1, &found);
        fault_arm(FAULT_STORE, 0, false);
        failed += error == TWOLEG_STORE_FAILED;
    }
    assert_int_equal(error, TWOLEG_NONE);
    assert_in_range(failed, 4, 40);
}

static void H9_what_no_release_wrote_is_no_row(void **state)
{
    static const char *const damages[] = {
        "epoch = -1", "epoch = 4294967296", "issued_s = -1",
        "issued_s = -9223372036854775807 - 1", "issued_s = expires_s", "expires_s = 0",
        "expires_s = -1", "expires_s = 9223372036854775807", "subject = 0",
    };
    struct test_store *test = *state;
    struct token_record record = record_of(11, HOUR_S), found;
    assert_int_equal(add(test, 1, &record), TWOLEG_NONE);
    raw_do(test, "CREATE TABLE good AS SELECT * FROM reference_tokens");
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char sql[160];
        snprintf(sql, sizeof sql, "PRAGMA ignore_check_constraints = ON;"
                 "UPDATE reference_tokens SET %s", damages[i]);
        raw_do(test, sql);
        if (find(test, 1, &found) != TWOLEG_STORE_FAILED)
            fail_msg("%s was believed", damages[i]);
        raw_do(test, "REPLACE INTO reference_tokens SELECT * FROM good");
        assert_int_equal(find(test, 1, &found), TWOLEG_NONE);
    }
}

static void rows_are_counted(void **state)
{
    struct test_store *test = *state;
    struct token_record hour = record_of(11, HOUR_S);
    unsigned rows;
    add_many(test, 0, 30, &hour);
    assert_false(store_figures(test->store).tokens_counted);
    test_close(test);
    test_open(test);
    add_many(test, 30, 10, &hour);
    store_count_tokens(test->store);
    for (unsigned i = 0; i < 10000 && !store_figures(test->store).tokens_counted; i++)
        usleep(1000);
    assert_int_equal(store_figures(test->store).tokens, 40);
    assert_int_equal(store_figures(test->store).tokens_written, 10);
    purge(test, NOW_S + 2 * HOUR_S, &rows);
    add_many(test, 100, 5, &hour);
    assert_int_equal(store_figures(test->store).tokens, 5);
    assert_int_equal(store_figures(test->store).tokens_purged, 40);
    assert_int_equal(store_figures(test->store).tokens_written, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_APPLICATIONS(a_token_is_found_by_its_hash_alone),
        WITH_APPLICATIONS(a_hash_with_the_same_place_is_another_token),
        WITH_APPLICATIONS(a_token_is_not_written_while_another_lives),
        WITH_APPLICATIONS(a_token_takes_the_place_of_the_one_before),
        WITH_APPLICATIONS(of_two_that_found_the_same_one_the_second_is_told),
        WITH_APPLICATIONS(rfc7009_5_one_that_cannot_be_revoked_keeps_its_place),
        WITH_APPLICATIONS(what_has_no_place_is_refused),
        WITH_APPLICATIONS(each_life_leaves_in_its_time),
        WITH_APPLICATIONS(expired_rows_leave_in_slices),
        WITH_APPLICATIONS(a_purge_under_way_holds_up_nobody),
        WITH_APPLICATIONS(rows_that_never_expire_leave_with_their_application),
        WITH_APPLICATIONS(a_commit_that_fails_leaves_no_token),
        WITH_APPLICATIONS(a_read_that_fails_is_no_answer),
        WITH_APPLICATIONS(H9_what_no_release_wrote_is_no_row),
        WITH_APPLICATIONS(rows_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
