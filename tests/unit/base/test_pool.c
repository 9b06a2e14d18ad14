// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fault.h"
#include "base/priority.h"
#include "base_test.h"

struct job {
    struct pool_job job;
    unsigned number;
};

static atomic_uint runs;
static atomic_uint late;
static unsigned order[64];
static int nices[64];

static void job_run(struct pool_job *job)
{
    stop_point("pool job");
    atomic_fetch_add(&late, job->late);
    unsigned at = atomic_fetch_add(&runs, 1);
    order[at % 64] = ((struct job *)job)->number;
    nices[order[at % 64] % 64] = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
    free(job);
}

static struct pool_job *job_make(unsigned number)
{
    struct job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->job.run = job_run;
    job->number = number;
    return &job->job;
}

static void submit(struct pool *pool, unsigned number)
{
    assert_int_equal(pool_submit(pool, job_make(number)), TWOLEG_NONE);
}

// Each of another owner, by another asker.
static struct pool_job *guess_make(unsigned number)
{
    struct pool_job *guess = job_make(number);
    guess->owner = 100 + number;
    guess->asker = 200 + number;
    return guess;
}

static void jobs_run_in_their_order_and_destroy_runs_the_rest(void **state)
{
    (void)state;
    struct pool *pool;
    atomic_store(&runs, 0);
    assert_int_equal(pool_create(1, 64, 0, &pool), TWOLEG_NONE);
    for (unsigned i = 0; i < 50; i++)
        submit(pool, i);
    pool_destroy(pool);
    assert_int_equal(atomic_load(&runs), 50);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(order[i], i);
}

static void wait_at_stop(void)
{
    while (!stop_waiting("pool job"))
        sched_yield();
}

// Of a queue of 16 one owner gets 4 places, and so does one asker; others still get theirs.
static void B1_no_owner_and_no_asker_takes_more_than_a_quarter(void **state)
{
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_create(1, 16, 0, &pool), TWOLEG_NONE);
    assert_true(stop_hold("pool job"));
    assert_int_equal(pool_submit(pool, guess_make(50)), TWOLEG_NONE);
    wait_at_stop();
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned i = 0; i < 5; i++) {
            struct pool_job *job = job_make(i);
            job->owner = kind == 0 ? 7 : 100 + i;
            job->asker = kind == 1 ? 7 : 100 + i;
            assert_int_equal(pool_submit(pool, job), i < 4 ? TWOLEG_NONE : TWOLEG_OVERLOADED);
            if (i == 4)
                free(job);
        }
    }
    struct pool_job *other = job_make(9);
    other->owner = 8;
    other->asker = 8;
    assert_int_equal(pool_submit(pool, other), TWOLEG_NONE);
    assert_true(stop_release("pool job"));
    pool_destroy(pool);
}

// However many guess, from wherever: who has proved who it is finds a place.
static void B1_guessers_do_not_fill_the_queue(void **state)
{
    (void)state;
    struct pool *pool;
    atomic_store(&runs, 0);
    assert_int_equal(pool_create(1, 16, 0, &pool), TWOLEG_NONE);
    assert_true(stop_hold("pool job"));
    assert_int_equal(pool_submit(pool, guess_make(0)), TWOLEG_NONE);
    wait_at_stop();
    for (unsigned i = 1; i <= 12; i++)
        assert_int_equal(pool_submit(pool, guess_make(i)), TWOLEG_NONE);
    struct pool_job *more = guess_make(13);
    assert_int_equal(pool_submit(pool, more), TWOLEG_OVERLOADED);
    for (unsigned i = 20; i < 23; i++)
        submit(pool, i);
    assert_true(stop_release("pool job"));
    pool_destroy(pool);
    free(more);
    assert_int_equal(atomic_load(&runs), 16);
}

// However many sign, all of their queue: who is to prove who it is finds a place.
static void B1_signers_leave_room_for_who_is_to_prove_it(void **state)
{
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_create(1, 16, 0, &pool), TWOLEG_NONE);
    assert_true(stop_hold("pool job"));
    submit(pool, 0);
    wait_at_stop();
    for (unsigned i = 0; i < 17; i++) {
        struct pool_job *job = job_make(1);
        job->owner = 1 + i / 4;
        assert_int_equal(pool_submit(pool, job), i < 16 ? TWOLEG_NONE : TWOLEG_OVERLOADED);
        if (i == 16)
            free(job);
    }
    struct pool_job *guess = guess_make(2);
    enum twoleg_error error = pool_submit(pool, guess);
    if (error)
        free(guess);
    assert_true(stop_release("pool job"));
    pool_destroy(pool);
    assert_int_equal(error, TWOLEG_NONE);
}

// Whose secret is guessed at has its share of the queue all the same.
static void B1_guesses_at_a_secret_take_no_place_of_its_owner(void **state)
{
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_create(1, 16, 0, &pool), TWOLEG_NONE);
    assert_true(stop_hold("pool job"));
    for (unsigned i = 0; i < 9; i++) {
        struct pool_job *job = i < 5 ? guess_make(i) : job_make(i);
        job->owner = 7;
        assert_int_equal(pool_submit(pool, job), TWOLEG_NONE);
        if (i == 0)
            wait_at_stop();
    }
    assert_true(stop_release("pool job"));
    pool_destroy(pool);
}

static atomic_uint proven_seen;

// A hash that takes its time: until all that was proved is done, or for so long that it never is.
static void guess_run(struct pool_job *job)
{
    int64_t end_us = env_mono() + 20 * SECOND_US;
    while (atomic_load(&runs) < 3 && env_mono() < end_us)
        sched_yield();
    atomic_fetch_add(&proven_seen, atomic_load(&runs) == 3);
    free(job);
}

// One guess at an imported hash may take more than a second, in which a signature is late.
static void B1_guessers_do_not_hold_up_who_has_proved_who_it_is(void **state)
{
    (void)state;
    struct pool *pool;
    atomic_store(&runs, 0);
    assert_int_equal(pool_create(1, 16, 0, &pool), TWOLEG_NONE);
    struct pool_job *guess = guess_make(0);
    guess->run = guess_run;
    assert_int_equal(pool_submit(pool, guess), TWOLEG_NONE);
    for (unsigned i = 20; i < 23; i++)
        submit(pool, i);
    pool_destroy(pool);
    assert_int_equal(atomic_load(&proven_seen), 1);
}

static void a_full_queue_refuses_at_once_and_the_job_stays_the_callers(void **state)
{
    (void)state;
    struct pool *pool;
    atomic_store(&runs, 0);
    assert_true(stop_hold("pool job"));
    assert_int_equal(pool_create(1, 2, 0, &pool), TWOLEG_NONE);
    submit(pool, 0);
    wait_at_stop(); // the thread has taken the first: the queue is empty again
    submit(pool, 1);
    submit(pool, 2);
    struct pool_job *third = job_make(3);
    assert_int_equal(pool_submit(pool, third), TWOLEG_OVERLOADED);
    assert_int_equal(pool_submit(pool, third), TWOLEG_OVERLOADED);
    assert_true(stop_release("pool job"));
    while (atomic_load(&runs) < 3)
        sched_yield();
    assert_int_equal(pool_submit(pool, third), TWOLEG_NONE);
    pool_destroy(pool);
    assert_int_equal(atomic_load(&runs), 4);
}

// One that is begun in time is done however long it takes; what waited behind it is only told.
static void A27_what_has_waited_too_long_is_not_begun(void **state)
{
    (void)state;
    struct pool *pool;
    int64_t wait_us = 60 * SECOND_US;
    atomic_store(&runs, 0);
    atomic_store(&late, 0);
    assert_true(stop_hold("pool job"));
    assert_int_equal(pool_create(1, 16, wait_us, &pool), TWOLEG_NONE);
    submit(pool, 0);
    wait_at_stop();
    for (unsigned i = 1; i < 4; i++) {
        struct pool_job *job = job_make(i);
        assert_int_equal(pool_submit(pool, job), TWOLEG_NONE);
        if (i < 3)
            job->queued_us -= 2 * wait_us; // as if it were then
    }
    assert_true(stop_release("pool job"));
    pool_destroy(pool);
    assert_int_equal(atomic_load(&runs), 4); // all are told
    assert_int_equal(atomic_load(&late), 2);
}

static int nice_of(int before, enum priority priority)
{
    return before + (int)priority > 19 ? 19 : before + (int)priority;
}

// Hashes take long and are for whoever asks; signatures are for who has proved who it is.
static void B1_guesses_stand_behind_those_who_have_proved_who_they_are(void **state)
{
    (void)state;
    struct pool *pool;
    int before = getpriority(PRIO_PROCESS, 0);
    assert_int_equal(pool_create(1, 16, 0, &pool), TWOLEG_NONE);
    submit(pool, 0);
    assert_int_equal(pool_submit(pool, guess_make(1)), TWOLEG_NONE);
    pool_destroy(pool);
    assert_int_equal(nices[0], nice_of(before, PRIORITY_FAR_BEHIND));
    assert_int_equal(nices[1], nice_of(before, PRIORITY_LAST));
}

static void several_threads_work_side_by_side(void **state)
{
    (void)state;
    struct pool *pool;
    atomic_store(&runs, 0);
    assert_int_equal(pool_create(1000, 64, 0, &pool), TWOLEG_NONE); // more than it will ever make
    for (unsigned i = 0; i < 60; i++)
        submit(pool, i);
    pool_destroy(pool);
    assert_int_equal(atomic_load(&runs), 60);
}

static void no_threads_are_no_pool_and_null_may_be_destroyed(void **state)
{
    (void)state;
    struct pool *pool = NULL;
    assert_int_equal(pool_create(0, 8, 0, &pool), TWOLEG_NO_MEMORY);
    assert_null(pool);
    pool_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_in_their_order_and_destroy_runs_the_rest),
        cmocka_unit_test(B1_no_owner_and_no_asker_takes_more_than_a_quarter),
        cmocka_unit_test(B1_guessers_do_not_fill_the_queue),
        cmocka_unit_test(B1_signers_leave_room_for_who_is_to_prove_it),
        cmocka_unit_test(B1_guesses_at_a_secret_take_no_place_of_its_owner),
        cmocka_unit_test(B1_guessers_do_not_hold_up_who_has_proved_who_it_is),
        cmocka_unit_test(a_full_queue_refuses_at_once_and_the_job_stays_the_callers),
        cmocka_unit_test(A27_what_has_waited_too_long_is_not_begun),
        cmocka_unit_test(B1_guesses_stand_behind_those_who_have_proved_who_they_are),
        cmocka_unit_test(several_threads_work_side_by_side),
        cmocka_unit_test(no_threads_are_no_pool_and_null_may_be_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
