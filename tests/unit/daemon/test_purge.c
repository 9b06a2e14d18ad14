// SPDX-License-Identifier: Apache-2.0
#include "daemon/purge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_US ((int64_t)1700000000 * SECOND_US)
#define DAY_US (86400 * SECOND_US)

static struct env env_at(int64_t passed_us, int64_t step_us)
{
    int64_t wall_us = NOW_US + passed_us + step_us;
    return (struct env){.now_us = wall_us, .latest_us = wall_us, .wall_us = wall_us,
                        .boot_us = 1000 * SECOND_US + passed_us};
}

static bool due_at(struct purge *purge, int64_t passed_us, int64_t step_us, int64_t *ret_before_s)
{
    struct env env = env_at(passed_us, step_us);
    return purge_due(purge, &env, ret_before_s);
}

static void what_is_noted_is_forgotten_a_day_later(void **state)
{
    (void)state;
    struct purge purge = {0};
    int64_t before_s = 0;
    assert_false(due_at(&purge, 0, 0, &before_s));
    assert_false(due_at(&purge, DAY_US - 1, 0, &before_s));
    assert_true(due_at(&purge, DAY_US, 0, &before_s));
    assert_int_equal(before_s, (NOW_US - DAY_US) / SECOND_US);
    assert_false(due_at(&purge, DAY_US + SECOND_US, 0, &before_s));
    assert_true(due_at(&purge, 2 * DAY_US, 0, &before_s));
    assert_int_equal(before_s, NOW_US / SECOND_US);
}

static void H1_a_clock_that_stepped_decides_nothing(void **state)
{
    (void)state;
    struct purge purge = {0};
    int64_t before_s = 0;
    assert_false(due_at(&purge, 0, 0, &before_s));
    // It is forty days ahead for some hours, then right again: both start the day anew.
    assert_false(due_at(&purge, DAY_US / 2, 40 * DAY_US, &before_s));
    assert_false(due_at(&purge, DAY_US, 40 * DAY_US, &before_s));
    assert_false(due_at(&purge, DAY_US + DAY_US / 4, 0, &before_s));
    assert_false(due_at(&purge, 2 * DAY_US, 0, &before_s));
    assert_true(due_at(&purge, 2 * DAY_US + DAY_US / 4, 0, &before_s));
    assert_int_equal(before_s, (NOW_US + DAY_US / 4) / SECOND_US);
}

static void H1_a_clock_in_doubt_decides_nothing(void **state)
{
    (void)state;
    struct purge purge = {0};
    int64_t before_s = 0;
    assert_false(due_at(&purge, 0, 0, &before_s));
    struct env env = env_at(DAY_US, 0);
    env.wall_us += 40 * DAY_US;
    assert_false(purge_due(&purge, &env, &before_s));
    env = env_at(2 * DAY_US - 1, 0);
    assert_false(purge_due(&purge, &env, &before_s));
    env.latest_us += 3600 * SECOND_US; // far behind
    env.boot_us++;
    assert_false(purge_due(&purge, &env, &before_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_noted_is_forgotten_a_day_later),
        cmocka_unit_test(H1_a_clock_that_stepped_decides_nothing),
        cmocka_unit_test(H1_a_clock_in_doubt_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
