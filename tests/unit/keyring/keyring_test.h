// SPDX-License-Identifier: Apache-2.0
// A keyring over a real store.
#pragma once
#include "store/store_test.h"

#include "keyring/keyring.h"

struct test_keyring {
    struct test_store *test;
    struct epoch epoch;
    struct env env;
    struct keyring *keyring;
    char reason[512];
    char notice[512];
    char master[300];
};

static inline enum twoleg_error keyring_try(struct test_keyring *on, const char *file)
{
    struct keyring_settings settings = {.store = on->test->store,
                                        .epoch = &on->epoch,
                                        .folder = on->test->folder,
                                        .master_key_file = file,
                                        .env = &on->env};
    enum twoleg_error error = keyring_create(&settings, &on->keyring, on->reason, on->notice);
    if (!error)
        store_set_on_change(on->test->store, keyring_on_change, on->keyring);
    return error;
}

static inline void keyring_close(struct test_keyring *on)
{
    store_set_on_change(on->test->store, NULL, NULL);
    keyring_destroy(on->keyring);
    on->keyring = NULL;
}

static inline void keyring_open(struct test_keyring *on)
{
    if (keyring_try(on, NULL))
        fail_msg("keyring_create: %s", on->reason);
}

static inline int keyring_setup(void **state)
{
    struct test_keyring *on = calloc(1, sizeof *on);
    void *test;
    if (!on || test_setup(&test))
        return -1;
    unsetenv("CREDENTIALS_DIRECTORY");
    on->test = test;
    epoch_init(&on->epoch);
    env_init(&on->env);
    snprintf(on->master, sizeof on->master, "%s/master.key", on->test->folder);
    *state = on;
    return 0;
}

static inline int keyring_teardown(void **state)
{
    struct test_keyring *on = *state;
    keyring_close(on);
    epoch_finish(&on->epoch);
    void *test = on->test;
    free(on);
    return test_teardown(&test);
}

#define KEYRING(name) cmocka_unit_test_setup_teardown(name, keyring_setup, keyring_teardown)
