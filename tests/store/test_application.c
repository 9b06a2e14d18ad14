// SPDX-License-Identifier: Apache-2.0
// Verbs on applications, and what reads then say.
#include "store_test.h"

static void create_and_load(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, UINT64_C(0xfedcba9876543210), "app"), TWOLEG_NONE);
    struct application *application = test_load(test, UINT64_C(0xfedcba9876543210));
    assert_non_null(application);
    test_assert_str(application->client_id, "app");
    test_assert_str(application->name, "An application");
    assert_int_equal(application->account, ACCOUNT_DEFAULT);
    assert_int_equal(application->version, 1);
    assert_int_equal(application->state.status, STATUS_ACTIVE);
    assert_int_equal(application->state.generation, 5);
    assert_int_equal(application->format, FORMAT_SEALED);
    assert_int_equal(application->ttl_us, 3600 * SECOND_US);
    assert_int_equal(application->created_us, TEST_NOW);
    assert_int_equal(application->api_count, 1);
    assert_int_equal(application->apis[0].api, TEST_API);
    assert_true(application->apis[0].requests);
    assert_false(application->apis[0].serves);
    test_assert_str(application->apis[0].scopes, "groups sms");
    assert_int_equal(application->secret_count, 1);
    assert_int_equal(application->secrets[0].number, UINT64_C(0xfedcba9876543210) + 1000);
    assert_int_equal(application->secrets[0].key, 3);
    assert_int_equal(application->secrets[0].mac[31], (0x10 + 1000) & 0xff);
    assert_int_equal(application->secrets[0].expires_us, TIME_NEVER);
    test_assert_str(application->secrets[0].label, "first");
    uint64_t number;
    assert_int_equal(store_application_find(test->reader, STORE_OPERATOR, STR("app"), &number),
                     TWOLEG_NONE);
    assert_int_equal(number, UINT64_C(0xfedcba9876543210));
    assert_int_equal(store_application_find(test->reader, 2, STR("app"), &number),
                     TWOLEG_NOT_FOUND);
    assert_int_equal(test->told.count, 2);
    assert_int_equal(test->told.changes[0].kind, CHANGE_API);
    assert_int_equal(test->told.changes[1].kind, CHANGE_APPLICATION);
    assert_string_equal(test->told.client_ids[1], "app");
    assert_int_equal(store_sequence(test->reader), test->told.changes[1].sequence);
}

static void states_are_listed(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "b"), TWOLEG_NONE);
    struct store_cursor *cursor;
    struct store_change change;
    assert_int_equal(store_states_begin(test->reader, &cursor), TWOLEG_NONE);
    assert_true(store_states_next(cursor, &change));
    assert_int_equal(change.number, 11);
    test_assert_str(change.client_id, "a");
    assert_true(store_states_next(cursor, &change));
    assert_int_equal(change.number, 12);
    assert_int_equal(change.state.generation, 5);
    assert_int_equal(change.account, ACCOUNT_DEFAULT);
    assert_false(store_states_next(cursor, &change));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(create_and_load, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(states_are_listed, test_setup, test_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
