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

// What the clock says is set aside here: each test starts with what a new process believes.
static int forget(void **state)
{
    (void)state;
    env_test_offset(0);
    env_test_step(0);
    env_test_forget();
    return 0;
}

static int64_t tick_at(struct env *env, int64_t passed_s, int64_t step_s)
{
    env_test_offset(passed_s * SECOND_US);
    env_test_step(step_s * SECOND_US);
    env_tick(env);
    return env->latest_us - passed_s * SECOND_US;
}

#define DAY_S 86400
// Both are a little later than the other, since the test itself takes time.
#define assert_near(a, b) assert_in_range((a) - (b) + 5 * SECOND_US, 0, 10 * SECOND_US)

static void H12_a_step_forward_is_not_believed_until_it_has_stood(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    int64_t start = env.latest_us;
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
    assert_near(tick_at(&env, 0, 40 * DAY_S), start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_AHEAD);
    assert_near(env_clock_state(&env).off_us, 40 * DAY_S * SECOND_US);
    assert_near(env.now_us, start);
    // Time goes on meanwhile, as it is counted.
    assert_near(tick_at(&env, 50, 40 * DAY_S), start);
    assert_near(tick_at(&env, 61, 40 * DAY_S), start + 40 * DAY_S * SECOND_US);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
}

static void H12_a_passing_step_forward_leaves_nothing_behind(void **state)
{
    (void)state;
    struct env env;
    struct env other;
    env_init(&env);
    env_init(&other);
    int64_t start = env.latest_us;
    tick_at(&env, 0, 40 * DAY_S);
    assert_near(tick_at(&other, 50, 40 * DAY_S), start);
    assert_near(tick_at(&env, 55, 0), start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
    assert_near(env.now_us, env.wall_us);
    // A second one has to stand from its own beginning.
    assert_near(tick_at(&env, 58, 40 * DAY_S), start);
    assert_near(tick_at(&env, 65, 40 * DAY_S), start);
    // So has one that became another.
    assert_near(tick_at(&env, 110, 41 * DAY_S), start);
    assert_near(tick_at(&env, 160, 41 * DAY_S), start);
    assert_near(tick_at(&env, 171, 41 * DAY_S), start + 41 * DAY_S * SECOND_US);
}

static void a_clock_that_is_steered_is_followed(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    int64_t start = env.latest_us;
    for (int64_t step = 8; step <= 80; step += 8)
        assert_near(tick_at(&env, step * 1000, step), start + step * SECOND_US);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
}

static void H12_after_a_small_step_back_the_trusted_clock_stands_still(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    int64_t start = env.latest_us;
    tick_at(&env, 0, -50);
    assert_near(env.latest_us, start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
    tick_at(&env, 0, -300);
    assert_near(env.latest_us, start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_BEHIND);
    assert_near(env_clock_state(&env).off_us, -300 * SECOND_US);
    tick_at(&env, 100, -300);
    assert_near(env.latest_us, start);
    tick_at(&env, 290, -300);
    assert_near(env.latest_us, start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
    tick_at(&env, 400, -300);
    assert_near(env.latest_us, start + 100 * SECOND_US);
}

static void H12_after_a_large_step_back_what_expires_still_does(void **state)
{
    (void)state;
    struct env env;
    env_init(&env);
    int64_t start = env.latest_us;
    assert_near(tick_at(&env, 0, -3650 * DAY_S), start);
    assert_near(tick_at(&env, DAY_S, -3650 * DAY_S), start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_BEHIND);
    assert_near(tick_at(&env, DAY_S + 1, 0), start);
    assert_int_equal(env_clock_state(&env).clock, ENV_CLOCK_GOOD);
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

#define unit(test) cmocka_unit_test_setup_teardown(test, forget, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(time_stands_still_between_ticks),
        unit(A_clock_set_back_revives_nothing),
        unit(H12_a_step_forward_is_not_believed_until_it_has_stood),
        unit(H12_a_passing_step_forward_leaves_nothing_behind),
        unit(a_clock_that_is_steered_is_followed),
        unit(H12_after_a_small_step_back_the_trusted_clock_stands_still),
        unit(H12_after_a_large_step_back_what_expires_still_does),
        cmocka_unit_test(randomness_differs_and_is_not_kept),
        cmocka_unit_test(pieces_that_do_not_fit_the_rest_are_whole),
        cmocka_unit_test(without_randomness_nothing_is_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
