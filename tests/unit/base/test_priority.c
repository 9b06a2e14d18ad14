// SPDX-License-Identifier: Apache-2.0
#include "base/priority.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base_test.h"

// As the system call fills it; the kernel's header and libc's exclude each other.
struct sched_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static int nice_of_thread(void)
{
    return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}

static void *lowered(void *context)
{
    int *nice = context;
    priority_lower(PRIORITY_FAR_BEHIND);
    *nice = nice_of_thread();
    return NULL;
}

static void a_thread_steps_back_alone(void **state)
{
    pthread_t thread;
    int before = nice_of_thread();
    int found = -1;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, lowered, &found), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    // By so much, wherever the process stands.
    assert_int_equal(found, before + PRIORITY_FAR_BEHIND > 19 ? 19 : before + PRIORITY_FAR_BEHIND);
    assert_int_equal(nice_of_thread(), before);
}

static void *prompted(void *context)
{
    struct sched_attributes *attr = context;
    priority_prompt();
    (void)syscall(SYS_sched_getattr, 0, attr, sizeof *attr, 0);
    return NULL;
}

// Kernels before 6.12 report no slice.
static void a_prompt_thread_keeps_its_weight(void **state)
{
    pthread_t thread;
    struct sched_attributes attr = {.nice = -100};
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, prompted, &attr), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(attr.nice, nice_of_thread());
    assert_int_equal(attr.policy, 0);
    assert_true(attr.runtime == 0 || attr.runtime == 100 * 1000);
}

static void *prompted_in_a_batch(void *context)
{
    const struct sched_param none = {.sched_priority = 0};
    return sched_setscheduler(0, SCHED_BATCH, &none) ? NULL : prompted(context);
}

// Whoever started it with another policy, by chrt or CPUSchedulingPolicy=, has had a reason.
static void a_prompt_thread_keeps_its_policy(void **state)
{
    pthread_t thread;
    struct sched_attributes attr = {.policy = 100};
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, prompted_in_a_batch, &attr), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(attr.policy, SCHED_BATCH);
    assert_int_equal(attr.nice, nice_of_thread());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_steps_back_alone),
        cmocka_unit_test(a_prompt_thread_keeps_its_weight),
        cmocka_unit_test(a_prompt_thread_keeps_its_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
