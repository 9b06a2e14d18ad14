// SPDX-License-Identifier: Apache-2.0
#include "manage_test.h"

static const struct manage_application_new plain = {
    .number = 12345, .name = {"Billing", 7}, .access = {.scope = {"sms groups", 10}}};

static enum twoleg_error create(struct manage_test *test, const struct manage_application_new *new,
                                struct application **ret_application,
                                struct manage_access *ret_access)
{
    return manage_application_create(&test->change, &test->policy, &test->set, new,
                                     ret_application, ret_access);
}

static void create_makes_the_application_and_its_audit_row(void **state)
{
    struct manage_test *test = *state;
    struct application *made;
    struct manage_access access;
    assert_int_equal(create(test, &plain, &made, &access), TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_APPLICATION_CREATE, 0);
    assert_ptr_equal(verb->application, made);
    manage_test_is(made->client_id, "app_0000000000c1s");
    assert_int_equal(made->account, 5);
    assert_int_equal(made->ttl_us, 3600 * SECOND_US);
    assert_int_equal(made->state.generation, TEST_NOW);
    assert_int_equal(made->secret_count, 1);
    assert_int_equal(made->api_count, 1);
    manage_test_is(made->apis[0].scopes, "groups sms");
    assert_true(made->apis[0].requests && !made->apis[0].serves);
    const struct store_verb *audit = manage_test_verb(test, VERB_AUDIT, 0);
    manage_test_is(audit->audit.actor, "uid:0");
    manage_test_is(audit->audit.action, "application.create");
    manage_test_is(audit->audit.object, "app_0000000000c1s");
    manage_test_is(audit->audit.request_id, "request-1");
    assert_true(manage_test_says(audit->audit.detail, "\"name\":\"Billing\""));
    assert_null(manage_test_verb(test, VERB_AUDIT, 1));
}

static void create_declares_a_scope_that_no_api_has_at_the_first(void **state)
{
    struct manage_test *test = *state;
    struct str audience[] = {STR("https://sms.example"), STR("https://auth.example")};
    struct manage_application_new new = plain;
    struct application *made;
    struct manage_access access;
    new.access = (struct manage_access_request){.audience = {audience, 2},
                                                .scope = STR("unheard sms groups")};
    assert_int_equal(create(test, &new, &made, &access), TWOLEG_NONE);
    assert_int_equal(access.declared_count, 1);
    manage_test_is(access.declared[0].name, "unheard");
    manage_test_is(access.declared[0].identifier, "https://sms.example");
    const struct store_verb *scope = manage_test_verb(test, VERB_SCOPE_CREATE, 0);
    assert_int_equal(scope->scope.api, 2);
    // sms is declared by both, groups by the second alone.
    manage_test_is(made->apis[0].scopes, "sms unheard");
    manage_test_is(made->apis[1].scopes, "groups sms");
    manage_test_is(manage_test_verb(test, VERB_AUDIT, 0)->audit.action, "scope.add");
}

static void create_serves_its_audience_or_what_is_named(void **state)
{
    struct manage_test *test = *state;
    struct str serves[] = {STR("https://sms.example")};
    struct manage_application_new new = plain;
    struct application *made;
    struct manage_access access;
    new.access.serves = (struct manage_texts){serves, 1};
    assert_int_equal(create(test, &new, &made, &access), TWOLEG_NONE);
    assert_int_equal(made->api_count, 2);
    assert_true(made->apis[0].requests && !made->apis[0].serves);
    assert_true(!made->apis[1].requests && made->apis[1].serves);
    new.access.serves = (struct manage_texts){NULL, 0};
    new.access.resource_server = true;
    assert_int_equal(create(test, &new, &made, &access), TWOLEG_NONE);
    assert_int_equal(made->api_count, 1);
    assert_true(made->apis[0].requests && made->apis[0].serves);
}

static void create_refuses_with_a_reason(void **state)
{
    struct manage_test *test = *state;
    char long_id[CLIENT_ID_MAX + 1];
    struct str nowhere[] = {STR("https://nowhere.example")};
    memset(long_id, 'x', sizeof long_id);
    const struct {
        struct str name, client_id, scope;
        size_t audience, serves;
        enum twoleg_error error;
    } rows[] = {
        {STR(""), STR_NONE, STR(""), 0, 0, TWOLEG_MISSING},
        {STR("line\nbreak"), STR_NONE, STR(""), 0, 0, TWOLEG_MALFORMED},
        {STR("\xff"), STR_NONE, STR(""), 0, 0, TWOLEG_MALFORMED},
        {STR("x"), STR(""), STR(""), 0, 0, TWOLEG_MALFORMED},
        {STR("x"), STR("a b"), STR(""), 0, 0, TWOLEG_MALFORMED},
        {STR("x"), str_of(long_id, sizeof long_id), STR(""), 0, 0, TWOLEG_TOO_LONG},
        {STR("x"), STR_NONE, STR("a\"b"), 0, 0, TWOLEG_SCOPE_MALFORMED},
        {STR("x"), STR_NONE, STR(""), 1, 0, TWOLEG_NOT_FOUND},
        {STR("x"), STR_NONE, STR(""), 0, 1, TWOLEG_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct application *made;
        struct manage_access access;
        struct manage_application_new new = {.name = rows[i].name,
                                             .client_id = rows[i].client_id};
        new.access.audience = (struct manage_texts){nowhere, rows[i].audience};
        new.access.serves = (struct manage_texts){nowhere, rows[i].serves};
        new.access.scope = rows[i].scope;
        test->change.problem[0] = '\0';
        assert_int_equal(create(test, &new, &made, &access), rows[i].error);
        assert_true(test->change.problem[0] != '\0');
        assert_null(test->batch->verbs);
    }
}

static void life_fits_its_format(void **state)
{
    struct manage_test *test = *state;
    const struct {
        enum token_format format;
        int64_t ttl_us;
        enum twoleg_error error;
    } rows[] = {
        {FORMAT_JWT, TIME_NEVER, TWOLEG_RANGE},
        {FORMAT_SEALED, TIME_NEVER, TWOLEG_NONE},
        {FORMAT_JWT, 86400 * SECOND_US, TWOLEG_NONE},
        {FORMAT_JWT, 86401 * SECOND_US, TWOLEG_RANGE},
        {FORMAT_SEALED, 86401 * SECOND_US, TWOLEG_NONE},
        {FORMAT_SEALED, TOKEN_TTL_MAX_US, TWOLEG_NONE},
        {FORMAT_SEALED, TOKEN_TTL_MAX_US + SECOND_US, TWOLEG_RANGE},
        {FORMAT_SEALED, SECOND_US, TWOLEG_NONE},
        {FORMAT_SEALED, SECOND_US - 1, TWOLEG_RANGE},
        {FORMAT_SEALED, SECOND_US + 1, TWOLEG_RANGE},
        {FORMAT_SEALED, 0, TWOLEG_RANGE},
        {FORMAT_SEALED, -SECOND_US, TWOLEG_RANGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct manage_application_new new = plain;
        struct application *made;
        struct manage_access access;
        new.has_format = new.has_ttl = true;
        new.format = rows[i].format;
        new.ttl_us = rows[i].ttl_us;
        assert_int_equal(create(test, &new, &made, &access), rows[i].error);
    }
    // The default is cut to what a jwt may live.
    struct application *made;
    struct manage_access access;
    test->policy.ttl_us = 30 * 86400 * SECOND_US;
    assert_int_equal(create(test, &plain, &made, &access), TWOLEG_NONE);
    assert_int_equal(made->ttl_us, 86400 * SECOND_US);
}

static void update_changes_what_is_given_from_the_version_it_saw(void **state)
{
    struct manage_test *test = *state;
    struct manage_access access;
    struct manage_application_update update = {.has_name = true, .name = STR("New")};
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access), TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_APPLICATION_UPDATE, 0);
    assert_int_equal(verb->update.fields, FIELD_NAME);
    assert_int_equal(verb->expected, 3);
    manage_test_is(verb->update.name, "New");
    assert_null(manage_test_verb(test, VERB_APPLICATION_API_SET, 0));
    struct str detail = manage_test_verb(test, VERB_AUDIT, 0)->audit.detail;
    assert_true(manage_test_says(detail, "\"before\":{") && manage_test_says(detail, "\"Old\""));
    assert_true(manage_test_says(detail, "\"after\":{") && manage_test_says(detail, "\"New\""));
}

static void update_changes_a_budget_and_tells_the_audit(void **state)
{
    struct manage_test *test = *state;
    struct manage_access access;
    struct manage_application_update update = {.has_budget = true};
    test->application.budget.mode = BUDGET_MODE_OBSERVE;
    assert_int_equal(budget_parse(STR("9/1h"), &update.budget), TWOLEG_NONE);
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access), TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_APPLICATION_UPDATE, 0);
    assert_int_equal(verb->update.fields, FIELD_BUDGET);
    assert_int_equal(verb->update.budget.rate.count, 9);
    struct str detail = manage_test_verb(test, VERB_AUDIT, 0)->audit.detail;
    assert_true(manage_test_says(detail, "\"budget\":\"default\",\"budget_mode\":\"observe\""));
    assert_true(manage_test_says(detail, "\"budget\":\"9/1h\",\"budget_mode\":\"observe\""));
    update = (struct manage_application_update){.has_budget_mode = true,
                                                .budget.mode = BUDGET_MODE_ENFORCE};
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access), TWOLEG_NONE);
    assert_int_equal(manage_test_verb(test, VERB_APPLICATION_UPDATE, 1)->update.fields,
                     FIELD_BUDGET_MODE);
}

static void update_moves_rights_and_drops_what_is_left(void **state)
{
    struct manage_test *test = *state;
    struct manage_access access;
    struct str audience[] = {STR("https://sms.example")};
    struct manage_application_update update = {
        .has_audience = true,
        .has_scope = true,
        .access = {.audience = {audience, 1}, .scope = STR("send")}};
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access), TWOLEG_NONE);
    const struct store_verb *gone = manage_test_verb(test, VERB_APPLICATION_API_SET, 0);
    assert_int_equal(gone->application_api.api, 1);
    assert_false(gone->application_api.requests || gone->application_api.serves);
    const struct store_verb *new = manage_test_verb(test, VERB_APPLICATION_API_SET, 1);
    assert_int_equal(new->application_api.api, 2);
    manage_test_is(new->application_api.scopes, "send");
    // The version is checked also where no field of the row itself changes.
    assert_int_equal(manage_test_verb(test, VERB_APPLICATION_UPDATE, 0)->expected, 3);
}

static void update_keeps_what_is_not_given(void **state)
{
    struct manage_test *test = *state;
    struct manage_access access;
    struct manage_application_update update = {.has_resource_server = true,
                                               .access = {.resource_server = true}};
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access), TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_APPLICATION_API_SET, 0);
    assert_true(verb->application_api.requests && verb->application_api.serves);
    manage_test_is(verb->application_api.scopes, "groups sms");
    assert_null(manage_test_verb(test, VERB_APPLICATION_API_SET, 1));
}

static void update_refuses_nothing_and_never_for_jwt(void **state)
{
    struct manage_test *test = *state;
    struct manage_access access;
    struct manage_application_update update = {0};
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access),
                     TWOLEG_MISSING);
    test->application.format = FORMAT_SEALED;
    test->application.ttl_us = TIME_NEVER;
    update = (struct manage_application_update){.has_format = true, .format = FORMAT_JWT};
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set,
                                               &test->application, &update, &access), TWOLEG_RANGE);
}

static void state_changes_set_generation_as_the_design_says(void **state)
{
    struct manage_test *test = *state;
    const struct application *app = &test->application;
    assert_int_equal(manage_application_disable(&test->change, app), TWOLEG_NONE);
    assert_int_equal(manage_application_enable(&test->change, app, false), TWOLEG_NONE);
    assert_int_equal(manage_application_enable(&test->change, app, true), TWOLEG_NONE);
    assert_int_equal(manage_application_revoke_tokens(&test->change, app), TWOLEG_NONE);
    assert_int_equal(manage_application_delete(&test->change, app), TWOLEG_NONE);
    const struct {
        unsigned fields;
        enum entity_status status;
        const char *action;
    } rows[] = {
        {FIELD_STATUS, STATUS_DISABLED, "application.disable"},
        {FIELD_STATUS | FIELD_GENERATION, STATUS_ACTIVE, "application.enable"},
        {FIELD_STATUS, STATUS_ACTIVE, "application.enable"},
        {FIELD_GENERATION, STATUS_ACTIVE, "application.revoke_tokens"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct store_verb *verb = manage_test_verb(test, VERB_APPLICATION_UPDATE, i);
        assert_int_equal(verb->update.fields, rows[i].fields);
        assert_int_equal(verb->update.status, rows[i].status);
        assert_int_equal(verb->update.generation, TEST_NOW);
        manage_test_is(manage_test_verb(test, VERB_AUDIT, i)->audit.action, rows[i].action);
    }
    assert_int_equal(manage_test_verb(test, VERB_APPLICATION_DELETE, 0)->number, 77);
}

static void E6_nobody_changes_what_belongs_to_another_account(void **state)
{
    struct manage_test *test = *state;
    struct application *made;
    struct manage_access access;
    struct manage_application_update update = {.has_name = true, .name = STR("New")};
    test->actor = (struct manage_actor){.name = STR("usr"), .account = 6};
    const struct application *app = &test->application;
    assert_int_equal(create(test, &plain, &made, &access), TWOLEG_REFUSED);
    assert_int_equal(manage_application_update(&test->change, &test->policy, &test->set, app,
                                               &update, &access), TWOLEG_REFUSED);
    assert_int_equal(manage_application_disable(&test->change, app), TWOLEG_REFUSED);
    assert_int_equal(manage_application_enable(&test->change, app, true), TWOLEG_REFUSED);
    assert_int_equal(manage_application_revoke_tokens(&test->change, app), TWOLEG_REFUSED);
    assert_int_equal(manage_application_delete(&test->change, app), TWOLEG_REFUSED);
    assert_null(test->batch->verbs);
    test->actor.account = 5;
    assert_int_equal(manage_application_delete(&test->change, app), TWOLEG_NONE);
    assert_int_equal(test->batch->verbs->account, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(create_makes_the_application_and_its_audit_row),
        MANAGE_TEST(create_declares_a_scope_that_no_api_has_at_the_first),
        MANAGE_TEST(create_serves_its_audience_or_what_is_named),
        MANAGE_TEST(create_refuses_with_a_reason),
        MANAGE_TEST(life_fits_its_format),
        MANAGE_TEST(update_changes_what_is_given_from_the_version_it_saw),
        MANAGE_TEST(update_changes_a_budget_and_tells_the_audit),
        MANAGE_TEST(update_moves_rights_and_drops_what_is_left),
        MANAGE_TEST(update_keeps_what_is_not_given),
        MANAGE_TEST(update_refuses_nothing_and_never_for_jwt),
        MANAGE_TEST(state_changes_set_generation_as_the_design_says),
        MANAGE_TEST(E6_nobody_changes_what_belongs_to_another_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
