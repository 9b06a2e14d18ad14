// SPDX-License-Identifier: Apache-2.0
// Which families of refresh tokens stay in the store: while they live, while they can be ended, and
// how many of them.
#include "core_test.h"
#include "refresh_test.h"

#include "base/env.h"

static void add_at(struct test_store *test, uint64_t number, uint64_t application, int64_t now_us)
{
    struct refresh_family family = family_of(number);
    struct store_batch *batch = store_batch_create(now_us);
    assert_non_null(batch);
    family.application = application;
    family.rotated_us = now_us;
    family.idle_us = now_us + HOUR;
    family.expires_us = now_us + 2 * HOUR;
    family.tokens_until_s = 0;
    store_batch_add(batch, VERB_REFRESH_ADD, ACCOUNT_DEFAULT)->family = &family;
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
}

static void purge(struct test_store *test, int64_t now_us)
{
    while (test_purge_slice(test, VERB_REVOCATIONS_PURGE, now_us / SECOND_US).more)
        ;
}

// Whoever asks again finds what can still be ended, until nothing of it can live any more.
static void rfc7009_2_1_a_family_that_ended_alone_is_there_while_its_tokens_live(void **state)
{
    struct test_store *test = *state;
    const int64_t until_us = TEST_NOW + 600 * SECOND_US + REVOCATION_KEPT_S * SECOND_US;
    struct refresh_family made = family_of(1), lasting = family_of(2);
    int64_t kept;
    lasting.tokens_until_s = REFRESH_TOKENS_LASTING;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(add(test, &lasting), TWOLEG_NONE);
    assert_int_equal(end_family(test, 1, true), TWOLEG_NONE);
    assert_int_equal(end_family(test, 2, true), TWOLEG_NONE);
    // A request that found it alive does not bring it back.
    assert_int_equal(rotate(test, 1, 1, 2), TWOLEG_VERSION_CONFLICT);
    for (unsigned i = 0; i < 2 * REFRESH_FAMILIES_MAX; i++)
        add_at(test, 100 + i, 11, TEST_NOW + i);
    purge(test, until_us);
    assert_int_equal(count(test, 100, 2 * REFRESH_FAMILIES_MAX), 0);
    assert_true(refresh_family_is_buried(find(test, 1)) && refresh_family_is_buried(find(test, 2)));
    purge(test, until_us + SECOND_US);
    assert_null(find(test, 1));
    test_revoke_many(test, 0, REVOCATIONS_PER_APPLICATION, TEST_NOW, TEST_NOW / SECOND_US + 100);
    assert_int_equal(end_family(test, 2, false), TWOLEG_LIMIT);
    assert_true(refresh_family_is_buried(find(test, 2)));
    purge(test, TEST_NOW + 101 * SECOND_US);
    assert_int_equal(end_family(test, 2, false), TWOLEG_NONE);
    assert_int_equal(ended(test, 2, &kept), 1);
    assert_int_equal(kept, 0);
    assert_null(find(test, 2));
}

// A client at its limit that logs in and gives back in a loop leaves so many rows, also where their
// access tokens never expire.
static void H18_of_those_that_ended_alone_the_latest_are_there(void **state)
{
    enum { MORE = 3 };
    struct test_store *test = *state;
    static struct refresh_family made[REFRESH_BURIED_MAX + MORE];
    struct refresh_family living = family_of(1), far = family_of(2);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    far.application = 12;
    assert_int_equal(add(test, &living), TWOLEG_NONE);
    assert_int_equal(add(test, &far), TWOLEG_NONE);
    assert_int_equal(end_family(test, 2, true), TWOLEG_NONE);
    for (unsigned i = 0; i < REFRESH_BURIED_MAX + MORE; i++) {
        struct store_batch *batch = store_batch_create(TEST_NOW + i);
        made[i] = family_of(1000 + (uint64_t)i * 7919 % 10007); // in no order
        made[i].tokens_until_s = REFRESH_TOKENS_LASTING;
        store_batch_add(batch, VERB_REFRESH_ADD, ACCOUNT_DEFAULT)->family = &made[i];
        struct store_verb *end = store_batch_add(batch, VERB_REFRESH_REVOKE, ACCOUNT_DEFAULT);
        end->refresh_revoke.family = made[i].number;
        end->refresh_revoke.application = 11;
        end->refresh_revoke.alone = true;
        assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
    }
    for (unsigned i = 0; i < REFRESH_BURIED_MAX + MORE; i += i < 2 * MORE ? 1 : 100)
        assert_int_equal(find(test, made[i].number) != NULL, i >= MORE);
    assert_false(refresh_family_is_buried(find(test, 1)));
    assert_true(refresh_family_is_buried(find(test, 2)));
}

// RFC 7009 section 2.1: who gives an expired one back means the access tokens, too.
static void rfc7009_2_1_an_expired_family_is_there_while_its_tokens_live(void **state)
{
    struct test_store *test = *state;
    const int64_t over_us = TEST_NOW + 2 * HOUR + SECOND_US;
    struct refresh_family made[] = {family_of(1), family_of(2), family_of(3), family_of(4)};
    int64_t kept;
    made[0].tokens_until_s = TEST_NOW / SECOND_US + 3 * HOUR / SECOND_US;
    made[2].tokens_until_s = REFRESH_TOKENS_LASTING; // for ever would be too long
    made[3].tokens_until_s = over_us / SECOND_US - REVOCATION_KEPT_S;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        assert_int_equal(add(test, &made[i]), TWOLEG_NONE);
    for (unsigned i = 0; i < 3; i++) {
        purge(test, over_us);
        assert_true(refresh_family_is_buried(find(test, 1)));
        assert_true(refresh_family_is_buried(find(test, 2)));
        assert_int_equal(count(test, 3, 2), 0);
    }
    assert_int_equal(rotate(test, 1, 1, 20), TWOLEG_VERSION_CONFLICT);
    assert_int_equal(end_at(test, 1, over_us), TWOLEG_NONE);
    assert_int_equal(ended(test, 1, &kept), 1);
    assert_int_equal(kept, made[0].tokens_until_s);
    purge(test, TEST_NOW + (600 + REVOCATION_KEPT_S) * SECOND_US);
    assert_non_null(find(test, 2));
    purge(test, TEST_NOW + (601 + REVOCATION_KEPT_S) * SECOND_US);
    assert_null(find(test, 2));
}

// One that ended at its own number; the tokens of a third of them are dead.
static void add_over(struct test_store *test, unsigned many, int64_t tokens_until_s)
{
    char sql[700];
    snprintf(sql, sizeof sql,
             "INSERT INTO refresh_tokens (family, account, application, generation, user,"
             " user_generation, epoch, api, scope, key, current, rotated_us, idle_us, expires_us,"
             " tokens_until_s) WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT %d)"
             " SELECT i, 1, 11, 5, (SELECT number FROM users), 5, 1, (SELECT number FROM apis), '',"
             " 1, zeroblob(32), i, i, i, iif(i %% 3, %lld, 0) FROM n",
             many, (long long)tokens_until_s);
    raw_do(test, sql);
}

// More than one slice takes: none goes unlooked at.
static void rfc7009_2_1_of_many_expired_families_none_goes_whose_tokens_live(void **state)
{
    enum { MANY = 500 };
    struct test_store *test = *state;
    const int64_t over_s = TEST_NOW / SECOND_US + 7200;
    unsigned slices = 1;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    add_over(test, MANY, over_s);
    while (test_purge_slice(test, VERB_REVOCATIONS_PURGE, over_s).more)
        slices++;
    assert_in_range(slices, 2, 5);
    for (unsigned number = 1; number <= MANY; number++) {
        const struct refresh_family *family = find(test, number);
        assert_int_equal(family != NULL, number % 3 != 0);
        assert_true(!family || refresh_family_is_buried(family));
    }
}

// Access tokens of years keep each of them: of one user that is a thousand, those that ended last.
static void H18_of_those_that_expired_the_latest_are_there(void **state)
{
    enum { MANY = 3000, THIRD = MANY / 3, LAST = MANY - REFRESH_BURIED_MAX / 2 * 3 };
    struct test_store *test = *state;
    struct refresh_family next = family_of(1000000);
    const int64_t over_s = TEST_NOW / SECOND_US + 7200;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &next), TWOLEG_NONE);
    add_over(test, MANY, over_s);
    purge(test, over_s * SECOND_US);
    assert_int_equal(count(test, 1, MANY), MANY - THIRD);
    next.number++;
    assert_int_equal(add(test, &next), TWOLEG_NONE);
    assert_int_equal(count(test, 1, MANY), REFRESH_BURIED_MAX);
    assert_int_equal(count(test, LAST + 1, MANY - LAST), REFRESH_BURIED_MAX);
}

// Not with new ones: those come by a clock of which nobody knows yet how long it is believed.
static void H12_expired_families_leave_with_the_purge_alone(void **state)
{
    struct test_store *test = *state;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (uint64_t number = 1; number <= 6; number++)
        add_at(test, number, 11, TEST_NOW);
    add_at(test, 7, 11, TEST_NOW + HOUR);
    add_at(test, 8, 12, TEST_NOW + 8760 * HOUR);
    assert_int_equal(count(test, 1, 8), 8);
    purge(test, TEST_NOW + 2 * HOUR); // they are over, but not before
    assert_int_equal(count(test, 1, 8), 8);
    purge(test, TEST_NOW + 2 * HOUR + SECOND_US);
    assert_int_equal(count(test, 1, 6), 0);
    assert_int_equal(count(test, 7, 2), 2);
}

static void of_one_user_with_one_application_the_oldest_leave(void **state)
{
    struct test_store *test = *state;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    add_at(test, 100, 12, TEST_NOW);
    for (unsigned i = 1; i <= REFRESH_FAMILIES_MAX + 2; i++)
        add_at(test, i, 11, TEST_NOW + i);
    assert_null(find(test, 1));
    assert_null(find(test, 2));
    assert_int_equal(count(test, 3, REFRESH_FAMILIES_MAX), REFRESH_FAMILIES_MAX);
    assert_non_null(find(test, 100)); // of another application
    assert_int_equal(rotate(test, 4, 4, 40), TWOLEG_NONE); // older than those by its time
    add_at(test, 50, 11, TEST_NOW + 1000);
    assert_null(find(test, 4));
    assert_non_null(find(test, 3));
    add_at(test, 51, 11, TEST_NOW - HOUR); // a restart with a clock that is behind
    assert_non_null(find(test, 51));
    assert_null(find(test, 3));
}

static void add_until(struct test_store *test, uint64_t number, int64_t idle_us,
                      int64_t tokens_until_s)
{
    struct refresh_family family = family_of(number);
    family.rotated_us = TEST_NOW + (int64_t)number;
    family.idle_us = family.expires_us = idle_us;
    family.tokens_until_s = tokens_until_s;
    assert_int_equal(add(test, &family), TWOLEG_NONE);
}

// Used last and dead since, they are in nobody's place; however long ago the other was used.
static void those_that_are_over_leave_before_one_that_lives(void **state)
{
    enum { MOST = REFRESH_FAMILIES_MAX };
    struct test_store *test = *state;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    add_until(test, 1, TEST_NOW + 24 * HOUR, TEST_NOW / SECOND_US + 7200);
    for (unsigned i = 2; i <= MOST; i++)
        add_until(test, i, TEST_NOW + HOUR, 0);
    for (unsigned i = 2; i <= MOST; i++) {
        add_at(test, 100 + i, 11, TEST_NOW + HOUR);
        assert_null(find(test, i));
        assert_int_equal(count(test, i + 1, MOST), MOST - i);
    }
    assert_non_null(find(test, 1));
    add_at(test, 200, 11, TEST_NOW + HOUR);
    assert_null(find(test, 1));
}

// RFC 7009 section 2.1: it makes room, and who gives it back means the access tokens all the same.
// What its time is by this clock says nothing of when they expire.
static void rfc7009_2_1_one_that_is_over_makes_room_and_can_be_ended(void **state)
{
    struct test_store *test = *state;
    const int64_t until_s = TEST_NOW / SECOND_US + 7200;
    int64_t kept;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (unsigned i = 1; i <= 3; i++)
        add_until(test, i, TEST_NOW + HOUR, i == 2 ? 0 : i == 3 ? REFRESH_TOKENS_LASTING : until_s);
    for (unsigned i = 0; i < REFRESH_FAMILIES_MAX; i++)
        add_at(test, 100 + i, 11, TEST_NOW + 8760 * HOUR);
    assert_int_equal(count(test, 100, REFRESH_FAMILIES_MAX), REFRESH_FAMILIES_MAX);
    assert_int_equal(count(test, 1, 3), 1);
    assert_true(refresh_family_is_buried(find(test, 1)));
    assert_int_equal(rotate(test, 1, 1, 20), TWOLEG_VERSION_CONFLICT);
    purge(test, (until_s + REVOCATION_KEPT_S) * SECOND_US);
    assert_int_equal(end_family(test, 1, false), TWOLEG_NONE);
    assert_int_equal(ended(test, 1, &kept), 1);
    assert_int_equal(kept, until_s);
}

// Else each new one would end the one before it, until that time comes.
static void H12_logins_of_a_clock_that_was_ahead_leave_first(void **state)
{
    enum { MOST = REFRESH_FAMILIES_MAX };
    struct test_store *test = *state;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (unsigned i = 1; i <= MOST; i++)
        add_at(test, i, 11, TEST_NOW + 8760 * HOUR + i);
    add_at(test, 100, 11, TEST_NOW + ENV_AHEAD_US); // that much is nobody's fault
    assert_null(find(test, 1));
    for (unsigned i = 1; i < MOST; i++) {
        add_at(test, 100 + i, 11, TEST_NOW);
        assert_int_equal(count(test, 100, MOST), i + 1);
        assert_int_equal(count(test, 1, MOST), MOST - i - 1);
    }
    add_at(test, 200, 11, TEST_NOW);
    assert_int_equal(count(test, 100, MOST), MOST - 1);
    assert_non_null(find(test, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_APPLICATIONS(rfc7009_2_1_a_family_that_ended_alone_is_there_while_its_tokens_live),
        WITH_APPLICATIONS(H18_of_those_that_ended_alone_the_latest_are_there),
        WITH_APPLICATIONS(rfc7009_2_1_an_expired_family_is_there_while_its_tokens_live),
        WITH_APPLICATIONS(rfc7009_2_1_of_many_expired_families_none_goes_whose_tokens_live),
        WITH_APPLICATIONS(H18_of_those_that_expired_the_latest_are_there),
        WITH_APPLICATIONS(H12_expired_families_leave_with_the_purge_alone),
        WITH_APPLICATIONS(of_one_user_with_one_application_the_oldest_leave),
        WITH_APPLICATIONS(those_that_are_over_leave_before_one_that_lives),
        WITH_APPLICATIONS(rfc7009_2_1_one_that_is_over_makes_room_and_can_be_ended),
        WITH_APPLICATIONS(H12_logins_of_a_clock_that_was_ahead_leave_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
