// SPDX-License-Identifier: Apache-2.0
#include "manage_test.h"

#include "base/fault.h"
#include "codec/base62.h"
#include "manage/api.h"
#include "manage/secret.h"
#include "manage/token.h"

static void generated_secrets_have_prefix_256_bits_and_checksum(void **state)
{
    (void)state;
    char memory[2][64];
    struct buf text[2];
    struct env env;
    env_init(&env);
    for (size_t i = 0; i < 2; i++) {
        buf_init(&text[i], memory[i], sizeof memory[i]);
        assert_int_equal(manage_secret_generate(&env, STR("tls_"), &text[i]), TWOLEG_NONE);
        assert_int_equal(text[i].len, 4 + 43 + 6);
        assert_true(str_starts_with(buf_str(&text[i]), STR("tls_")));
        assert_true(credential_checksum_ok(buf_str(&text[i])));
    }
    assert_false(str_equal(buf_str(&text[0]), buf_str(&text[1])));
    buf_init(&text[0], memory[0], 20);
    assert_int_equal(manage_secret_generate(&env, STR("tls_"), &text[0]), TWOLEG_NO_MEMORY);
    env_finish(&env);
}

#ifdef TWOLEG_TEST_HOOKS
static void D8_no_randomness_no_secret(void **state)
{
    (void)state;
    char memory[64];
    struct buf text;
    struct env env;
    env_init(&env);
    buf_init(&text, memory, sizeof memory);
    fault_arm(FAULT_RANDOM, 1, true);
    assert_int_equal(manage_secret_generate(&env, STR("tls_"), &text), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    assert_int_equal(text.len, 0);
    env_finish(&env);
}
#endif

static void rfc6749_a2_brought_secrets_are_ascii_with_blanks_inside_up_to_1_kib(void **state)
{
    struct manage_test *test = *state;
    char text[SECRET_MAX + 1];
    memset(text, '~', sizeof text);
    assert_int_equal(manage_secret_check(&test->change, STR("")), TWOLEG_MISSING);
    assert_int_equal(manage_secret_check(&test->change, STR(" ")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, STR(" a")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, STR("a ")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, STR("a\tb")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, STR("a\x7f")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, STR("a  b c")), TWOLEG_NONE);
    assert_int_equal(manage_secret_check(&test->change, STR("\xc3\xa9")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, STR("a\0b")), TWOLEG_MALFORMED);
    assert_int_equal(manage_secret_check(&test->change, str_of(text, SECRET_MAX)), TWOLEG_NONE);
    assert_int_equal(manage_secret_check(&test->change, str_of(text, SECRET_MAX + 1)),
                     TWOLEG_TOO_LONG);
    assert_false(manage_secret_is_long(str_of(text, 31)));
    assert_true(manage_secret_is_long(str_of(text, 32)));
}

// Those that have expired are carried with the application, too.
static void a_hundred_secrets_are_the_most(void **state)
{
    struct manage_test *test = *state;
    struct secret secret = {.number = 42, .label = STR("x"), .expires_us = TIME_NEVER};
    static const struct secret expired[SECRETS_KEPT_MAX];
    test->application.secrets = expired;
    test->application.secret_count = SECRETS_KEPT_MAX;
    assert_int_equal(manage_secret_add(&test->change, &test->application, &secret, 0),
                     TWOLEG_LIMIT);
    test->application.secret_count = SECRETS_KEPT_MAX - 1;
    assert_int_equal(manage_secret_add(&test->change, &test->application, &secret, 0),
                     TWOLEG_NONE);
}

static void ten_live_secrets_are_the_most(void **state)
{
    struct manage_test *test = *state;
    struct secret secret = {.number = 42, .label = STR("x"), .expires_us = TIME_NEVER,
                            .created_us = TEST_NOW, .mac = "not to be seen"};
    for (size_t i = 0; i < 12; i++)
        test->secrets[i] = (struct secret){.number = i + 1, .expires_us = TIME_NEVER};
    test->secrets[0].expires_us = TEST_NOW; // dead when now >= exp
    test->secrets[1].expires_us = TEST_NOW + 1;
    test->application.secret_count = 11;
    assert_int_equal(manage_secret_add(&test->change, &test->application, &secret, 0),
                     TWOLEG_LIMIT);
    assert_null(test->batch->verbs);
    test->application.secret_count = 10;
    assert_int_equal(manage_secret_add(&test->change, &test->application, &secret, 5),
                     TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_SECRET_CREATE, 0);
    assert_int_equal(verb->secret.application, 77);
    assert_int_equal(verb->expected, 5);
    assert_int_equal(verb->secret.secret.number, 42);
    struct str detail = manage_test_verb(test, VERB_AUDIT, 0)->audit.detail;
    assert_false(manage_test_says(detail, "not to be seen") || manage_test_says(detail, "mac"));
}

static void removing_revokes_tokens_only_when_asked(void **state)
{
    struct manage_test *test = *state;
    test->secrets[0] = (struct secret){.number = 8, .expires_us = TIME_NEVER};
    test->application.secret_count = 1;
    assert_int_equal(manage_secret_remove(&test->change, &test->application, 9, false),
                     TWOLEG_NOT_FOUND);
    assert_int_equal(manage_secret_remove(&test->change, &test->application, 8, false),
                     TWOLEG_NONE);
    assert_null(manage_test_verb(test, VERB_CREDENTIAL_REVOKE, 0));
    assert_int_equal(manage_secret_remove(&test->change, &test->application, 8, true),
                     TWOLEG_NONE);
    assert_int_equal(manage_test_verb(test, VERB_CREDENTIAL_REVOKE, 0)->number, 8);
    assert_true(manage_test_says(manage_test_verb(test, VERB_AUDIT, 1)->audit.detail,
                                 "\"tokens_revoked\":true"));
}

static void apis_and_scopes(void **state)
{
    struct manage_test *test = *state;
    struct api *made;
    struct manage_api_new new = {.number = 3, .identifier = STR("urn:x"), .scopes = STR("b a b"),
                                 .algorithm = STR("ES256")};
    assert_int_equal(manage_api_create(&test->change, &test->set, &new, &made), TWOLEG_NONE);
    manage_test_is(made->scopes, "a b");
    manage_test_is(made->name, "urn:x");
    new.identifier = STR("https://sms.example");
    assert_int_equal(manage_api_create(&test->change, &test->set, &new, &made), TWOLEG_CONFLICT);
    new.identifier = STR("https://sms.example#x");
    assert_int_equal(manage_api_create(&test->change, &test->set, &new, &made), TWOLEG_MALFORMED);
    char memory[300];
    memset(memory, 'x', sizeof memory);
    memcpy(memory, "urn:", 4);
    new.identifier = str_of(memory, sizeof memory);
    assert_int_equal(manage_api_create(&test->change, &test->set, &new, &made), TWOLEG_MISSING);
    assert_non_null(strstr(test->change.problem, "--name"));
    new.name = STR("short");
    assert_int_equal(manage_api_create(&test->change, &test->set, &new, &made), TWOLEG_NONE);
    const struct api *api;
    assert_int_equal(manage_api_find(&test->change, &test->set, STR(""), &api), TWOLEG_NONE);
    assert_int_equal(api->number, 1);
    assert_int_equal(manage_scope_add(&test->change, api, STR("sms")), TWOLEG_CONFLICT);
    assert_int_equal(manage_scope_add(&test->change, api, STR("two words")),
                     TWOLEG_SCOPE_MALFORMED);
    assert_int_equal(manage_scope_add(&test->change, api, STR("new")), TWOLEG_NONE);
    assert_int_equal(manage_scope_remove(&test->change, api, STR("new")), TWOLEG_NOT_FOUND);
    assert_int_equal(manage_scope_remove(&test->change, api, STR("sms")), TWOLEG_NONE);
    manage_test_is(manage_test_verb(test, VERB_SCOPE_REMOVE, 0)->scope.name, "sms");
}

static void one_token_is_revoked_until_it_expires(void **state)
{
    struct manage_test *test = *state;
    struct token_record record = {.application = 77, .expires_s = 1234, .id = {{1, 2, 3}}};
    struct application application = {.number = 77, .account = 5, .client_id = STR("the-id")};
    test->actor = (struct manage_actor){.name = STR("usr"), .account = 6};
    struct str id = STR("the-token");
    struct manage_change *change = &test->change;
    const enum token_format jwt = FORMAT_JWT;
    assert_int_equal(manage_token_revoke(change, &record, &application, jwt, id), TWOLEG_REFUSED);
    assert_int_equal(manage_token_revoke(change, &record, NULL, jwt, id), TWOLEG_REFUSED);
    assert_int_equal(manage_backup_note(&test->change, STR("/x")), TWOLEG_REFUSED);
    test->actor.operator_rights = true;
    assert_int_equal(manage_token_revoke(change, &record, &application, jwt, id), TWOLEG_NONE);
    const struct store_verb *verb = manage_test_verb(test, VERB_TOKEN_REVOKE, 0);
    assert_int_equal(verb->revoke.expires_s, 1234);
    struct str detail = manage_test_verb(test, VERB_AUDIT, 0)->audit.detail;
    manage_test_is(str_slice(detail, 0, 22), "{\"client_id\":\"the-id\",");
    assert_memory_equal(&verb->revoke.id, &record.id, sizeof record.id);
    assert_int_equal(manage_backup_note(&test->change, STR("/x")), TWOLEG_NONE);
    manage_test_is(manage_test_verb(test, VERB_AUDIT, 1)->audit.object, "store");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(generated_secrets_have_prefix_256_bits_and_checksum),
#ifdef TWOLEG_TEST_HOOKS
        MANAGE_TEST(D8_no_randomness_no_secret),
#endif
        MANAGE_TEST(rfc6749_a2_brought_secrets_are_ascii_with_blanks_inside_up_to_1_kib),
        MANAGE_TEST(ten_live_secrets_are_the_most),
        MANAGE_TEST(a_hundred_secrets_are_the_most),
        MANAGE_TEST(removing_revokes_tokens_only_when_asked),
        MANAGE_TEST(apis_and_scopes),
        MANAGE_TEST(one_token_is_revoked_until_it_expires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
