// SPDX-License-Identifier: Apache-2.0
#include "manage_test.h"

#include "crypto/password.h"
#include "manage/user.h"

#define HASH STR("$argon2id$of a word")

static struct user user_of(struct manage_test *test)
{
    return (struct user){.number = 12345, .account = 5, .username = STR("ann"),
                         .state = {STATUS_ACTIVE, 9}, .apis = test->rights, .api_count = 1};
}

static enum twoleg_error create(struct manage_test *test, struct str name, struct str scope,
                                struct user **ret_user)
{
    struct manage_access access;
    const struct manage_user_new new = {.number = 12345,
                                        .account = 5,
                                        .username = name,
                                        .password_hash = HASH,
                                        .access = {.scope = scope}};
    return manage_user_create(&test->change, &test->set, &new, ret_user, &access);
}

// The audit has who, what and whom, and nothing of the password.
static const struct store_verb *audit_is(struct manage_test *test, const char *action)
{
    const struct store_verb *audit = manage_test_verb(test, VERB_AUDIT, 0);
    assert_non_null(audit);
    manage_test_is(audit->audit.actor, "uid:0");
    manage_test_is(audit->audit.action, action);
    manage_test_is(audit->audit.object, "usr_0000000000c1s");
    assert_true(manage_test_says(audit->audit.detail, "\"username\":\"ann\""));
    assert_false(manage_test_says(audit->audit.detail, "argon"));
    assert_null(manage_test_verb(test, VERB_AUDIT, 1));
    return audit;
}

static void create_makes_the_user_and_its_audit_row(void **state)
{
    struct manage_test *test = *state;
    struct user *made;
    assert_int_equal(create(test, STR("ann"), STR("sms groups"), &made), TWOLEG_NONE);
    assert_ptr_equal(manage_test_verb(test, VERB_USER_CREATE, 0)->user, made);
    assert_int_equal(made->account, 5);
    assert_int_equal(made->state.generation, TEST_NOW);
    manage_test_is(made->password_hash, "$argon2id$of a word");
    assert_int_equal(made->api_count, 1);
    assert_int_equal(made->apis[0].api, 1);
    manage_test_is(made->apis[0].scopes, "groups sms");
    assert_true(manage_test_says(audit_is(test, "user.create")->audit.detail,
                                 "\"scope\":\"groups sms\""));
}

static void create_declares_a_scope_that_no_api_has(void **state)
{
    struct manage_test *test = *state;
    struct user *made;
    assert_int_equal(create(test, STR("ann"), STR("unheard"), &made), TWOLEG_NONE);
    assert_int_equal(manage_test_verb(test, VERB_SCOPE_CREATE, 0)->scope.api, 1);
    manage_test_is(manage_test_verb(test, VERB_AUDIT, 0)->audit.action, "scope.add");
    manage_test_is(manage_test_verb(test, VERB_AUDIT, 1)->audit.action, "user.create");
}

static void names_are_clean_text(void **state)
{
    struct manage_test *test = *state;
    static char longest[USERNAME_MAX + 1];
    struct user *made = NULL;
    memset(longest, 'n', sizeof longest);
    const struct {
        struct str name;
        enum twoleg_error error;
        const char *words;
    } bad[] = {{STR(""), TWOLEG_MISSING, "needs a name"},
               {STR_NONE, TWOLEG_MISSING, "needs a name"},
               {str_of(longest, USERNAME_MAX + 1), TWOLEG_TOO_LONG, "256 bytes"},
               {STR("a\nb"), TWOLEG_MALFORMED, "control"},
               {STR("a\x7f"), TWOLEG_MALFORMED, "control"},
               {STR("a\xc3"), TWOLEG_MALFORMED, "UTF-8"},
               {STR("a\xed\xa0\x80"), TWOLEG_MALFORMED, "UTF-8"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(create(test, bad[i].name, STR("sms"), &made), bad[i].error);
        assert_true(manage_test_says(str_from(test->change.problem), bad[i].words));
        assert_null(made);
        assert_null(manage_test_verb(test, VERB_USER_CREATE, 0));
    }
    assert_int_equal(create(test, str_of(longest, USERNAME_MAX), STR("sms"), &made), TWOLEG_NONE);
}

static void passwords_have_a_shape(void **state)
{
    struct manage_test *test = *state;
    static char longest[PASSWORD_MAX + 1];
    memset(longest, 'p', sizeof longest);
    const struct {
        struct str password;
        enum twoleg_error error;
    } rows[] = {{STR("12345678"), TWOLEG_NONE},
                {STR("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"), TWOLEG_NONE}, // bytes, not letters
                {str_of(longest, PASSWORD_MAX), TWOLEG_NONE},
                {STR("1234567"), TWOLEG_RANGE},
                {STR(""), TWOLEG_RANGE},
                {str_of(longest, PASSWORD_MAX + 1), TWOLEG_TOO_LONG},
                {STR("1234567\0"), TWOLEG_MALFORMED},
                {STR("12345678\r"), TWOLEG_MALFORMED},
                {STR("12345678\xff"), TWOLEG_MALFORMED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(manage_user_check_password(&test->change, rows[i].password),
                         rows[i].error);
}

static void each_change_has_its_verb_and_its_audit_row(void **state)
{
    struct manage_test *test = *state;
    struct user user = user_of(test);
    assert_int_equal(manage_user_password(&test->change, &user, HASH), TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_USER_UPDATE, 0);
    assert_int_equal(verb->user_update.fields, FIELD_PASSWORD | FIELD_GENERATION);
    assert_int_equal(verb->user_update.number, 12345);
    assert_int_equal(verb->user_update.generation, TEST_NOW);
    manage_test_is(verb->user_update.password_hash, "$argon2id$of a word");
    audit_is(test, "user.password");
}

static void enabling_spares_old_tokens_only_when_it_is_said(void **state)
{
    struct manage_test *test = *state;
    struct user user = user_of(test);
    user.state.status = STATUS_DISABLED;
    assert_int_equal(manage_user_enable(&test->change, &user, true), TWOLEG_NONE);
    assert_int_equal(manage_user_enable(&test->change, &user, false), TWOLEG_NONE);
    assert_int_equal(manage_user_disable(&test->change, &user), TWOLEG_NONE);
    static const unsigned fields[] = {FIELD_STATUS, FIELD_STATUS | FIELD_GENERATION, FIELD_STATUS};
    static const enum entity_status status[] = {STATUS_ACTIVE, STATUS_ACTIVE, STATUS_DISABLED};
    static const char *const actions[] = {"user.enable", "user.enable", "user.disable"};
    for (size_t i = 0; i < 3; i++) {
        const struct store_verb *verb = manage_test_verb(test, VERB_USER_UPDATE, i);
        assert_int_equal(verb->user_update.fields, fields[i]);
        assert_int_equal(verb->user_update.status, status[i]);
        manage_test_is(manage_test_verb(test, VERB_AUDIT, i)->audit.action, actions[i]);
    }
}

// CVE-2025-27507 and its like (row 41): whoever has no right gets no verb.
static void another_accounts_user_cannot_be_changed(void **state)
{
    struct manage_test *test = *state;
    struct user user = user_of(test), *made = NULL;
    const struct refresh_family family = {.number = 1, .account = 5, .user = 12345,
                                          .scope = STR("sms")};
    test->actor = (struct manage_actor){.name = STR("owner"), .account = 6};
    assert_int_equal(create(test, STR("ann"), STR("sms"), &made), TWOLEG_REFUSED);
    assert_int_equal(manage_user_password(&test->change, &user, HASH), TWOLEG_REFUSED);
    assert_int_equal(manage_user_disable(&test->change, &user), TWOLEG_REFUSED);
    assert_int_equal(manage_user_enable(&test->change, &user, false), TWOLEG_REFUSED);
    assert_int_equal(manage_user_delete(&test->change, &user), TWOLEG_REFUSED);
    const struct manage_refresh_end end = {EVENT_REFRESH_REVOKE, false};
    assert_int_equal(manage_refresh_revoke(&test->change, &end, &family, &test->application),
                     TWOLEG_REFUSED);
    assert_null(test->batch->verbs);
}

static void E16_the_end_of_a_family_is_in_the_audit(void **state)
{
    struct manage_test *test = *state;
    const struct refresh_family family = {.number = 77, .account = 5, .user = 12345,
                                          .application = 11, .scope = STR("sms"),
                                          .tokens_until_s = 9};
    for (unsigned i = 0; i < 2; i++) {
        const struct manage_refresh_end end = {EVENT_REFRESH_REUSE, i == 1};
        const struct application *application = i ? NULL : &test->application; // deleted since
        assert_int_equal(manage_refresh_revoke(&test->change, &end, &family, application),
                         TWOLEG_NONE);
        const struct store_verb *verb = manage_test_verb(test, VERB_REFRESH_REVOKE, i);
        assert_true(verb->refresh_revoke.family == 77 && verb->refresh_revoke.alone == (i == 1));
        assert_true(verb->refresh_revoke.application == 11);
        assert_int_equal(verb->refresh_revoke.tokens_until_s, 9);
        const struct store_verb *audit = manage_test_verb(test, VERB_AUDIT, i);
        manage_test_is(audit->audit.action, "refresh.reuse");
        manage_test_is(audit->audit.object, "usr_0000000000c1s");
        assert_true(manage_test_says(audit->audit.detail, "\"client_id\":\"app_x\"") == !i);
        assert_true(manage_test_says(audit->audit.detail,
                                     i ? "\"access_tokens\":false" : "\"access_tokens\":true"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(create_makes_the_user_and_its_audit_row),
        MANAGE_TEST(create_declares_a_scope_that_no_api_has),
        MANAGE_TEST(names_are_clean_text),
        MANAGE_TEST(passwords_have_a_shape),
        MANAGE_TEST(each_change_has_its_verb_and_its_audit_row),
        MANAGE_TEST(enabling_spares_old_tokens_only_when_it_is_said),
        MANAGE_TEST(another_accounts_user_cannot_be_changed),
        MANAGE_TEST(E16_the_end_of_a_family_is_in_the_audit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
