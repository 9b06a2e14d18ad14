// SPDX-License-Identifier: Apache-2.0
// Tokens that are signed on the pool (design 3.3): the token that comes back is given out only if
// it is what the request still asks for.
#include "token_test.h"

// The test's API, as one that signs with RSA, with a key for it in the store.
static void slow_prepare(struct test_tokens *t, struct api *api)
{
    const struct sign_algorithm *rs256 = sign_algorithm_find(STR("RS256"));
    struct sign_key *key = NULL;
    struct keyring_row row;
    assert_int_equal(sign_key_create(rs256, &key), TWOLEG_NONE);
    assert_int_equal(keyring_first_row(t->keyring, key, rs256, &t->env, &t->arena, &row),
                     TWOLEG_NONE);
    sign_key_free(&key);
    struct store_verb verb = {.key = row.key, .expected_wrapped = row.guard};
    assert_int_equal(test_one(t->on->test, VERB_KEY_CREATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_non_null(keyring_signing(keyring_current(t->keyring), STR("RS256")));
    *api = *t->decision.api;
    api->algorithm = STR("RS256");
    t->decision.api = api;
    t->decision.format = FORMAT_JWT;
}

static struct token_slow *slow_signed(struct test_tokens *t)
{
    struct issued_token none;
    struct token_slow *slow = NULL;
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &none), TWOLEG_WAIT);
    assert_int_equal(token_slow_create(&t->context, &t->decision, &t->arena, &slow), TWOLEG_NONE);
    assert_int_equal(token_slow_sign(slow), TWOLEG_NONE);
    return slow;
}

static void what_was_signed_slowly_is_read_back(void **state)
{
    struct test_tokens *t = *state;
    struct api api;
    struct issued_token token;
    slow_prepare(t, &api);
    struct token_slow *slow = slow_signed(t);
    assert_int_equal(token_slow_take(&t->context, &t->decision, slow, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 3600);
    tokens_expect_record(t, &token, FORMAT_JWT);
    // Its life began when it was made, and is said to be whole.
    t->decision.now_us += 2 * SECOND_US;
    assert_int_equal(token_slow_take(&t->context, &t->decision, slow, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 3600);
    t->decision.now_us += 3598 * SECOND_US;
    assert_int_equal(token_slow_take(&t->context, &t->decision, slow, &token), TWOLEG_NOT_FOUND);
    token_slow_free(&slow);
    assert_null(slow);
}

static void what_has_changed_meanwhile_is_not_given_out(void **state)
{
    struct test_tokens *t = *state;
    struct api api;
    struct issued_token token = {0};
    slow_prepare(t, &api);
    struct token_slow *slow = slow_signed(t);
    struct tokens_others others;
    tokens_others(t, &others);
    for (size_t i = 0; i < TOKENS_OTHERS; i++)
        assert_int_equal(token_slow_take(&t->context, &others.all[i], slow, &token),
                         TWOLEG_NOT_FOUND);
    assert_null(token.text.ptr);
    assert_int_equal(token_slow_take(&t->context, &t->decision, slow, &token), TWOLEG_NONE);
    token_slow_free(&slow);
}

static void a_key_that_no_longer_signs_gives_no_token(void **state)
{
    struct test_tokens *t = *state;
    struct api api;
    struct issued_token token;
    struct store_verb verb = {0};
    slow_prepare(t, &api);
    struct token_slow *slow = slow_signed(t);
    verb.key.id = keyring_signing(keyring_current(t->keyring), STR("RS256"))->id;
    verb.key.state = STR("gone");
    assert_int_equal(test_one(t->on->test, VERB_KEY_STATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(token_slow_take(&t->context, &t->decision, slow, &token), TWOLEG_NOT_FOUND);
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_INTERNAL);
    token_slow_free(&slow);
}

// The set may be replaced, and freed, while a token waits for its signature.
static void the_signature_needs_no_key_set(void **state)
{
    struct test_tokens *t = *state;
    struct api api;
    struct token_slow *slow = NULL;
    slow_prepare(t, &api);
    assert_int_equal(token_slow_create(&t->context, &t->decision, &t->arena, &slow), TWOLEG_NONE);
    const struct store_change change = {.kind = CHANGE_KEY};
    keyring_on_change(t->keyring, &change, 1);
    keyring_on_change(t->keyring, &change, 1);
    assert_int_equal(token_slow_sign(slow), TWOLEG_NONE);
    struct issued_token token;
    assert_int_equal(token_slow_take(&t->context, &t->decision, slow, &token), TWOLEG_NONE);
    tokens_expect(t, token.text, TWOLEG_NONE);
    token_slow_free(&slow);
}

static void no_memory_and_no_randomness_leave_nothing(void **state)
{
    struct test_tokens *t = *state;
    struct api api;
    struct token_slow *slow = NULL;
    slow_prepare(t, &api);
    for (unsigned long nth = 1; nth <= 2; nth++) {
        fault_arm(FAULT_MEMORY, nth, false);
        assert_int_equal(token_slow_create(&t->context, &t->decision, &t->arena, &slow),
                         TWOLEG_NO_MEMORY);
        fault_arm(FAULT_MEMORY, 0, false);
    }
    fault_arm(FAULT_RANDOM, 1, true);
    enum twoleg_error error = TWOLEG_NONE;
    for (int i = 0; i < 1000 && !error; i++) { // some was drawn in advance
        error = token_slow_create(&t->context, &t->decision, &t->arena, &slow);
        token_slow_free(&slow);
    }
    fault_arm(FAULT_RANDOM, 0, false);
    assert_int_equal(error, TWOLEG_NO_RANDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_signed_slowly_is_read_back, tokens_setup,
                                        tokens_teardown),
        cmocka_unit_test_setup_teardown(what_has_changed_meanwhile_is_not_given_out, tokens_setup,
                                        tokens_teardown),
        cmocka_unit_test_setup_teardown(a_key_that_no_longer_signs_gives_no_token, tokens_setup,
                                        tokens_teardown),
        cmocka_unit_test_setup_teardown(the_signature_needs_no_key_set, tokens_setup,
                                        tokens_teardown),
        cmocka_unit_test_setup_teardown(no_memory_and_no_randomness_leave_nothing, tokens_setup,
                                        tokens_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
