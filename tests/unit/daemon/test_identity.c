// SPDX-License-Identifier: Apache-2.0
// Issuer, epoch and default API of a store (design 3.5, 3.7).
#include "store/store_test.h"

#include "daemon/identity.h"

static struct env env;

// As config_load leaves it.
static void config_make(struct config *config, const struct test_store *test, const char *issuer,
                        enum config_origin origin)
{
    *config = (struct config){.issuer = str_from(issuer), .data = str_from(test->folder)};
    config->origins[CONFIG_ISSUER].origin = origin;
    arena_init(&config->arena, NULL, 65536);
}

// Loads the identity as a start with this issuer does; the issuer in force comes back.
static enum twoleg_error identity_try(struct test_store *test, const char *issuer,
                                      enum config_origin origin, bool change, char *ret_issuer,
                                      uint32_t *ret_epoch)
{
    struct config config;
    uint32_t epoch = 0;
    config_make(&config, test, issuer, origin);
    enum twoleg_error error =
        identity_load(test->store, &config, change, &env, &epoch, test->reason);
    snprintf(ret_issuer, 64, "%.*s", STR_ARG(config.issuer));
    if (ret_epoch)
        *ret_epoch = epoch;
    arena_finish(&config.arena);
    return error;
}

static void identity_is(struct test_store *test, const char *issuer, enum config_origin origin,
                        bool change, const char *expected)
{
    char found[64];
    uint32_t epoch;
    if (identity_try(test, issuer, origin, change, found, &epoch))
        fail_msg("identity_load: %s", test->reason);
    assert_string_equal(found, expected);
    assert_int_equal(epoch, 1);
    struct api_set apis;
    assert_int_equal(store_apis(test->reader, &test->arena, &apis), TWOLEG_NONE);
    const struct api *api = api_set_default(&apis);
    assert_non_null(api);
    assert_true(str_equal(api->identifier, str_from(expected)));
}

static void design_3_5_the_first_start_stores_the_issuer(void **state)
{
    struct test_store *test = *state;
    identity_is(test, "http://127.0.0.1:8080", CONFIG_DERIVED, false, "http://127.0.0.1:8080");
    identity_is(test, "http://127.0.0.1:8080", CONFIG_DERIVED, false, "http://127.0.0.1:8080");
}

static void design_3_5_a_derived_issuer_gives_way_to_the_stored_one(void **state)
{
    struct test_store *test = *state;
    identity_is(test, "https://one.example", CONFIG_FILE, false, "https://one.example");
    identity_is(test, "http://127.0.0.1:9000", CONFIG_DERIVED, false, "https://one.example");
}

static void design_3_5_change_issuer_takes_a_derived_one(void **state)
{
    struct test_store *test = *state;
    identity_is(test, "http://127.0.0.1:8080", CONFIG_DERIVED, false, "http://127.0.0.1:8080");
    identity_is(test, "http://127.0.0.1:8081", CONFIG_DERIVED, true, "http://127.0.0.1:8081");
    identity_is(test, "http://127.0.0.1:8082", CONFIG_DERIVED, false, "http://127.0.0.1:8081");
}

static void design_3_5_another_configured_issuer_is_refused_unless_meant(void **state)
{
    struct test_store *test = *state;
    char found[64];
    identity_is(test, "https://one.example", CONFIG_FILE, false, "https://one.example");
    assert_int_equal(identity_try(test, "https://two.example", CONFIG_FILE, false, found, NULL),
                     TWOLEG_REFUSED);
    assert_non_null(strstr(test->reason, "https://one.example"));
    assert_non_null(strstr(test->reason, "https://two.example"));
    assert_non_null(strstr(test->reason, "--change-issuer"));
    assert_non_null(strstr(test->reason, test->folder));
    identity_is(test, "https://one.example", CONFIG_FILE, false, "https://one.example");
    identity_is(test, "https://two.example", CONFIG_FILE, true, "https://two.example");
}

static void design_3_1_the_epoch_of_the_store_is_read(void **state)
{
    struct test_store *test = *state;
    char found[64];
    uint32_t epoch;
    identity_is(test, "https://one.example", CONFIG_FILE, false, "https://one.example");
    struct store_batch *batch = store_batch_create(env.now_us);
    struct store_verb *verb = store_batch_add(batch, VERB_SETTING_SET, STORE_OPERATOR);
    verb->setting.name = STR("epoch");
    verb->setting.value = STR("7");
    assert_int_equal(store_commit(test->store, batch), TWOLEG_NONE);
    verb->setting.value = STR("4294967296");
    assert_int_equal(identity_try(test, "https://one.example", CONFIG_FILE, false, found, &epoch),
                     TWOLEG_NONE);
    assert_int_equal(epoch, 7);
    assert_int_equal(store_commit(test->store, batch), TWOLEG_NONE);
    assert_int_equal(identity_try(test, "https://one.example", CONFIG_FILE, false, found, &epoch),
                     TWOLEG_INTERNAL);
    assert_non_null(strstr(test->reason, test->folder));
    store_batch_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(design_3_5_the_first_start_stores_the_issuer),
        WITH_STORE(design_3_5_a_derived_issuer_gives_way_to_the_stored_one),
        WITH_STORE(design_3_5_change_issuer_takes_a_derived_one),
        WITH_STORE(design_3_5_another_configured_issuer_is_refused_unless_meant),
        WITH_STORE(design_3_1_the_epoch_of_the_store_is_read),
    };
    env_init(&env);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    env_finish(&env);
    return failed;
}
