// SPDX-License-Identifier: Apache-2.0
// The test hooks themselves: a fault that does not fire, or a stop that does not hold, would make
// other tests green for nothing.
#include "base/fault.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base_test.h"

static void the_nth_call_fails_and_no_other(void **state)
{
    (void)state;
    fault_arm(FAULT_IO, 3, false);
    for (int call = 1; call <= 6; call++)
        assert_int_equal(fault_here(FAULT_IO), call == 3);
    assert_int_equal(fault_count(FAULT_IO), 6);
    assert_false(fault_here(FAULT_STORE));
    fault_arm(FAULT_IO, 0, false);
    assert_int_equal(fault_count(FAULT_IO), 0);
    assert_false(fault_here(FAULT_IO));
    assert_int_equal(fault_count(FAULT_IO), 1);
}

static void a_sticky_fault_stays(void **state)
{
    (void)state;
    fault_arm(FAULT_MEMORY, 2, true);
    for (int call = 1; call <= 5; call++)
        assert_int_equal(fault_here(FAULT_MEMORY), call >= 2);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_false(fault_here(FAULT_MEMORY));
}

static atomic_uint arrived;

static void *thread_to_stop(void *point)
{
    stop_point(point);
    atomic_fetch_add(&arrived, 1);
    return NULL;
}

static pthread_t thread_at(const char *point)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, thread_to_stop, (void *)(uintptr_t)point), 0);
    return thread;
}

static void a_held_point_stops_whoever_arrives_until_released(void **state)
{
    (void)state;
    atomic_store(&arrived, 0);
    stop_point("here"); // not held: goes on
    assert_false(stop_waiting("here"));
    assert_true(stop_hold("here"));
    assert_true(stop_hold("here")); // again is no second hold
    pthread_t threads[2] = {thread_at("here"), thread_at("here")};
    while (!stop_waiting("here"))
        sched_yield();
    stop_point("elsewhere");
    assert_int_equal(atomic_load(&arrived), 0);
    assert_true(stop_release("here"));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&arrived), 2);
    assert_false(stop_waiting("here"));
    assert_false(stop_release("here"));
    stop_point("here");
}

static void whoever_was_let_go_is_not_held_again(void **state)
{
    (void)state;
    atomic_store(&arrived, 0);
    assert_true(stop_hold("again"));
    pthread_t first = thread_at("again");
    while (!stop_waiting("again"))
        sched_yield();
    assert_true(stop_release("again"));
    assert_true(stop_hold("again"));
    assert_false(stop_waiting("again")); // also before it has woken
    pthread_join(first, NULL);
    pthread_t second = thread_at("again");
    while (!stop_waiting("again"))
        sched_yield();
    assert_int_equal(atomic_load(&arrived), 1);
    assert_true(stop_release("again"));
    assert_true(stop_hold("another")); // which may take its place
    pthread_join(second, NULL);
    assert_true(stop_release("another"));
}

// A long run of tests uses more names than are held at once.
static void released_points_make_room_for_others(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "point %d", i);
        assert_true(stop_hold(name));
        assert_true(stop_release(name));
    }
    int held = 0;
    for (; held < 40; held++) {
        snprintf(name, sizeof name, "held %d", held);
        if (!stop_hold(name))
            break;
    }
    assert_in_range(held, 1, 39); // bounded, and said
    while (held-- > 0) {
        snprintf(name, sizeof name, "held %d", held);
        assert_true(stop_release(name));
    }
}

static void a_name_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    char name[100];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(stop_hold(name));
    assert_false(mutant_set(name));
    assert_false(mutant_drops(name));
}

static void a_mutant_drops_one_check_by_its_whole_name(void **state)
{
    (void)state;
    assert_false(mutant_drops("token_expired"));
    assert_true(mutant_set("token_expired"));
    assert_true(mutant_drops("token_expired"));
    assert_false(mutant_drops("token_expire"));
    assert_false(mutant_drops(""));
    assert_true(mutant_set("other"));
    assert_false(mutant_drops("token_expired"));
    assert_true(mutant_set(""));
    assert_false(mutant_drops("other"));
    assert_false(mutant_drops(""));
    assert_true(mutant_set(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_call_fails_and_no_other),
        cmocka_unit_test(a_sticky_fault_stays),
        cmocka_unit_test(a_held_point_stops_whoever_arrives_until_released),
        cmocka_unit_test(whoever_was_let_go_is_not_held_again),
        cmocka_unit_test(released_points_make_room_for_others),
        cmocka_unit_test(a_name_that_does_not_fit_is_refused),
        cmocka_unit_test(a_mutant_drops_one_check_by_its_whole_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
