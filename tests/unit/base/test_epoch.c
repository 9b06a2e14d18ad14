// SPDX-License-Identifier: Apache-2.0
#include "base/epoch.h"

#include <pthread.h>
#include <sched.h>

#include "base/fault.h"
#include "base_test.h"

static _Atomic int destroyed;

static struct epoch_note *object_new(void)
{
    return calloc(1, sizeof(struct epoch_note));
}

static void destroy(void *object)
{
    atomic_fetch_add(&destroyed, 1);
    free(object);
}

static void what_a_reader_may_hold_stays(void **state)
{
    (void)state;
    struct epoch epoch;
    unsigned reader;
    epoch_init(&epoch);
    atomic_store(&destroyed, 0);
    assert_true(epoch_register(&epoch, &reader));
    epoch_enter(&epoch, reader);
    epoch_retire(&epoch, object_new(), destroy);
    epoch_collect(&epoch);
    assert_int_equal(destroyed, 0);
    epoch_enter(&epoch, reader);
    epoch_collect(&epoch);
    assert_int_equal(destroyed, 1);
    epoch_retire(&epoch, object_new(), destroy);
    epoch_leave(&epoch, reader);
    epoch_collect(&epoch);
    assert_int_equal(destroyed, 2);
    epoch_finish(&epoch);
}

static void the_slowest_reader_counts(void **state)
{
    (void)state;
    struct epoch epoch;
    unsigned slow;
    unsigned quick;
    epoch_init(&epoch);
    atomic_store(&destroyed, 0);
    assert_true(epoch_register(&epoch, &slow));
    assert_true(epoch_register(&epoch, &quick));
    epoch_enter(&epoch, slow);
    epoch_enter(&epoch, quick);
    epoch_retire(&epoch, object_new(), destroy);
    epoch_enter(&epoch, quick);
    epoch_collect(&epoch);
    assert_int_equal(destroyed, 0);
    // One that came later: the slow reader may not hold it, but its list place is freed in order.
    epoch_enter(&epoch, slow);
    epoch_retire(&epoch, object_new(), destroy);
    epoch_collect(&epoch);
    assert_int_equal(destroyed, 1);
    epoch_finish(&epoch);
    assert_int_equal(destroyed, 2);
}

static void retiring_frees_on_the_way(void **state)
{
    (void)state;
    struct epoch epoch;
    epoch_init(&epoch);
    atomic_store(&destroyed, 0);
    for (int i = 0; i < 1000; i++)
        epoch_retire(&epoch, object_new(), destroy);
    assert_true(destroyed > 900);
    epoch_retire(&epoch, NULL, destroy);
    epoch_finish(&epoch);
    assert_int_equal(destroyed, 1000);
}

static void readers_are_bounded(void **state)
{
    (void)state;
    struct epoch epoch;
    unsigned reader;
    epoch_init(&epoch);
    for (unsigned i = 0; i < EPOCH_READERS; i++)
        assert_true(epoch_register(&epoch, &reader));
    assert_false(epoch_register(&epoch, &reader));
    epoch_collect(&epoch);
    epoch_finish(&epoch);
}

static void H6_without_memory_nothing_is_lost(void **state)
{
    (void)state;
    struct epoch epoch;
    unsigned reader;
    epoch_init(&epoch);
    atomic_store(&destroyed, 0);
    assert_true(epoch_register(&epoch, &reader));
    epoch_enter(&epoch, reader);
    struct epoch_note *object = object_new();
    fault_arm(FAULT_MEMORY, 1, true);
    epoch_retire(&epoch, object, destroy);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_int_equal(destroyed, 0);
    epoch_leave(&epoch, reader);
    epoch_collect(&epoch);
    assert_int_equal(destroyed, 1);
    epoch_finish(&epoch);
}

struct object {
    struct epoch_note note;
    int value;
};

struct shared {
    struct epoch epoch;
    _Atomic(struct object *) object;
    atomic_bool stop;
};

#define POISON 0x5eed

static void destroy_poisoned(void *object)
{
    ((struct object *)object)->value = POISON;
    free(object);
}

static void *read_on(void *argument)
{
    struct shared *shared = argument;
    unsigned reader;
    unsigned long wrong = 0;
    if (!epoch_register(&shared->epoch, &reader))
        return (void *)1;
    epoch_enter(&shared->epoch, reader);
    for (unsigned i = 0; !atomic_load(&shared->stop); i++) {
        const struct object *object =
            atomic_load_explicit(&shared->object, memory_order_acquire);
        wrong += object->value == POISON;
        if (i % 64 == 0)
            epoch_leave(&shared->epoch, reader);
        epoch_enter(&shared->epoch, reader);
    }
    epoch_leave(&shared->epoch, reader);
    return (void *)wrong;
}

static void *replace(void *argument)
{
    struct shared *shared = argument;
    for (int i = 0; i < 20000; i++) {
        struct object *fresh = calloc(1, sizeof *fresh);
        fresh->value = i % 1000;
        struct object *old = atomic_exchange(&shared->object, fresh);
        epoch_retire(&shared->epoch, &old->note, destroy_poisoned);
        if (i % 256 == 0)
            sched_yield();
    }
    return NULL;
}

static void two_writers_and_two_readers(void **state)
{
    (void)state;
    struct shared shared = {.stop = false};
    pthread_t readers[2];
    pthread_t writers[2];
    epoch_init(&shared.epoch);
    atomic_store(&shared.object, calloc(1, sizeof(struct object)));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &shared), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, replace, &shared), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&shared.stop, true);
    for (int i = 0; i < 2; i++) {
        void *wrong;
        pthread_join(readers[i], &wrong);
        assert_null(wrong);
    }
    free(atomic_load(&shared.object));
    epoch_finish(&shared.epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_reader_may_hold_stays),
        cmocka_unit_test(the_slowest_reader_counts),
        cmocka_unit_test(retiring_frees_on_the_way),
        cmocka_unit_test(readers_are_bounded),
        cmocka_unit_test(H6_without_memory_nothing_is_lost),
        cmocka_unit_test(two_writers_and_two_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
