// SPDX-License-Identifier: Apache-2.0
// Statistics of secrets: nothing is lost between a note and a flush, and no flush is too long.
#include "usage/usage.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct address peer = {.family = ADDRESS_V4, .bytes = {192, 0, 2, 1}, .port = 99};

struct flushed {
    uint64_t verbs, count;
};

// Flushes until nothing is left.
static struct flushed flush_all(struct usage *const *workers, size_t count)
{
    struct flushed all = {0, 0};
    for (;;) {
        struct store_batch *batch = store_batch_create(1);
        bool any = usage_flush(workers, count, batch);
        uint64_t verbs = 0;
        assert_false(batch->no_memory);
        for (const struct store_verb *verb = batch->verbs; verb; verb = verb->next, verbs++) {
            assert_int_equal(verb->kind, VERB_SECRET_USED);
            assert_true(verb->account == STORE_OPERATOR);
            assert_true(verb->used.application == verb->used.number / 10);
            all.count += verb->used.count;
        }
        assert_true(verbs <= 1000);
        assert_true(any == (verbs > 0));
        all.verbs += verbs;
        store_batch_destroy(batch);
        if (!any)
            return all;
    }
}

static void notes_of_one_secret_are_one_verb(void **state)
{
    (void)state;
    struct usage *usage = usage_create();
    struct store_batch *batch = store_batch_create(1);
    assert_false(usage_flush(&usage, 1, batch));
    usage_note(usage, 1, 10, peer, 500);
    usage_note(usage, 1, 10, peer, 700);
    usage_note(usage, 1, 10, peer, 600);
    assert_true(usage_flush(&usage, 1, batch));
    const struct store_verb *verb = batch->verbs;
    assert_non_null(verb);
    assert_null(verb->next);
    assert_int_equal(verb->used.application, 1);
    assert_int_equal(verb->used.number, 10);
    assert_int_equal(verb->used.count, 3);
    assert_int_equal(verb->used.used_us, 700);
    assert_true(str_equal(verb->used.address, STR("192.0.2.1")));
    store_batch_destroy(batch);
    assert_int_equal(flush_all(&usage, 1).count, 0);
    usage_destroy(usage);
}

static void several_workers_and_many_secrets_take_several_batches(void **state)
{
    (void)state;
    struct usage *workers[2] = {usage_create(), usage_create()};
    for (uint64_t secret = 1; secret <= 1200; secret++) {
        usage_note(workers[0], secret, secret * 10, peer, 1);
        usage_note(workers[1], secret, secret * 10, peer, 2);
    }
    // More comes while the first half is not written out yet.
    struct store_batch *batch = store_batch_create(1);
    assert_true(usage_flush(workers, 2, batch));
    usage_note(workers[0], 1, 10, peer, 3);
    store_batch_destroy(batch);
    struct flushed rest = flush_all(workers, 2);
    assert_int_equal(rest.verbs, 1401);
    assert_int_equal(flush_all(workers, 2).verbs, 0);
    usage_destroy(workers[0]);
    usage_destroy(workers[1]);
}

static void a_full_table_drops_newcomers_only(void **state)
{
    (void)state;
    struct usage *usage = usage_create();
    usage_note(usage, 1, 10, peer, 1);
    for (uint64_t secret = 2; secret <= 20000; secret++)
        usage_note(usage, secret, secret * 10, peer, 1);
    for (int i = 0; i < 100; i++)
        usage_note(usage, 1, 10, peer, 2);
    struct flushed all = flush_all(&usage, 1);
    assert_true(all.verbs > 3000 && all.verbs <= 4096);
    assert_int_equal(all.count, all.verbs + 100);
    usage_destroy(usage);
    usage_destroy(NULL);
}

#define NOTES 200000

struct noting {
    struct usage *usage;
    atomic_bool done;
};

static void *note_on(void *argument)
{
    struct noting *noting = argument;
    for (uint64_t i = 0; i < NOTES; i++)
        usage_note(noting->usage, 1 + i % 100, (1 + i % 100) * 10, peer, (int64_t)i);
    atomic_store(&noting->done, true);
    return NULL;
}

static void no_note_is_lost_or_counted_twice_across_threads(void **state)
{
    (void)state;
    struct noting noting = {.usage = usage_create()};
    pthread_t worker;
    uint64_t count = 0;
    assert_int_equal(pthread_create(&worker, NULL, note_on, &noting), 0);
    while (!atomic_load(&noting.done)) {
        struct store_batch *batch = store_batch_create(1);
        (void)usage_flush(&noting.usage, 1, batch);
        for (const struct store_verb *verb = batch->verbs; verb; verb = verb->next)
            count += verb->used.count;
        store_batch_destroy(batch);
    }
    pthread_join(worker, NULL);
    count += flush_all(&noting.usage, 1).count;
    assert_int_equal(count, NOTES);
    usage_destroy(noting.usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_of_one_secret_are_one_verb),
        cmocka_unit_test(several_workers_and_many_secrets_take_several_batches),
        cmocka_unit_test(a_full_table_drops_newcomers_only),
        cmocka_unit_test(no_note_is_lost_or_counted_twice_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
