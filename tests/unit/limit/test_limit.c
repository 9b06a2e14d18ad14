// SPDX-License-Identifier: Apache-2.0
// The tables of rates: what is allowed, what a flood can and cannot do (rows B1, B15), and what
// threads at the same moment can overshoot (row G6).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "limit/limit.h"

#define MINUTE INT64_C(60000000)
#define CELLS ((size_t)4096)

static const struct siphash_key hash = {1, 2};
static const struct limit_rate twenty = {MINUTE / 20, 20};

static int table_setup(void **state)
{
    *state = limit_table_create(&hash, CELLS);
    return *state ? 0 : -1;
}

static int table_teardown(void **state)
{
    limit_table_destroy(*state);
    return 0;
}

static unsigned take_all(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                         int64_t now_us)
{
    unsigned taken = 0;
    while (taken < 1000 && limit_take(table, key, rate, now_us, NULL) == 0)
        taken++;
    return taken;
}

static void burst_at_once_then_one_each_interval(void **state)
{
    struct limit_table *table = *state;
    uint64_t key = limit_key(table, STR("a"), 1);
    int64_t now = 5 * MINUTE;
    assert_int_equal(take_all(table, key, &twenty, now), 20);
    assert_true(limit_take(table, key, &twenty, now, NULL) == MINUTE / 20);
    assert_true(limit_wait(table, key, &twenty, now + 1) == MINUTE / 20 - 1);
    assert_true(limit_wait(table, key, &twenty, now + MINUTE / 20) == 0);
    assert_int_equal(take_all(table, key, &twenty, now + MINUTE / 20), 1);
    assert_int_equal(take_all(table, key, &twenty, now + 3 * (MINUTE / 20)), 2);
    assert_int_equal(take_all(table, key, &twenty, now + 10 * MINUTE), 20);
}

// Never more than so many times as many, and never a rate that runs over.
static void a_rate_taken_so_many_times(void **state)
{
    static const struct limit_rate fast = {1, 1000000}, uneven = {7, 3}, none = {0, 0};
    struct limit_table *table = *state;
    struct limit_rate rate = limit_rate_times(&twenty, 10);
    assert_int_equal(take_all(table, limit_key(table, STR("a"), 1), &rate, MINUTE), 200);
    assert_true(rate.interval_us == MINUTE / 200);
    rate = limit_rate_times(&uneven, 4);
    assert_true(rate.interval_us == 2 && rate.burst == 12);
    rate = limit_rate_times(&fast, 40960);
    assert_true(rate.interval_us == 1 && rate.burst == UINT32_MAX);
    rate = limit_rate_times(&none, 10);
    assert_true(rate.burst == 0);
}

// Row B1: what was given back may be taken again, and no more than that.
static void B1_what_is_returned_was_not_taken(void **state)
{
    struct limit_table *table = *state;
    static const struct limit_rate none = {0, 0};
    struct limit_taken nothing = {0}, taken[3];
    uint64_t key = limit_key(table, STR("a"), 1);
    for (int i = 0; i < 3; i++)
        assert_true(limit_take(table, key, &twenty, MINUTE, &taken[i]) == 0);
    assert_int_equal(take_all(table, key, &twenty, MINUTE), 17);
    for (int i = 0; i < 3; i++)
        limit_return(&taken[i]);
    limit_return(&nothing);
    assert_int_equal(take_all(table, key, &twenty, MINUTE), 3);
    limit_return(&taken[0]); // long after: it was full already
    assert_int_equal(take_all(table, key, &twenty, 9 * MINUTE), 20);
    assert_true(limit_take(table, key, &none, 9 * MINUTE, &taken[0]) == 0);
    limit_return(&taken[0]);
    assert_int_equal(take_all(table, key, &twenty, 9 * MINUTE), 0);
}

// Row B1. Few cells, so that each key shares some with the one that has taken all it may: what
// others give back is none of its.
static void B1_what_others_return_was_not_taken_from_it(void **state)
{
    struct limit_table *table = limit_table_create(&hash, 4);
    uint64_t exhausted = limit_key(table, STR("a"), 1);
    unsigned others = 0;
    (void)state;
    assert_int_equal(take_all(table, exhausted, &twenty, MINUTE), 20);
    for (uint64_t i = 2; i < 100; i++) {
        struct limit_taken taken;
        uint64_t key = limit_key(table, STR("b"), i);
        if (limit_take(table, key, &twenty, MINUTE, &taken))
            continue; // shares all of them
        limit_return(&taken);
        others++;
        assert_true(limit_wait(table, exhausted, &twenty, MINUTE) == MINUTE / 20);
    }
    assert_in_range(others, 1, 97);
    limit_table_destroy(table);
}

static void burst_can_be_smaller_than_the_count(void **state)
{
    struct limit_table *table = *state;
    struct rate text;
    assert_int_equal(rate_parse(STR("100/1m:5"), &text), TWOLEG_NONE);
    struct limit_rate rate = limit_rate_of(&text);
    uint64_t key = limit_key(table, STR("a"), 1);
    assert_int_equal(take_all(table, key, &rate, 0), 5);
    assert_int_equal(take_all(table, key, &rate, MINUTE / 100), 1);
    assert_int_equal(take_all(table, key, &rate, 2 * MINUTE), 5);
}

static void none_is_no_limit(void **state)
{
    struct limit_table *table = *state;
    struct rate text;
    assert_int_equal(rate_parse(STR("none"), &text), TWOLEG_NONE);
    struct limit_rate rate = limit_rate_of(&text);
    uint64_t key = limit_key(table, STR("a"), 1);
    assert_int_equal(take_all(table, key, &rate, 0), 1000);
    assert_int_equal(take_all(table, key, &twenty, 0), 20); // and nothing was charged
}

static void keys_of_a_pair_differ_by_both(void **state)
{
    struct limit_table *table = *state;
    uint64_t key = limit_key(table, STR("a"), 1);
    assert_true(key != limit_key(table, STR("a"), 2));
    assert_true(key != limit_key(table, STR("b"), 1));
    assert_true(key != limit_key(table, STR("a\0"), 1));
    assert_true(key == limit_key(table, STR("a"), 1));
    take_all(table, key, &twenty, 0);
    assert_int_equal(take_all(table, limit_key(table, STR("a"), 2), &twenty, 0), 20);
}

// What is owed is bounded: whoever hammers for an hour waits no longer than who stopped in time.
static void charges_beyond_the_limit_are_not_owed(void **state)
{
    struct limit_table *table = *state;
    uint64_t key = limit_key(table, STR("a"), 1);
    for (int i = 0; i < 100000; i++)
        limit_charge(table, key, &twenty, 0);
    assert_true(limit_wait(table, key, &twenty, 0) == MINUTE / 20);
    assert_int_equal(take_all(table, key, &twenty, MINUTE), 20);
}

// Another rate, or a thread whose clock was read a moment earlier, must not free what is taken.
static void cells_are_never_lowered(void **state)
{
    struct limit_table *table = *state;
    uint64_t key = limit_key(table, STR("a"), 1);
    take_all(table, key, &twenty, MINUTE);
    int64_t before = limit_wait(table, key, &twenty, MINUTE);
    limit_charge(table, key, &twenty, MINUTE - 1000000);
    assert_true(limit_wait(table, key, &twenty, MINUTE) == before);
}

// A reload that gives more must help whoever is waiting, and one that gives less must not charge
// for what was allowed.
static void another_rate_is_counted_by_itself(void **state)
{
    struct limit_table *table = *state;
    static const struct limit_rate rates[] = {{24 * 60 * MINUTE / 20, 20}, {MINUTE / 20, 19},
                                              {MINUTE / 19, 20}, {MINUTE / 2, 2}};
    uint64_t key = limit_key(table, STR("a"), 1);
    assert_int_equal(take_all(table, key, &twenty, MINUTE), 20);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        assert_int_equal(take_all(table, key, &rates[i], MINUTE), rates[i].burst);
    assert_true(limit_wait(table, key, &twenty, MINUTE) > 0);
}

static void B15_a_flood_of_ids_takes_no_memory_and_resets_no_bucket(void **state)
{
    struct limit_table *table = *state;
    uint64_t victim = limit_key(table, STR("victim"), 1);
    take_all(table, victim, &twenty, 0);
    size_t memory = mallinfo2().uordblks;
    for (uint64_t i = 0; i < 10000000; i++)
        limit_charge(table, limit_key(table, STR("flood"), i), &twenty, 0);
    assert_true(mallinfo2().uordblks == memory);
    assert_true(limit_wait(table, victim, &twenty, 0) > 0);
    // The flood has filled every bucket; time empties them all.
    assert_true(limit_wait(table, limit_key(table, STR("other"), 1), &twenty, 0) > 0);
    assert_true(limit_wait(table, victim, &twenty, MINUTE) == 0);
}

static void B1_a_few_busy_keys_leave_the_others_alone(void **state)
{
    struct limit_table *table = *state;
    unsigned busy = 0;
    for (uint64_t i = 0; i < CELLS / 16; i++)
        take_all(table, limit_key(table, STR("busy"), i), &twenty, 0);
    for (uint64_t i = 0; i < 1000; i++)
        busy += take_all(table, limit_key(table, STR("quiet"), i), &twenty, 0) < 20;
    assert_true(busy < 10);
}

#define THREADS 8
#define ROUNDS 200

// Threads that take all they get from one table or bucket at the same moment, round after round.
struct burst {
    unsigned (*take)(void *limit, unsigned round);
    void *limit;
    pthread_barrier_t start;
    _Atomic unsigned taken;
};

static void *burst_main(void *context)
{
    struct burst *burst = context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&burst->start);
        atomic_fetch_add(&burst->taken, burst->take(burst->limit, round));
        pthread_barrier_wait(&burst->start);
    }
    return NULL;
}

static void burst_check(unsigned (*take)(void *limit, unsigned round), void *limit, unsigned most)
{
    struct burst burst = {.take = take, .limit = limit};
    pthread_t threads[THREADS];
    pthread_barrier_init(&burst.start, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, burst_main, &burst), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        atomic_store(&burst.taken, 0);
        pthread_barrier_wait(&burst.start);
        pthread_barrier_wait(&burst.start);
        assert_in_range(atomic_load(&burst.taken), 20, most);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&burst.start);
}

static unsigned take_of_round(void *limit, unsigned round)
{
    return take_all(limit, limit_key(limit, STR("round"), round), &twenty, 0);
}

static void G6_threads_overshoot_by_at_most_one_each(void **state)
{
    burst_check(take_of_round, *state, 20 + THREADS - 1);
}

// ------------------------------------------------------------------ a bucket of its own
static unsigned bucket_take_all(struct limit_bucket *bucket, const struct limit_rate *rate,
                                int64_t now_us)
{
    unsigned taken = 0;
    while (taken < 1000 && limit_bucket_take(bucket, rate, now_us) == 0)
        taken++;
    return taken;
}

static void bucket_counts_as_a_table_does(void **state)
{
    (void)state;
    struct limit_bucket bucket = {0};
    static const struct limit_rate none = {0, 0};
    int64_t now = 5 * MINUTE;
    assert_int_equal(bucket_take_all(&bucket, &none, now), 1000);
    assert_int_equal(bucket_take_all(&bucket, &twenty, now), 20);
    assert_true(limit_bucket_take(&bucket, &twenty, now) == MINUTE / 20);
    assert_true(limit_bucket_take(&bucket, &twenty, now + 1) == MINUTE / 20 - 1);
    assert_int_equal(bucket_take_all(&bucket, &twenty, now + MINUTE / 20), 1);
    assert_int_equal(bucket_take_all(&bucket, &twenty, now + 3 * (MINUTE / 20)), 2);
    assert_int_equal(bucket_take_all(&bucket, &twenty, now + 10 * MINUTE), 20);
}

// Whoever had used up one of a day waits for the new rate, not for the day's end.
static void bucket_takes_another_rate_from_now_on(void **state)
{
    (void)state;
    struct limit_bucket bucket = {0};
    static const struct limit_rate daily = {INT64_C(86400000000), 1};
    assert_int_equal(bucket_take_all(&bucket, &daily, 0), 1);
    assert_true(limit_bucket_take(&bucket, &twenty, 0) == MINUTE / 20);
    assert_int_equal(bucket_take_all(&bucket, &twenty, MINUTE / 20), 1);
    assert_int_equal(bucket_take_all(&bucket, &twenty, 2 * MINUTE), 20);
    // And what was taken under the old one is taken under the new one.
    assert_true(limit_bucket_take(&bucket, &daily, 2 * MINUTE) > 0);
}

static unsigned bucket_take_of_round(void *limit, unsigned round)
{
    return bucket_take_all(limit, &twenty, round * MINUTE);
}

static void G6_threads_never_overshoot_a_bucket(void **state)
{
    struct limit_bucket bucket = {0};
    (void)state;
    burst_check(bucket_take_of_round, &bucket, 20);
}

#define TABLE(test) cmocka_unit_test_setup_teardown(test, table_setup, table_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE(burst_at_once_then_one_each_interval),
        TABLE(a_rate_taken_so_many_times),
        TABLE(B1_what_is_returned_was_not_taken),
        cmocka_unit_test(B1_what_others_return_was_not_taken_from_it),
        TABLE(burst_can_be_smaller_than_the_count),
        TABLE(none_is_no_limit),
        TABLE(keys_of_a_pair_differ_by_both),
        TABLE(charges_beyond_the_limit_are_not_owed),
        TABLE(cells_are_never_lowered),
        TABLE(another_rate_is_counted_by_itself),
        TABLE(B15_a_flood_of_ids_takes_no_memory_and_resets_no_bucket),
        TABLE(B1_a_few_busy_keys_leave_the_others_alone),
        TABLE(G6_threads_overshoot_by_at_most_one_each),
        cmocka_unit_test(bucket_counts_as_a_table_does),
        cmocka_unit_test(bucket_takes_another_rate_from_now_on),
        cmocka_unit_test(G6_threads_never_overshoot_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
