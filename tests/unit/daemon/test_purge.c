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

static void H12_a_clock_that_stepped_decides_nothing(void **state)
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

static void H12_a_clock_in_doubt_decides_nothing(void **state)
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

// Ends a life at one time, and begins the next one at another.
static struct purge next_life(const struct purge *purge, struct env ended, struct env begun)
{
    char memory[PURGE_TEXT_MAX];
    struct buf text;
    struct purge next = {0};
    buf_init(&text, memory, sizeof memory);
    purge_write(purge, &ended, &text);
    purge_read(&next, &begun, buf_str(&text));
    return next;
}

static void a_server_that_is_restarted_often_gets_there_too(void **state)
{
    (void)state;
    struct purge purge = {0};
    int64_t before_s = 0;
    int64_t passed_us = 0;
    assert_false(due_at(&purge, 0, 0, &before_s));
    for (int life = 0; life < 24; life++) { // of an hour each, an hour apart
        passed_us += DAY_US / 24;
        assert_int_equal(due_at(&purge, passed_us, 0, &before_s), life == 23);
        struct env ended = env_at(passed_us, 0);
        passed_us += DAY_US / 24;
        purge = next_life(&purge, ended, env_at(passed_us, 0));
        assert_false(due_at(&purge, passed_us, 0, &before_s)); // what lay between is not counted
    }
    assert_int_equal(before_s, (NOW_US - DAY_US) / SECOND_US);
}

static void H12_a_note_from_the_future_is_none(void **state)
{
    (void)state;
    struct purge purge = {0};
    int64_t before_s = 0;
    // Noted while the clock was forty days ahead, which the next life finds right again.
    assert_false(due_at(&purge, 0, 40 * DAY_US, &before_s));
    purge = next_life(&purge, env_at(DAY_US / 2, 40 * DAY_US), env_at(DAY_US / 2, 0));
    assert_false(purge.noted);
    assert_false(due_at(&purge, DAY_US / 2, 0, &before_s));
    assert_false(due_at(&purge, DAY_US, 0, &before_s));
    assert_true(due_at(&purge, DAY_US + DAY_US / 2, 0, &before_s));
    assert_int_equal(before_s, (NOW_US - DAY_US / 2) / SECOND_US);
}

static void a_note_that_is_none_is_as_good_as_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "1", "1 2", "-1 2 3", "1 x 3", "1 99999999999 3"};
    struct env env = env_at(0, 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct purge purge = {0};
        purge_read(&purge, &env, str_from(texts[i]));
        assert_false(purge.noted);
    }
    struct purge purge = {0};
    char memory[PURGE_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    purge_write(&purge, &env, &text);
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_noted_is_forgotten_a_day_later),
        cmocka_unit_test(H12_a_clock_that_stepped_decides_nothing),
        cmocka_unit_test(H12_a_clock_in_doubt_decides_nothing),
        cmocka_unit_test(a_server_that_is_restarted_often_gets_there_too),
        cmocka_unit_test(H12_a_note_from_the_future_is_none),
        cmocka_unit_test(a_note_that_is_none_is_as_good_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
