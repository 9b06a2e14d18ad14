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

static struct store_verb update_of(uint64_t number, unsigned fields)
{
    struct store_verb verb = {.update = {.number = number, .fields = fields}};
    return verb;
}

static void update_changes_only_the_given_fields(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    struct store_verb verb = update_of(11, FIELD_NAME | FIELD_TTL);
    verb.update.name = STR("Billing");
    verb.update.ttl_us = TIME_NEVER;
    verb.update.status = STATUS_DISABLED; // not in fields
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    test_assert_str(application->name, "Billing");
    assert_int_equal(application->ttl_us, TIME_NEVER);
    assert_int_equal(application->state.status, STATUS_ACTIVE);
    assert_int_equal(application->state.generation, 5);
    assert_int_equal(application->format, FORMAT_SEALED);
    assert_int_equal(application->version, 2);
    verb = update_of(11, FIELD_STATUS | FIELD_FORMAT);
    verb.update.status = STATUS_DISABLED;
    verb.update.format = FORMAT_JWT;
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, ACCOUNT_DEFAULT, &verb), TWOLEG_NONE);
    application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->state.status, STATUS_DISABLED);
    assert_int_equal(application->format, FORMAT_JWT);
    assert_int_equal(test->told.changes[3].state.status, STATUS_DISABLED);
    assert_string_equal(test->told.client_ids[3], "a");
}

static void dialects_are_kept_changed_and_listed(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(test_load(test, 11)->dialects.len, 0);
    struct store_verb verb = update_of(11, FIELD_DIALECTS);
    verb.update.dialects = STR("rti-sms smscx");
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    verb = update_of(11, FIELD_NAME); // without the bit they stay
    verb.update.name = STR("b");
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_true(str_equal(test_load(test, 11)->dialects, STR("rti-sms smscx")));
    struct store_page page = {STORE_OPERATOR, STR_NONE, 10};
    struct store_cursor *cursor;
    struct application listed;
    assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_NONE);
    assert_true(store_applications_next(cursor, &listed));
    assert_true(str_equal(listed.dialects, STR("rti-sms smscx")));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    struct store_tie tie;
    assert_int_equal(test_make_application(test, 12, "0"), TWOLEG_NONE);
    assert_int_equal(store_ties_begin(test->reader, &cursor), TWOLEG_NONE);
    assert_true(store_ties_next(cursor, &tie));
    assert_true(str_equal(tie.dialects, STR("rti-sms smscx")));
    assert_true(str_equal(tie.client_id, STR("a")));
    assert_int_equal(tie.count, 1);
    assert_false(store_ties_next(cursor, &tie));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    verb = update_of(11, FIELD_DIALECTS);
    verb.update.dialects = STR("");
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test_load(test, 11)->dialects.len, 0);
    assert_int_equal(store_ties_begin(test->reader, &cursor), TWOLEG_NONE);
    assert_false(store_ties_next(cursor, &tie));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

static void budget_is_kept_changed_and_listed(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    assert_false(application->budget.own);
    assert_int_equal(application->budget.mode, BUDGET_MODE_DEFAULT);
    struct store_verb verb = update_of(11, FIELD_BUDGET);
    verb.update.budget = (struct budget){true, BUDGET_MODE_ENFORCE, {100, 20, 60 * SECOND_US}};
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    verb = update_of(11, FIELD_BUDGET_MODE | FIELD_NAME); // the rate is not in fields
    verb.update.budget.mode = BUDGET_MODE_OBSERVE;
    verb.update.name = STR("b");
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    application = test_load(test, 11);
    assert_non_null(application);
    assert_true(application->budget.own);
    assert_int_equal(application->budget.rate.count, 100);
    assert_int_equal(application->budget.rate.burst, 20);
    assert_int_equal(application->budget.rate.period_us, 60 * SECOND_US);
    assert_int_equal(application->budget.mode, BUDGET_MODE_OBSERVE);
    struct store_page page = {STORE_OPERATOR, STR_NONE, 10};
    struct store_cursor *cursor;
    struct application listed;
    assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_NONE);
    assert_true(store_applications_next(cursor, &listed));
    assert_int_equal(listed.number, 11);
    assert_int_equal(listed.budget.rate.burst, 20);
    assert_int_equal(listed.budget.mode, BUDGET_MODE_OBSERVE);
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    verb = update_of(11, FIELD_BUDGET);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_false(test_load(test, 11)->budget.own);
    assert_int_equal(test_load(test, 11)->budget.mode, BUDGET_MODE_OBSERVE);
}

static void generation_never_goes_back(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    const struct {
        uint64_t given, becomes;
    } steps[] = {{100, 100}, {3, 101}, {101, 102}, {0, 103}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct store_verb verb = update_of(11, FIELD_GENERATION);
        verb.update.generation = steps[i].given;
        assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb),
                         TWOLEG_NONE);
        assert_int_equal(test->told.changes[test->told.count - 1].state.generation,
                         steps[i].becomes);
    }
}

static void expected_version_decides(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    struct store_verb verb = update_of(11, FIELD_NAME);
    verb.update.name = STR("one");
    verb.expected = 1;
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb),
                     TWOLEG_VERSION_CONFLICT);
    // All verbs of one batch are held against the version from before it.
    struct store_batch *batch = test_batch();
    for (int i = 0; i < 2; i++) {
        struct store_verb *in = store_batch_add(batch, VERB_APPLICATION_UPDATE, STORE_OPERATOR);
        in->update = verb.update;
        in->expected = 2;
    }
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->version, 3);
}

static void client_id_is_unique_among_live_ones(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "a"), TWOLEG_CONFLICT);
    assert_int_equal(test_make_application(test, 11, "b"), TWOLEG_CONFLICT);
    assert_null(test_load(test, 12));
    struct store_verb verb = {.number = 11};
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    const struct store_change *last = &test->told.changes[test->told.count - 1];
    assert_int_equal(last->kind, CHANGE_APPLICATION);
    assert_int_equal(last->number, 11);
    assert_int_equal(last->state.status, STATUS_DELETED);
    assert_null(last->client_id.ptr);
    assert_null(test_load(test, 11));
    assert_int_equal(test_make_application(test, 12, "a"), TWOLEG_NONE);
    // The number is a tombstone: it never comes again.
    assert_int_equal(test_make_application(test, 11, "c"), TWOLEG_CONFLICT);
    uint64_t number = 0;
    assert_int_equal(store_application_find(test->reader, STORE_OPERATOR, STR("a"), &number),
                     TWOLEG_NONE);
    assert_int_equal(number, 12);
}

static void deleted_takes_no_verb(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    struct store_verb verb = {.number = 11};
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb),
                     TWOLEG_NOT_FOUND);
    verb = update_of(11, FIELD_STATUS);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb),
                     TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.secret = {11, test_secret(77)}};
    assert_int_equal(test_one(test, VERB_SECRET_CREATE, STORE_OPERATOR, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.revoke = {.application = 11}};
    assert_int_equal(test_one(test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.number = 1011};
    assert_int_equal(test_one(test, VERB_CREDENTIAL_REVOKE, STORE_OPERATOR, &verb),
                     TWOLEG_NOT_FOUND);
    struct store_cursor *cursor;
    struct store_change change;
    assert_int_equal(store_states_begin(test->reader, &cursor), TWOLEG_NONE);
    assert_false(store_states_next(cursor, &change));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

static void status_cannot_be_set_to_deleted(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    struct store_verb verb = update_of(11, FIELD_STATUS);
    verb.update.status = STATUS_DELETED;
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_RANGE);
    assert_non_null(test_load(test, 11));
}

static void another_account_sees_and_changes_nothing(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    const uint64_t other = 2;
    struct application *application;
    assert_int_equal(store_application(test->reader, other, 11, &test->arena, &application),
                     TWOLEG_NOT_FOUND);
    assert_int_equal(
        store_application(test->reader, ACCOUNT_DEFAULT, 11, &test->arena, &application),
        TWOLEG_NONE);
    static const enum store_verb_kind by_number[] = {VERB_APPLICATION_DELETE,
                                                     VERB_CREDENTIAL_REVOKE};
    for (size_t i = 0; i < 2; i++) {
        struct store_verb verb = {.number = i ? 1011 : 11};
        assert_int_equal(test_one(test, by_number[i], other, &verb), TWOLEG_NOT_FOUND);
    }
    struct store_verb verb = update_of(11, FIELD_NAME);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.application_api = {11, TEST_API, true, false, STR("sms")}};
    assert_int_equal(test_one(test, VERB_APPLICATION_API_SET, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.secret = {11, test_secret(77)}};
    assert_int_equal(test_one(test, VERB_SECRET_CREATE, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.secret = {11, test_secret(1011)}};
    assert_int_equal(test_one(test, VERB_SECRET_REMOVE, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.revoke = {.application = 11}};
    assert_int_equal(test_one(test, VERB_TOKEN_REVOKE, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.scope = {TEST_API, STR("new")}};
    assert_int_equal(test_one(test, VERB_SCOPE_CREATE, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.scope = {TEST_API, STR("sms")}};
    assert_int_equal(test_one(test, VERB_SCOPE_REMOVE, other, &verb), TWOLEG_NOT_FOUND);
    verb = (struct store_verb){.setting = {STR("issuer"), STR("x")}};
    assert_int_equal(test_one(test, VERB_SETTING_SET, other, &verb), TWOLEG_NOT_FOUND);
    assert_int_equal(test->told.count, 2);
    application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->version, 1);
    assert_int_equal(application->secret_count, 1);
}

static void pages_follow_one_another(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    static const char *const ids[] = {"d", "b", "a", "c", "e"};
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(test_make_application(test, 21 + i, ids[i]), TWOLEG_NONE);
    char after[8] = "";
    char seen[8] = "";
    for (;;) {
        struct store_page page = {.account = strlen(seen) % 2 ? ACCOUNT_DEFAULT : STORE_OPERATOR,
                                  .after = str_from(after), .limit = 2};
        struct store_cursor *cursor;
        struct application application;
        assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_NONE);
        size_t before = strlen(seen);
        while (store_applications_next(cursor, &application)) {
            strncat(seen, application.client_id.ptr, 1);
            snprintf(after, sizeof after, "%.*s", STR_ARG(application.client_id));
            test_assert_str(application.name, "An application");
            assert_int_equal(application.format, FORMAT_SEALED);
        }
        assert_int_equal(store_end(cursor), TWOLEG_NONE);
        if (strlen(seen) == before)
            break;
        assert_true(strlen(seen) - before <= 2);
    }
    assert_string_equal(seen, "abcde");
    struct store_page page = {.account = 2, .limit = 10};
    struct store_cursor *cursor;
    struct application application;
    assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_NONE);
    assert_false(store_applications_next(cursor, &application));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    page.limit = 0;
    assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_RANGE);
    page.limit = 1001;
    assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_RANGE);
}

static void one_list_of_a_kind_at_a_time(void **state)
{
    struct test_store *test = *state;
    struct store_cursor *first;
    struct store_cursor *second;
    struct store_change change;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "b"), TWOLEG_NONE);
    assert_int_equal(store_states_begin(test->reader, &first), TWOLEG_NONE);
    assert_true(store_states_next(first, &change));
    assert_int_not_equal(store_states_begin(test->reader, &second), TWOLEG_NONE);
    assert_non_null(test_load(test, 12)); // other reads may go on meanwhile
    assert_true(store_states_next(first, &change));
    assert_int_equal(store_end(first), TWOLEG_NONE);
}

static void longest_texts_fit(void **state)
{
    struct test_store *test = *state;
    char id[CLIENT_ID_MAX + 2];
    memset(id, 'x', sizeof id);
    id[CLIENT_ID_MAX] = '\0';
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, id), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->client_id.len, CLIENT_ID_MAX);
    id[CLIENT_ID_MAX] = 'x';
    id[CLIENT_ID_MAX + 1] = '\0';
    assert_int_equal(test_make_application(test, 12, id), TWOLEG_RANGE);
    assert_int_equal(test_make_application(test, 13, ""), TWOLEG_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(create_and_load),
        WITH_STORE(states_are_listed),
        WITH_STORE(update_changes_only_the_given_fields),
        WITH_STORE(dialects_are_kept_changed_and_listed),
        WITH_STORE(budget_is_kept_changed_and_listed),
        WITH_STORE(generation_never_goes_back),
        WITH_STORE(expected_version_decides),
        WITH_STORE(client_id_is_unique_among_live_ones),
        WITH_STORE(deleted_takes_no_verb),
        WITH_STORE(status_cannot_be_set_to_deleted),
        WITH_STORE(another_account_sees_and_changes_nothing),
        WITH_STORE(pages_follow_one_another),
        WITH_STORE(one_list_of_a_kind_at_a_time),
        WITH_STORE(longest_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
