// SPDX-License-Identifier: Apache-2.0
// What the store's tests share. They use store.h only, so that they run on every back end.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"
#include "store/store.h"

#define TEST_NOW ((int64_t)1700000000 * SECOND_US)
#define TEST_API ((uint64_t)7)

// What on_change told, in its order.
struct test_told {
    struct store_change changes[256];
    char client_ids[256][64];
    size_t count;
};

struct test_store {
    char folder[256];
    char reason[512];
    struct store *store;
    struct store_reader *reader;
    struct arena arena;
    struct test_told told;
};

static inline void test_on_change(void *context, const struct store_change *changes, size_t count)
{
    struct test_told *told = context;
    for (size_t i = 0; i < count && told->count < 256; i++) {
        told->changes[told->count] = changes[i];
        snprintf(told->client_ids[told->count], 64, "%.*s", STR_ARG(changes[i].client_id));
        told->count++;
    }
}

static inline enum twoleg_error test_try_open(struct test_store *test, bool create)
{
    struct store_settings settings = {.folder = test->folder,
                                      .create = create,
                                      .readers = 1,
                                      .queue_batches = 64,
                                      .queue_bytes = 4 * 1024 * 1024,
                                      .busy_ms = 50,
                                      .on_change = test_on_change,
                                      .on_change_context = &test->told};
    return store_open(&settings, &test->store, test->reason);
}

static inline void test_open(struct test_store *test)
{
    if (test_try_open(test, true))
        fail_msg("store_open: %s", test->reason);
    assert_int_equal(store_reader_create(test->store, &test->reader), TWOLEG_NONE);
}

static inline void test_close(struct test_store *test)
{
    store_reader_destroy(test->reader);
    store_close(test->store);
    test->reader = NULL;
    test->store = NULL;
}

// The temporary folders of the test that runs, until its end.
#define TEST_BASES 4
static char test_bases[TEST_BASES][200];
static size_t test_base_count;

static inline void test_remove_folders(void)
{
    while (test_base_count) {
        char command[220];
        snprintf(command, sizeof command, "rm -rf '%s'", test_bases[--test_base_count]);
        assert_int_equal(system(command), 0);
    }
}

static inline void test_folder(char folder[static 256], const char *tail)
{
    const char *parent = getenv("TMPDIR");
    assert_true(test_base_count < TEST_BASES);
    char *base = test_bases[test_base_count];
    if (!parent || !*parent) // a disk's fsync is not what these tests are about
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(base, sizeof test_bases[0], "%s/twoleg-store-XXXXXX", parent);
    if (!mkdtemp(base))
        fail_msg("mkdtemp");
    test_base_count++;
    snprintf(folder, 256, "%s/%s", base, tail);
}

// Leaves no descriptor to be had; gives the limit from before.
static inline struct rlimit test_descriptors_out(void)
{
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(STDIN_FILENO);
    assert_true(next >= 0);
    close(next);
    none = before;
    none.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(dup(STDIN_FILENO), -1);
    return before;
}

static inline int test_setup(void **state)
{
    struct test_store *test = calloc(1, sizeof *test);
    if (!test)
        return -1;
    arena_init(&test->arena, NULL, 64 * 1024 * 1024);
    test_folder(test->folder, "data");
    test_open(test);
    *state = test;
    return 0;
}

static inline int test_teardown(void **state)
{
    struct test_store *test = *state;
    fault_arm(FAULT_STORE, 0, false);
    fault_arm(FAULT_IO, 0, false);
    fault_arm(FAULT_MEMORY, 0, false);
    test_close(test);
    arena_finish(&test->arena);
    test_remove_folders();
    free(test);
    return 0;
}

#define WITH_STORE(name) cmocka_unit_test_setup_teardown(name, test_setup, test_teardown)

static inline struct store_batch *test_batch(void)
{
    struct store_batch *batch = store_batch_create(TEST_NOW);
    assert_non_null(batch);
    return batch;
}

// Commits and destroys.
static inline enum twoleg_error test_commit(struct test_store *test, struct store_batch *batch)
{
    enum twoleg_error error = store_commit(test->store, batch);
    store_batch_destroy(batch);
    return error;
}

static inline void test_add_api(struct store_batch *batch, const struct api *api)
{
    store_batch_add(batch, VERB_API_CREATE, STORE_OPERATOR)->api = api;
}

// The API that the others' scopes belong to: "groups" and "sms".
static inline void test_make_api(struct test_store *test)
{
    const struct api api = {.number = TEST_API, .account = ACCOUNT_DEFAULT,
                            .identifier = STR("https://api.example"), .name = STR("API"),
                            .algorithm = STR("ES256"), .scopes = STR("groups sms"),
                            .is_default = true};
    struct store_batch *batch = test_batch();
    test_add_api(batch, &api);
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
}

static inline struct secret test_secret(uint64_t number)
{
    struct secret secret = {.number = number, .scheme = SECRET_KEYED, .key = 3,
                            .label = STR("first"), .expires_us = TIME_NEVER};
    memset(secret.mac, (int)(number & 0xff), sizeof secret.mac);
    return secret;
}

#define TEST_GRANTS \
    (GRANTS_DEFAULT | GRANT_BIT(GRANT_PASSWORD) | GRANT_BIT(GRANT_REFRESH_TOKEN))

static inline enum twoleg_error test_make_application(struct test_store *test, uint64_t number,
                                                      const char *client_id)
{
    const struct application_api link = {TEST_API, true, false, STR("groups sms")};
    const struct secret secret = test_secret(number + 1000);
    const struct application application = {.number = number,
                                            .account = ACCOUNT_DEFAULT,
                                            .client_id = str_from(client_id),
                                            .name = STR("An application"),
                                            .state = {STATUS_ACTIVE, 5},
                                            .format = FORMAT_SEALED,
                                            .ttl_us = 3600 * SECOND_US,
                                            .grants = TEST_GRANTS,
                                            .apis = &link,
                                            .api_count = 1,
                                            .secrets = &secret,
                                            .secret_count = 1};
    struct store_batch *batch = test_batch();
    store_batch_add(batch, VERB_APPLICATION_CREATE, STORE_OPERATOR)->application = &application;
    return test_commit(test, batch);
}

// With the API and two applications of it.
static inline int test_setup_applications(void **state)
{
    int failed = test_setup(state);
    if (failed)
        return failed;
    test_make_api(*state);
    assert_int_equal(test_make_application(*state, 11, "a"), TWOLEG_NONE);
    assert_int_equal(test_make_application(*state, 12, "b"), TWOLEG_NONE);
    return 0;
}
#define WITH_APPLICATIONS(name) \
    cmocka_unit_test_setup_teardown(name, test_setup_applications, test_teardown)

static inline struct application *test_load(struct test_store *test, uint64_t number)
{
    struct application *application = NULL;
    enum twoleg_error error =
        store_application(test->reader, STORE_OPERATOR, number, &test->arena, &application);
    return error ? NULL : application;
}

static inline void test_assert_str(struct str is, const char *should)
{
    if (!str_equal(is, str_from(should)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(is), should);
}

static inline enum twoleg_error test_one(struct test_store *test, enum store_verb_kind kind,
                                         uint64_t account, const struct store_verb *like)
{
    struct store_batch *batch = test_batch();
    struct store_verb *verb = store_batch_add(batch, kind, account);
    struct store_verb *next = verb->next;
    *verb = *like;
    verb->next = next;
    verb->kind = kind;
    verb->account = account;
    return test_commit(test, batch);
}

// Of application 11, as if it were now_us: so many, whose ids are the numbers from first on.
static inline void test_revoke_many(struct test_store *test, uint32_t first, uint32_t count,
                                    int64_t now_us, int64_t expires_s)
{
    for (uint32_t done = first; done < first + count;) {
        struct store_batch *batch = store_batch_create(now_us);
        assert_non_null(batch);
        for (int i = 0; i < 10000 && done < first + count; i++, done++) {
            struct store_verb *verb = store_batch_add(batch, VERB_TOKEN_REVOKE, STORE_OPERATOR);
            verb->revoke.application = 11;
            verb->revoke.expires_s = expires_s;
            memcpy(verb->revoke.id.bytes, &done, sizeof done);
        }
        assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
    }
}

static inline struct store_purged test_purge_slice(struct test_store *test,
                                                   enum store_verb_kind kind, int64_t before_s)
{
    struct store_batch *batch = test_batch();
    store_batch_add(batch, kind, STORE_OPERATOR)->before_s = before_s;
    assert_int_equal(store_commit(test->store, batch), TWOLEG_NONE);
    struct store_purged purged = batch->purged;
    store_batch_destroy(batch);
    return purged;
}
