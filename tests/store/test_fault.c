// SPDX-License-Identifier: Apache-2.0
// Every fallible step of a scenario fails once, and from then on: no crash, no leak, nothing
// acknowledged that is not there afterwards, nothing there that was refused.
#include <sys/stat.h>

#include "store_test.h"

struct scenario {
    struct test_store test;
    char backup[300];
    enum twoleg_error created, updated, revoked, copied;
    bool stopped;
};

static void scenario_start(struct scenario *scenario)
{
    *scenario = (struct scenario){.created = TWOLEG_INTERNAL, .updated = TWOLEG_INTERNAL,
                                  .revoked = TWOLEG_INTERNAL, .copied = TWOLEG_INTERNAL};
    arena_init(&scenario->test.arena, NULL, 1024 * 1024);
    test_folder(scenario->test.folder, "data");
    snprintf(scenario->backup, sizeof scenario->backup, "%s.copy", scenario->test.folder);
}

static void scenario_end(struct scenario *scenario)
{
    arena_finish(&scenario->test.arena);
    test_remove_folders();
}

static enum twoleg_error scenario_commit(struct scenario *scenario, struct store_batch *batch)
{
    if (!batch)
        return TWOLEG_NO_MEMORY;
    return test_commit(&scenario->test, batch);
}

static enum twoleg_error scenario_create(struct scenario *scenario)
{
    static const struct api api = {.number = TEST_API, .account = ACCOUNT_DEFAULT,
                                   .identifier = STR("https://api.example"), .name = STR("API"),
                                   .algorithm = STR("ES256"), .scopes = STR("groups sms")};
    static const struct application_api link = {TEST_API, true, true, STR("groups sms")};
    static const struct secret secret = {.number = 22, .expires_us = TIME_NEVER};
    static const struct application application = {
        .number = 11, .account = ACCOUNT_DEFAULT, .client_id = STR("a"), .name = STR("n"),
        .ttl_us = SECOND_US, .grants = GRANTS_DEFAULT,
        .apis = &link, .api_count = 1, .secrets = &secret, .secret_count = 1};
    struct store_batch *batch = store_batch_create(TEST_NOW);
    if (batch) {
        store_batch_add(batch, VERB_API_CREATE, STORE_OPERATOR)->api = &api;
        store_batch_add(batch, VERB_APPLICATION_CREATE, STORE_OPERATOR)->application = &application;
    }
    return scenario_commit(scenario, batch);
}

static enum twoleg_error scenario_update(struct scenario *scenario)
{
    struct store_batch *batch = store_batch_create(TEST_NOW);
    if (batch) {
        struct store_verb *verb = store_batch_add(batch, VERB_APPLICATION_UPDATE, STORE_OPERATOR);
        verb->update.number = 11;
        verb->update.fields = FIELD_STATUS | FIELD_GENERATION;
        verb->update.status = STATUS_DISABLED;
        verb = store_batch_add(batch, VERB_SCOPE_REMOVE, STORE_OPERATOR);
        verb->scope.api = TEST_API;
        verb->scope.name = STR("sms");
    }
    return scenario_commit(scenario, batch);
}

static enum twoleg_error scenario_revoke(struct scenario *scenario)
{
    struct store_batch *batch = store_batch_create(TEST_NOW);
    if (batch) {
        store_batch_add(batch, VERB_TOKEN_REVOKE, STORE_OPERATOR)->revoke.application = 11;
        store_batch_add(batch, VERB_CREDENTIAL_REVOKE, STORE_OPERATOR)->number = 22;
    }
    return scenario_commit(scenario, batch);
}

// A read either fails or is right.
static void scenario_read(struct scenario *scenario, bool updated, bool revoked)
{
    struct test_store *test = &scenario->test;
    struct application *application;
    enum twoleg_error error =
        store_application(test->reader, STORE_OPERATOR, 11, &test->arena, &application);
    assert_int_not_equal(error, TWOLEG_NOT_FOUND);
    if (!error) {
        test_assert_str(application->apis[0].scopes, updated ? "groups" : "groups sms");
        assert_int_equal(application->state.status, updated ? STATUS_DISABLED : STATUS_ACTIVE);
        assert_int_equal(application->secret_count, 1);
    }
    struct api_set set;
    if (!store_apis(test->reader, &test->arena, &set))
        test_assert_str(set.apis[0].scopes, updated ? "groups" : "groups sms");
    struct store_cursor *cursor;
    struct store_change change;
    size_t count = 0;
    if (!store_revocations_begin(test->reader, &cursor)) {
        while (store_revocations_next(cursor, &change))
            count++;
        if (!store_end(cursor))
            assert_int_equal(count, revoked ? 2 : 0);
    }
}

static void scenario_run(struct scenario *scenario)
{
    struct test_store *test = &scenario->test;
    if (test_try_open(test, true)) {
        assert_true(test->reason[0]);
        return;
    }
    scenario->created = scenario_create(scenario);
    if (!scenario->created) {
        scenario->updated = scenario_update(scenario);
        scenario->revoked = scenario_revoke(scenario);
    }
    if (!store_reader_create(test->store, &test->reader)) {
        if (!scenario->created)
            scenario_read(scenario, !scenario->updated, !scenario->revoked);
        scenario->copied = store_backup(test->reader, scenario->backup, test->reason);
    }
    scenario->stopped = store_stopped(test->store);
    test_close(test);
}

// With all faults off: what was acknowledged is there, and only that.
static void scenario_verify(struct scenario *scenario)
{
    struct test_store *test = &scenario->test;
    test_open(test);
    struct application *application = test_load(test, 11);
    assert_int_equal(application != NULL, !scenario->created);
    if (application)
        scenario_read(scenario, !scenario->updated, !scenario->revoked);
    test_close(test);
    if (scenario->copied) {
        assert_int_equal(access(scenario->backup, F_OK), -1);
        return;
    }
    if (store_restore(test->folder, scenario->backup, false, test->reason))
        fail_msg("%s", test->reason);
    test_open(test);
    assert_int_equal(test_load(test, 11) != NULL, !scenario->created);
    test_close(test);
}

static void every_step_fails(enum fault_kind kind, bool sticky, unsigned long least)
{
    unsigned long k = 1;
    for (bool covered = false; !covered; k++) {
        struct scenario scenario;
        scenario_start(&scenario);
        fault_arm(kind, k, sticky);
        scenario_run(&scenario);
        covered = fault_count(kind) < k;
        fault_arm(kind, 0, false);
        scenario_verify(&scenario);
        if (covered)
            assert_int_equal(scenario.created | scenario.updated | scenario.revoked |
                                 scenario.copied, TWOLEG_NONE);
        scenario_end(&scenario);
    }
    assert_true(k > least);
}

static void each_store_step_fails_once(void **state)
{
    (void)state;
    every_step_fails(FAULT_STORE, false, 100);
}

static void each_store_step_fails_and_all_after_it(void **state)
{
    (void)state;
    every_step_fails(FAULT_STORE, true, 100);
}

static void each_file_call_fails_once(void **state)
{
    (void)state;
    every_step_fails(FAULT_IO, false, 3);
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    every_step_fails(FAULT_MEMORY, false, 10);
}

static bool has_later(struct test_store *test)
{
    struct str value;
    return store_setting(test->reader, STR("later"), &test->arena, &value) == TWOLEG_NONE;
}

static void make_later(struct test_store *test)
{
    struct store_verb verb = {.setting = {STR("later"), STR("1")}};
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

// A restore that fails leaves the old store or the restored one, whole; one that succeeds has
// replaced it.
static void restore_steps_fail(struct scenario *scenario, enum fault_kind kind)
{
    struct test_store *test = &scenario->test;
    bool covered = false;
    for (unsigned long k = 1; !covered; k++) {
        test->reason[0] = '\0';
        fault_arm(kind, k, false);
        enum twoleg_error error = store_restore(test->folder, scenario->backup, true, test->reason);
        covered = fault_count(kind) < k;
        fault_arm(kind, 0, false);
        assert_true(!error || test->reason[0]);
        // Which keys were gone in the old store could not be read; else there is nothing to say.
        assert_true(error || !test->reason[0] || strstr(test->reason, "key compromise"));
        assert_true(!covered || (!error && !test->reason[0]));
        test_open(test);
        assert_non_null(test_load(test, 11));
        assert_true(error || !has_later(test));
        if (!has_later(test))
            make_later(test);
        test_close(test);
    }
}

static void restore_that_fails_leaves_a_whole_store(void **state)
{
    (void)state;
    struct scenario scenario;
    scenario_start(&scenario);
    scenario_run(&scenario);
    assert_int_equal(scenario.copied, TWOLEG_NONE);
    test_open(&scenario.test);
    make_later(&scenario.test);
    test_close(&scenario.test);
    restore_steps_fail(&scenario, FAULT_STORE);
    restore_steps_fail(&scenario, FAULT_IO);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_store_step_fails_once),
        cmocka_unit_test(each_store_step_fails_and_all_after_it),
        cmocka_unit_test(each_file_call_fails_once),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(restore_that_fails_leaves_a_whole_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
