// SPDX-License-Identifier: Apache-2.0
// A registry on a real store, and jobs that end in the test instead of in a worker's loop.
#pragma once
#include "store/store_test.h"

#include <pthread.h>
#include <sched.h>

#include "registry/registry.h"

struct test_job {
    struct http_job job;
    bool done;
};

static pthread_mutex_t test_job_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t test_job_moved = PTHREAD_COND_INITIALIZER;

// In the place of http/job.c: there is no worker to be told.
void http_job_done(struct http_job *job)
{
    pthread_mutex_lock(&test_job_lock);
    ((struct test_job *)job)->done = true;
    pthread_cond_broadcast(&test_job_moved);
    pthread_mutex_unlock(&test_job_lock);
}

static inline enum twoleg_error test_job_wait(struct test_job *job)
{
    pthread_mutex_lock(&test_job_lock);
    while (!job->done)
        pthread_cond_wait(&test_job_moved, &test_job_lock);
    pthread_mutex_unlock(&test_job_lock);
    return job->job.result;
}

static inline void test_wait_at(const char *point)
{
    while (!stop_waiting(point))
        sched_yield();
}

struct test_registry {
    struct test_store *test;
    struct epoch epoch;
    struct registry *registry;
};

static inline void registry_open(struct test_registry *on, size_t bodies_max)
{
    struct registry_settings settings = {on->test->store, &on->epoch, bodies_max};
    assert_int_equal(registry_create(&settings, &on->registry), TWOLEG_NONE);
    store_set_on_change(on->test->store, registry_on_change, on->registry);
}

static inline void registry_close(struct test_registry *on)
{
    store_set_on_change(on->test->store, NULL, NULL);
    registry_destroy(on->registry);
    on->registry = NULL;
}

static inline int registry_setup(void **state)
{
    struct test_registry *on = calloc(1, sizeof *on);
    void *test;
    if (!on || test_setup(&test))
        return -1;
    on->test = test;
    epoch_init(&on->epoch);
    test_make_api(on->test);
    registry_open(on, 100);
    *state = on;
    return 0;
}

static inline int registry_teardown(void **state)
{
    struct test_registry *on = *state;
    registry_close(on);
    epoch_finish(&on->epoch);
    void *test = on->test;
    int failed = test_teardown(&test);
    free(on);
    return failed;
}

// Loads and waits.
static inline enum twoleg_error registry_test_load(struct test_registry *on, uint64_t number)
{
    struct test_job job = {.done = false};
    enum twoleg_error error = registry_load(on->registry, number, &job.job);
    return error ? error : test_job_wait(&job);
}

static inline struct registry_view registry_test_view(struct test_registry *on, uint64_t number)
{
    struct registry_view view;
    enum twoleg_error error = registry_application(on->registry, number, &view);
    if (error == TWOLEG_WAIT && registry_test_load(on, number) == TWOLEG_NONE)
        error = registry_application(on->registry, number, &view);
    assert_int_equal(error, TWOLEG_NONE);
    return view;
}

static inline enum twoleg_error registry_test_rename(struct test_store *test, uint64_t number,
                                                     const char *name)
{
    struct store_verb verb = {0};
    verb.update.number = number;
    verb.update.fields = FIELD_NAME;
    verb.update.name = str_from(name);
    return test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb);
}

static inline enum twoleg_error registry_test_delete(struct test_store *test, uint64_t number)
{
    struct store_verb verb = {.number = number};
    return test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb);
}
