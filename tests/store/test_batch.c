// SPDX-License-Identifier: Apache-2.0
// Batches: all or nothing, in groups, in order, published before they are answered.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "store_test.h"

struct answer {
    struct test_store *test;
    atomic_bool done;
    size_t told; // changes that had been told when the answer came
    enum twoleg_error result;
};

static void answered(struct store_batch *batch)
{
    struct answer *answer = batch->context;
    answer->told = answer->test->told.count;
    answer->result = batch->result;
    atomic_store(&answer->done, true);
}

static void wait_for(struct answer *answer)
{
    while (!atomic_load(&answer->done))
        sched_yield();
}

static void wait_at(const char *point)
{
    while (!stop_waiting(point))
        sched_yield();
}

static struct store_batch *setting_batch(struct answer *answer, enum store_verb_kind kind,
                                         const char *name, const char *value)
{
    struct store_batch *batch = test_batch();
    batch->done = answered;
    batch->context = answer;
    struct store_verb *verb = store_batch_add(batch, kind, STORE_OPERATOR);
    verb->setting.name = store_batch_copy(batch, str_from(name));
    verb->setting.value = store_batch_copy(batch, str_from(value));
    return batch;
}

static void assert_setting(struct test_store *test, const char *name, const char *value)
{
    struct str is;
    enum twoleg_error error = store_setting(test->reader, str_from(name), &test->arena, &is);
    assert_int_equal(error, value ? TWOLEG_NONE : TWOLEG_NOT_FOUND);
    if (value)
        test_assert_str(is, value);
}

static void refused_batch_changes_nothing(void **state)
{
    struct test_store *test = *state;
    struct answer answer = {.test = test};
    struct store_batch *batch = setting_batch(&answer, VERB_SETTING_SET, "a", "1");
    struct store_verb *audit = store_batch_add(batch, VERB_AUDIT, STORE_OPERATOR);
    audit->audit.action = STR("x");
    struct store_verb *bad = store_batch_add(batch, VERB_APPLICATION_DELETE, STORE_OPERATOR);
    bad->number = 4711;
    assert_int_equal(store_commit(test->store, batch), TWOLEG_NOT_FOUND);
    assert_ptr_equal(batch->refused, bad);
    assert_int_equal(batch->sequence, 0);
    assert_false(atomic_load(&answer.done)); // store_commit answers by itself
    assert_ptr_equal(batch->context, &answer);
    store_batch_destroy(batch);
    assert_setting(test, "a", NULL);
    assert_int_equal(test->told.count, 0);
    assert_int_equal(store_sequence(test->reader), 0);
    struct store_cursor *cursor;
    struct store_audit row;
    assert_int_equal(store_audit_begin(test->reader, 0, 10, &cursor), TWOLEG_NONE);
    assert_false(store_audit_next(cursor, &row));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

// The first batch holds the writer; the others gather and go into one commit.
static void a_refused_batch_in_a_group_leaves_the_others(void **state)
{
    struct test_store *test = *state;
    struct answer answers[4];
    struct store_batch *batches[4];
    static const char *const names[] = {"first", "same", "same", "last"};
    assert_true(stop_hold("store.before_commit"));
    for (int i = 0; i < 4; i++) {
        answers[i] = (struct answer){.test = test};
        batches[i] = setting_batch(&answers[i], VERB_SETTING_CREATE, names[i], i == 2 ? "2" : "1");
        assert_int_equal(store_submit(test->store, batches[i]), TWOLEG_NONE);
        if (i == 0)
            wait_at("store.before_commit");
    }
    assert_false(atomic_load(&answers[0].done));
    assert_true(stop_release("store.before_commit"));
    for (int i = 0; i < 4; i++)
        wait_for(&answers[i]);
    static const enum twoleg_error results[] = {TWOLEG_NONE, TWOLEG_NONE, TWOLEG_CONFLICT,
                                                TWOLEG_NONE};
    for (int i = 0; i < 4; i++)
        assert_int_equal(answers[i].result, results[i]);
    assert_int_equal(answers[0].told, 1);
    for (int i = 1; i < 4; i++)
        assert_int_equal(answers[i].told, 3); // the whole group was told before any answer
    assert_int_equal(batches[3]->sequence, 3); // the refused one left no gap
    assert_setting(test, "same", "1");
    for (int i = 0; i < 4; i++)
        store_batch_destroy(batches[i]);
}

static void nothing_is_visible_before_the_commit_nor_answered_before_it_is_told(void **state)
{
    struct test_store *test = *state;
    struct answer answer = {.test = test};
    struct store_batch *batch = setting_batch(&answer, VERB_SETTING_SET, "a", "1");
    assert_true(stop_hold("store.before_commit"));
    assert_true(stop_hold("store.before_publish"));
    assert_int_equal(store_submit(test->store, batch), TWOLEG_NONE);
    wait_at("store.before_commit");
    assert_setting(test, "a", NULL);
    assert_true(stop_release("store.before_commit"));
    wait_at("store.before_publish");
    assert_setting(test, "a", "1");
    assert_int_equal(test->told.count, 0);
    assert_false(atomic_load(&answer.done));
    assert_true(stop_release("store.before_publish"));
    wait_for(&answer);
    assert_int_equal(answer.told, 1);
    store_batch_destroy(batch);
}

#define WRITERS 4
#define PER_WRITER 40

struct many {
    struct test_store *test;
    int id;
    int failed;
};

static void *many_main(void *argument)
{
    struct many *many = argument;
    for (int i = 0; i < PER_WRITER; i++) {
        struct store_batch *batch = store_batch_create(TEST_NOW);
        char name[32];
        snprintf(name, sizeof name, "s%d.%d", many->id, i);
        struct store_verb *verb = store_batch_add(batch, VERB_SETTING_CREATE, STORE_OPERATOR);
        verb->setting.name = str_from(name);
        verb->setting.value = STR("x");
        many->failed += store_commit(many->test->store, batch) != TWOLEG_NONE;
        store_batch_destroy(batch);
    }
    return NULL;
}

static void many_threads_commit_in_sequence(void **state)
{
    struct test_store *test = *state;
    pthread_t threads[WRITERS];
    struct many many[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        many[i] = (struct many){test, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, many_main, &many[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(many[i].failed, 0);
    }
    assert_int_equal(test->told.count, WRITERS * PER_WRITER);
    for (size_t i = 0; i < test->told.count; i++)
        assert_int_equal(test->told.changes[i].sequence, i + 1);
    assert_int_equal(store_sequence(test->reader), WRITERS * PER_WRITER);
}

// Submits until the queue is full, while the first is held before its commit; gives how many were
// taken. All of them are answered all the same.
static size_t queue_fill(struct test_store *test, const char *first, const char *others)
{
    static struct answer answers[80];
    struct store_batch *batches[80];
    size_t taken = 0;
    assert_true(stop_hold("store.before_commit"));
    for (size_t i = 0; i < 80; i++) {
        answers[i] = (struct answer){.test = test};
        batches[i] = setting_batch(&answers[i], VERB_SETTING_SET, "a", i ? others : first);
        enum twoleg_error error = store_submit(test->store, batches[i]);
        if (error) {
            assert_int_equal(error, TWOLEG_STORE_BUSY);
            store_batch_destroy(batches[i]);
            break;
        }
        taken++;
        if (i == 0)
            wait_at("store.before_commit");
    }
    assert_true(stop_release("store.before_commit"));
    for (size_t i = 0; i < taken; i++) {
        wait_for(&answers[i]);
        assert_int_equal(answers[i].result, TWOLEG_NONE);
        store_batch_destroy(batches[i]);
    }
    return taken;
}

static void full_queue_refuses(void **state)
{
    assert_int_equal(queue_fill(*state, "1", "1"), 65); // the first, and 64 in the queue
}

static void bytes_are_bounded_too(void **state)
{
    static char big[1024 * 1024];
    memset(big, 'x', sizeof big - 1);
    // The first, and three of a little over 1 MiB out of 4 MiB.
    assert_int_equal(queue_fill(*state, "small", big), 4);
}

static void what_waited_too_long_is_refused(void **state)
{
    struct test_store *test = *state;
    test_close(test);
    struct store_settings settings = {.folder = test->folder, .queue_batches = 8,
                                      .queue_bytes = 1024 * 1024, .queue_ms = 1};
    assert_int_equal(store_open(&settings, &test->store, test->reason), TWOLEG_NONE);
    assert_int_equal(store_reader_create(test->store, &test->reader), TWOLEG_NONE);
    struct answer first = {.test = test};
    struct answer second = {.test = test};
    struct store_batch *one = setting_batch(&first, VERB_SETTING_SET, "a", "1");
    struct store_batch *two = setting_batch(&second, VERB_SETTING_SET, "b", "1");
    assert_true(stop_hold("store.before_commit"));
    enum twoleg_error error;
    do { // this one itself may have waited a millisecond on a busy machine
        atomic_store(&first.done, false);
        assert_int_equal(store_submit(test->store, one), TWOLEG_NONE);
        while (!atomic_load(&first.done) && !stop_waiting("store.before_commit"))
            sched_yield();
        error = atomic_load(&first.done) ? first.result : TWOLEG_NONE;
    } while (error == TWOLEG_STORE_BUSY);
    assert_int_equal(store_submit(test->store, two), TWOLEG_NONE);
    struct timespec start;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < 2000000);
    assert_true(stop_release("store.before_commit"));
    wait_for(&first);
    wait_for(&second);
    assert_int_equal(first.result, TWOLEG_NONE);
    assert_int_equal(second.result, TWOLEG_STORE_BUSY);
    assert_setting(test, "b", NULL);
    store_batch_destroy(one);
    store_batch_destroy(two);
}

static void batch_without_memory_is_refused(void **state)
{
    struct test_store *test = *state;
    struct store_batch *batch = test_batch();
    fault_arm(FAULT_MEMORY, 1, true);
    struct store_verb *spare = store_batch_add(batch, VERB_SETTING_SET, STORE_OPERATOR);
    assert_non_null(spare);
    spare->setting.name = store_batch_copy(batch, STR("x"));
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(batch->no_memory);
    assert_int_equal(store_submit(test->store, batch), TWOLEG_NO_MEMORY);
    store_batch_destroy(batch);
    fault_arm(FAULT_MEMORY, 1, false);
    assert_null(store_batch_create(TEST_NOW));
}

static void unknown_verb_is_refused(void **state)
{
    struct test_store *test = *state;
    struct store_batch *batch = test_batch();
    store_batch_add(batch, (enum store_verb_kind)999, STORE_OPERATOR);
    assert_int_equal(test_commit(test, batch), TWOLEG_RANGE);
    assert_int_equal(test_commit(test, test_batch()), TWOLEG_NONE); // an empty one is nothing
}

static void failed_commit_is_never_acknowledged(void **state)
{
    struct test_store *test = *state;
    struct answer answers[2] = {{.test = test}, {.test = test}};
    struct store_batch *first = setting_batch(&answers[0], VERB_SETTING_SET, "a", "1");
    struct store_batch *second = setting_batch(&answers[1], VERB_SETTING_SET, "b", "1");
    assert_true(stop_hold("store.before_commit"));
    assert_int_equal(store_submit(test->store, first), TWOLEG_NONE);
    wait_at("store.before_commit");
    assert_int_equal(store_submit(test->store, second), TWOLEG_NONE);
    fault_arm(FAULT_STORE, 1, false); // the commit itself: as if fsync had failed
    assert_true(stop_release("store.before_commit"));
    wait_for(&answers[0]);
    wait_for(&answers[1]);
    assert_int_equal(answers[0].result, TWOLEG_STORE_FAILED);
    assert_int_equal(answers[1].result, TWOLEG_STORE_STOPPED);
    assert_true(store_stopped(test->store));
    assert_int_equal(test->told.count, 0);
    assert_int_equal(store_submit(test->store, first), TWOLEG_STORE_STOPPED);
    assert_setting(test, "a", NULL); // reads go on
    store_batch_destroy(first);
    store_batch_destroy(second);
    test_close(test);
    test_open(test); // only a new start looks at what is really there
    assert_false(store_stopped(test->store));
    struct store_verb verb = {.setting = {STR("a"), STR("2")}};
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static void failure_within_a_round_fails_it_all_and_passes(void **state)
{
    struct test_store *test = *state;
    fault_arm(FAULT_STORE, 5, false); // behind BEGIN, before the commit
    struct store_verb verb = {.setting = {STR("a"), STR("1")}};
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_STORE_FAILED);
    assert_false(store_stopped(test->store));
    assert_setting(test, "a", NULL);
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_setting(test, "a", "1");
    assert_int_equal(test->told.count, 1);
}

struct reading {
    struct store_read read;
    struct str value;
    struct arena arena;
    enum twoleg_error error;
    atomic_bool done;
};

static void reading_run(struct store_read *read, struct store_reader *reader)
{
    struct reading *reading = (struct reading *)read;
    reading->error = store_setting(reader, STR("a"), &reading->arena, &reading->value);
}

static void reading_done(struct store_read *read)
{
    atomic_store(&((struct reading *)read)->done, true);
}

static void set_up_setting(struct test_store *test)
{
    struct store_verb verb = {.setting = {STR("a"), STR("1")}};
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static void reads_run_on_reader_threads(void **state)
{
    struct test_store *test = *state;
    set_up_setting(test);
    struct reading readings[20];
    for (size_t i = 0; i < 20; i++) {
        readings[i] = (struct reading){.read = {.run = reading_run, .done = reading_done}};
        arena_init(&readings[i].arena, NULL, 8192);
        assert_int_equal(store_read(test->store, &readings[i].read), TWOLEG_NONE);
    }
    for (size_t i = 0; i < 20; i++) {
        while (!atomic_load(&readings[i].done))
            sched_yield();
        assert_int_equal(readings[i].error, TWOLEG_NONE);
        test_assert_str(readings[i].value, "1");
        arena_finish(&readings[i].arena);
    }
}

static void held_run(struct store_read *read, struct store_reader *reader)
{
    stop_point("test.read");
    reading_run(read, reader);
}

static void reading_start(struct test_store *test, struct reading *reading, enum store_lane lane)
{
    void (*run)(struct store_read *, struct store_reader *) = reading->read.run;
    *reading = (struct reading){.read = {.run = run, .done = reading_done, .lane = lane}};
    arena_init(&reading->arena, NULL, 8192);
    assert_int_equal(store_read(test->store, &reading->read), TWOLEG_NONE);
}

static void reading_end(struct reading *reading)
{
    while (!atomic_load(&reading->done))
        sched_yield();
    arena_finish(&reading->arena);
}

static void H8_a_slow_read_holds_up_no_other(void **state)
{
    struct test_store *test = *state;
    struct reading slow = {.read.run = held_run};
    struct reading quick = {.read.run = reading_run};
    set_up_setting(test);
    assert_true(stop_hold("test.read"));
    struct reading key = {.read.run = reading_run};
    reading_start(test, &slow, LANE_COPY);
    while (!stop_waiting("test.read"))
        sched_yield();
    reading_start(test, &quick, LANE_SHORT);
    reading_end(&quick);
    assert_int_equal(quick.error, TWOLEG_NONE);
    // A key that must go at once does not wait for a backup either.
    reading_start(test, &key, LANE_SLOW);
    reading_end(&key);
    assert_int_equal(key.error, TWOLEG_NONE);
    assert_false(atomic_load(&slow.done));
    assert_true(stop_release("test.read"));
    reading_end(&slow);
    assert_int_equal(slow.error, TWOLEG_NONE);
}

static void H8_a_read_that_waits_too_long_is_refused(void **state)
{
    struct test_store *test = *state;
    struct reading first = {.read.run = held_run};
    struct reading second = {.read.run = reading_run};
    set_up_setting(test);
    test_close(test);
    struct store_settings settings = {.folder = test->folder, .queue_batches = 8,
                                      .queue_bytes = 1024 * 1024, .queue_ms = 200};
    assert_int_equal(store_open(&settings, &test->store, test->reason), TWOLEG_NONE);
    assert_true(stop_hold("test.read"));
    reading_start(test, &first, LANE_SHORT);
    while (!stop_waiting("test.read"))
        sched_yield();
    reading_start(test, &second, LANE_SHORT);
    store_give_up(test->store); // not yet
    const struct timespec pause = {.tv_nsec = 210 * 1000 * 1000};
    nanosleep(&pause, NULL);
    store_give_up(test->store);
    assert_true(atomic_load(&second.done)); // although the thread still hangs
    reading_end(&second);
    assert_int_equal(second.read.result, TWOLEG_STORE_BUSY);
    assert_true(stop_release("test.read"));
    reading_end(&first);
    assert_int_equal(first.read.result, TWOLEG_NONE);
    assert_int_equal(first.error, TWOLEG_NONE);
}

static void close_writes_what_is_queued(void **state)
{
    struct test_store *test = *state;
    struct answer answer = {.test = test};
    struct store_batch *batch = setting_batch(&answer, VERB_SETTING_SET, "a", "1");
    assert_int_equal(store_submit(test->store, batch), TWOLEG_NONE);
    test_close(test);
    assert_true(atomic_load(&answer.done));
    assert_int_equal(answer.result, TWOLEG_NONE);
    store_batch_destroy(batch);
    test_open(test);
    assert_setting(test, "a", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(refused_batch_changes_nothing),
        WITH_STORE(a_refused_batch_in_a_group_leaves_the_others),
        WITH_STORE(nothing_is_visible_before_the_commit_nor_answered_before_it_is_told),
        WITH_STORE(many_threads_commit_in_sequence),
        WITH_STORE(full_queue_refuses),
        WITH_STORE(bytes_are_bounded_too),
        WITH_STORE(what_waited_too_long_is_refused),
        WITH_STORE(batch_without_memory_is_refused),
        WITH_STORE(unknown_verb_is_refused),
        WITH_STORE(failed_commit_is_never_acknowledged),
        WITH_STORE(failure_within_a_round_fails_it_all_and_passes),
        WITH_STORE(reads_run_on_reader_threads),
        WITH_STORE(H8_a_slow_read_holds_up_no_other),
        WITH_STORE(H8_a_read_that_waits_too_long_is_refused),
        WITH_STORE(close_writes_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
