// SPDX-License-Identifier: Apache-2.0
#include "base/env.h"

#include "base/fault.h"
#include "base_test.h"

static void time_stands_still_between_ticks(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    int64_t now = env.now_us;
    assert_true(now > INT64_C(1700000000) * SECOND_US);
    env_test_offset(3600 * SECOND_US);
    assert_true(env.now_us == now);
    env_tick(&env);
    assert_true(env.now_us >= now + 3600 * SECOND_US);
    env_test_offset(0);
    env_finish(&env);
}

static void A_clock_set_back_revives_nothing(void **state)
{
    (void)state;
    struct env first;
    struct env second;
    env_init(&first);
    env_init(&second);
    env_test_offset(7200 * SECOND_US);
    env_tick(&first);
    int64_t latest = first.latest_us;
    int64_t mono = first.mono_us;
    env_test_offset(-7200 * SECOND_US);
    env_tick(&first);
    env_tick(&second);
    assert_true(first.now_us < latest);
    assert_true(first.latest_us >= latest);
    // Another thread's env has not seen the later time itself, but knows it.
    assert_true(second.latest_us >= latest);
    assert_true(first.mono_us >= mono);
    env_test_offset(0);
}

static void randomness_differs_and_is_not_kept(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    uint8_t a[32];
    uint8_t b[32];
    assert_true(env_random(&env, a, sizeof a));
    assert_true(env_random(&env, b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    size_t used = sizeof env.random - env.random_left;
    assert_int_equal(used, 64);
    for (size_t i = 0; i < used; i++)
        assert_int_equal(env.random[i], 0);
    uint8_t big[1000] = {0};
    assert_true(env_random(&env, big, sizeof big));
    assert_memory_not_equal(big, big + 500, 500);
    env_finish(&env);
    for (size_t i = 0; i < sizeof env.random; i++)
        assert_int_equal(env.random[i], 0);
}

static void pieces_that_do_not_fit_the_rest_are_whole(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    for (int i = 0; i < 40; i++) {
        uint8_t piece[100] = {0};
        unsigned zeros = 0;
        assert_true(env_random(&env, piece, sizeof piece));
        for (size_t k = 0; k < sizeof piece; k++)
            zeros += piece[k] == 0;
        assert_true(zeros < 20);
    }
}

static void without_randomness_nothing_is_handed_out(void **state)
{
    (void)state;
    struct env env;
    uint64_t value;
    env_init(&env);
    fault_arm(FAULT_RANDOM, 1, true);
    assert_false(env_random_u64(&env, &value));
    assert_false(env_random_u64(&env, &value));
    fault_arm(FAULT_RANDOM, 0, false);
    assert_true(env_random_u64(&env, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_stands_still_between_ticks),
        cmocka_unit_test(A_clock_set_back_revives_nothing),
        cmocka_unit_test(randomness_differs_and_is_not_kept),
        cmocka_unit_test(pieces_that_do_not_fit_the_rest_are_whole),
        cmocka_unit_test(without_randomness_nothing_is_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
