// SPDX-License-Identifier: Apache-2.0
// Reference tokens: what is issued is found again, and nothing else is.
#include "token_test.h"

#include "codec/base62.h"

static const struct token_shape hex = {.alphabet = TOKEN_HEX, .length = 40};
static const struct token_shape uuid = {.alphabet = TOKEN_UUID, .length = 36};
static const struct token_shape letters = {.alphabet = TOKEN_BASE62, .length = 28,
                                           .prefix = {"rs.", 3}, .suffix = {"+", 1}};
static const struct token_shape *const shapes[] = {NULL, &hex, &uuid, &letters};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void reference_prepare(struct test_tokens *t, const struct token_shape *shape)
{
    t->decision.format = FORMAT_REFERENCE;
    t->decision.shape = shape;
    t->context.shapes = shape;
    t->context.shape_count = shape ? 1 : 0;
}

// Made, and its row written.
static struct token_reference *reference_make(struct test_tokens *t)
{
    struct token_reference *token = arena_zalloc(&t->arena, sizeof *token);
    assert_non_null(token);
    assert_int_equal(token_reference_make(&t->context, &t->decision, token), TWOLEG_NONE);
    struct store_verb verb = {.token = {.key = token->key, .record = &token->record}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_NONE);
    return token;
}

static struct str reference_issue(struct test_tokens *t)
{
    struct issued_token token;
    struct token_reference *made = reference_make(t);
    assert_int_equal(token_reference_take(&t->context, &t->decision, made, &token), TWOLEG_NONE);
    return token.text;
}

// As a request reads it; *looks counts the times that the store was asked.
static enum twoleg_error reference_read(struct test_tokens *t, struct str text,
                                        struct token_record *ret_record, unsigned *looks)
{
    struct token_known known = {0};
    enum token_format format;
    enum twoleg_error error =
        token_read(&t->context, text, NULL, &t->arena, ret_record, &format);
    if (error != TWOLEG_WAIT)
        return error;
    (*looks)++;
    assert_int_equal(token_reference_keys(&t->context, text, &known.keys), TWOLEG_NONE);
    error = TWOLEG_NOT_FOUND;
    for (size_t i = 0; i < known.keys.count && error == TWOLEG_NOT_FOUND; i++)
        error = store_token(t->on->test->reader, &known.keys.all[i], &t->arena, &known.record);
    known.found = error == TWOLEG_NONE;
    assert_true(known.found || error == TWOLEG_NOT_FOUND);
    error = token_read(&t->context, text, &known, &t->arena, ret_record, &format);
    assert_int_equal(format, FORMAT_REFERENCE);
    return error;
}

static enum twoleg_error reference_ask(struct test_tokens *t, struct str text)
{
    struct token_record record;
    unsigned looks = 0;
    return reference_read(t, text, &record, &looks);
}

static void what_was_issued_is_read_back(void **state)
{
    struct test_tokens *t = *state;
    for (size_t i = 0; i < SHAPES; i++) {
        reference_prepare(t, shapes[i]);
        struct issued_token token;
        struct token_record record = {0};
        unsigned looks = 0;
        struct token_reference *made = reference_make(t);
        assert_int_equal(token_reference_take(&t->context, &t->decision, made, &token),
                         TWOLEG_NONE);
        assert_int_equal(token.expires_in_s, 3600);
        assert_true(token_shape_fits(shapes[i] ? shapes[i] : &token_shape_default, token.text));
        assert_int_equal(reference_read(t, token.text, &record, &looks), TWOLEG_NONE);
        assert_int_equal(looks, 1);
        assert_memory_equal(record.id.bytes, sha256(token.text).bytes, TOKEN_ID_LEN);
        tokens_expect_record(t, &token, FORMAT_REFERENCE); // from the cache
        assert_int_equal(reference_read(t, token.text, &record, &looks), TWOLEG_NONE);
        assert_int_equal(looks, 1);
    }
}

static void a_life_without_end_is_one(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    struct token_record record;
    unsigned looks = 0;
    reference_prepare(t, NULL);
    t->decision.ttl_us = TIME_NEVER;
    struct token_reference *made = reference_make(t);
    t->decision.now_us += 100000 * SECOND_US;
    assert_int_equal(token_reference_take(&t->context, &t->decision, made, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 0);
    assert_int_equal(reference_read(t, token.text, &record, &looks), TWOLEG_NONE);
    assert_int_equal(record.expires_s, 0);
    t->decision.ttl_us = 3600 * SECOND_US;
    assert_int_equal(token_reference_take(&t->context, &t->decision, made, &token),
                     TWOLEG_NOT_FOUND);
}

static void what_has_changed_meanwhile_is_not_given_out(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token = {0};
    reference_prepare(t, NULL);
    struct token_reference *made = reference_make(t);
    struct tokens_others others;
    tokens_others(t, &others);
    for (size_t i = 0; i < TOKENS_OTHERS; i++)
        assert_int_equal(token_reference_take(&t->context, &others.all[i], made, &token),
                         TWOLEG_NOT_FOUND);
    struct decision shaped = t->decision, late = t->decision;
    shaped.shape = &hex;
    late.now_us += 3600 * SECOND_US;
    assert_int_equal(token_reference_take(&t->context, &shaped, made, &token), TWOLEG_NOT_FOUND);
    assert_int_equal(token_reference_take(&t->context, &late, made, &token), TWOLEG_NOT_FOUND);
    assert_null(token.text.ptr);
    t->context.epoch++;
    assert_int_equal(token_reference_take(&t->context, &t->decision, made, &token),
                     TWOLEG_NOT_FOUND);
    t->context.epoch--;
    t->decision.now_us += 5 * SECOND_US;
    assert_int_equal(token_reference_take(&t->context, &t->decision, made, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 3600);
}

// Rows 38 and C15, for each shape: cut, extended, flipped, in the other case.
static void C15_nothing_near_a_token_is_one(void **state)
{
    struct test_tokens *t = *state;
    for (size_t s = 0; s < SHAPES; s++) {
        reference_prepare(t, shapes[s]);
        struct str text = reference_issue(t);
        tokens_cut_and_extend(t, text, reference_ask);
        tokens_flip_each_bit(t, text, reference_ask);
    }
}

// One in 2^28 of the texts that fit 40 hex digits has a good tag: the store is asked for no other.
static void what_is_made_up_does_not_reach_the_store(void **state)
{
    struct test_tokens *t = *state;
    reference_prepare(t, &hex);
    unsigned looks = 0;
    struct token_record record;
    char text[40];
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t bytes[40];
        assert_true(env_random(&t->env, bytes, sizeof bytes));
        for (size_t at = 0; at < sizeof text; at++)
            text[at] = "0123456789abcdef"[bytes[at] & 15];
        assert_int_equal(reference_read(t, str_of(text, sizeof text), &record, &looks),
                         TWOLEG_TOKEN_FORGED);
    }
    assert_int_equal(looks, 0);
    // Also what has a slot of another's: the tag covers it.
    struct str good = reference_issue(t);
    memcpy(text, good.ptr, sizeof text);
    text[30] = text[30] == '0' ? '1' : '0';
    assert_int_equal(reference_read(t, str_of(text, sizeof text), &record, &looks),
                     TWOLEG_TOKEN_FORGED);
    assert_int_equal(looks, 0);
}

// A token whose row is gone, or never came: its tag is good, and it is unknown all the same.
static void without_its_row_a_token_is_none(void **state)
{
    struct test_tokens *t = *state;
    reference_prepare(t, NULL);
    struct token_reference token;
    struct token_record record;
    unsigned looks = 0;
    assert_int_equal(token_reference_make(&t->context, &t->decision, &token), TWOLEG_NONE);
    struct str text = str_of(token.text, token.len);
    assert_int_equal(reference_read(t, text, &record, &looks), TWOLEG_TOKEN_UNKNOWN);
    // That is not remembered: as soon as the row is there it is found.
    struct store_verb verb = {.token = {.key = token.key, .record = &token.record}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_NONE);
    assert_int_equal(reference_read(t, text, &record, &looks), TWOLEG_NONE);
    assert_int_equal(looks, 2);
}

// What was looked up for one token says nothing of another.
static void an_answer_about_another_token_is_none(void **state)
{
    struct test_tokens *t = *state;
    reference_prepare(t, NULL);
    struct str text = reference_issue(t), other = reference_issue(t);
    struct token_known known = {0};
    struct token_record record;
    enum token_format format;
    assert_int_equal(token_reference_keys(&t->context, other, &known.keys), TWOLEG_NONE);
    assert_int_equal(known.keys.count, 1);
    assert_int_equal(
        store_token(t->on->test->reader, &known.keys.all[0], &t->arena, &known.record),
        TWOLEG_NONE);
    known.found = true;
    assert_int_equal(token_read(&t->context, text, &known, &t->arena, &record, &format),
                     TWOLEG_WAIT);
    assert_int_equal(token_read(&t->context, other, &known, &t->arena, &record, &format),
                     TWOLEG_NONE);
}

static void a_shape_that_nobody_knows_any_more_is_no_token(void **state)
{
    struct test_tokens *t = *state;
    reference_prepare(t, &hex);
    struct str text = reference_issue(t);
    t->context.shape_count = 0;
    assert_int_equal(reference_ask(t, text), TWOLEG_TOKEN_MALFORMED);
    t->context.shape_count = 1;
    assert_int_equal(reference_ask(t, text), TWOLEG_NONE);
}

// All that is of the one shape fits the other, too, and one in 4096 has a tag that is good there:
// the row decides.
static void a_text_that_two_shapes_claim_is_the_one_that_was_issued(void **state)
{
    struct test_tokens *t = *state;
    static const struct token_shape both[] = {
        {.alphabet = TOKEN_HEX, .length = 36},
        {.alphabet = TOKEN_HEX, .length = 35, .prefix = {"0", 1}}};
    struct token_reference token;
    struct token_record record;
    struct token_keys keys = {.count = 0};
    unsigned looks = 0;
    reference_prepare(t, &both[1]);
    t->context.shapes = both;
    t->context.shape_count = 2;
    for (unsigned i = 0; i < 200000 && keys.count != 2; i++) {
        assert_int_equal(token_reference_make(&t->context, &t->decision, &token), TWOLEG_NONE);
        assert_int_equal(token_reference_keys(&t->context, str_of(token.text, token.len), &keys),
                         TWOLEG_NONE);
    }
    assert_int_equal(keys.count, 2);
    assert_int_not_equal(keys.all[0].slot, token.key.slot);
    struct store_verb verb = {.token = {.key = token.key, .record = &token.record}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), TWOLEG_NONE);
    assert_int_equal(reference_read(t, str_of(token.text, token.len), &record, &looks),
                     TWOLEG_NONE);
    assert_int_equal(looks, 1);
}

// Tokens of one moment share a slot; nobody sees which, and the next moment has another.
static void tokens_of_one_moment_lie_together(void **state)
{
    struct test_tokens *t = *state;
    reference_prepare(t, &hex);
    char seen[16] = {0};
    struct token_reference first, next;
    assert_int_equal(token_reference_make(&t->context, &t->decision, &first), TWOLEG_NONE);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(token_reference_make(&t->context, &t->decision, &next), TWOLEG_NONE);
        assert_int_equal(next.key.slot, first.key.slot);
        seen[strchr("0123456789abcdef", next.text[30]) - "0123456789abcdef"] = 1;
        struct token_keys keys;
        assert_int_equal(token_reference_keys(&t->context, str_of(next.text, next.len), &keys),
                         TWOLEG_NONE);
        assert_int_equal(keys.all[0].slot, first.key.slot);
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_equal(seen[i], 1);
    t->env.mono_us += 8000;
    assert_int_equal(token_reference_make(&t->context, &t->decision, &next), TWOLEG_NONE);
    assert_int_equal(next.key.slot, (first.key.slot + 1) % 4096);
}

// Every digit in every random place, each about as often as the others.
static void each_place_takes_each_digit(void **state)
{
    struct test_tokens *t = *state;
    enum { TOKENS = 6200 };
    static unsigned counts[28][128];
    reference_prepare(t, &letters);
    memset(counts, 0, sizeof counts);
    for (unsigned i = 0; i < TOKENS; i++) {
        struct token_reference token;
        assert_int_equal(token_reference_make(&t->context, &t->decision, &token), TWOLEG_NONE);
        for (size_t at = 0; at < 28; at++)
            counts[at][(unsigned char)token.text[3 + at] & 127]++;
    }
    for (size_t at = 0; at < 28; at++)
        for (const char *digit = base62_digits; *digit; digit++)
            assert_in_range(counts[at][(unsigned char)*digit], 40, 170); // 100, six sigma
}

static void without_randomness_nothing_is_made(void **state)
{
    struct test_tokens *t = *state;
    struct token_reference token;
    reference_prepare(t, NULL);
    for (size_t left = 0; left < TOKEN_ID_LEN + 21; left++) {
        t->env.random_left = left;
        fault_arm(FAULT_RANDOM, 1, true);
        assert_int_equal(token_reference_make(&t->context, &t->decision, &token),
                         TWOLEG_NO_RANDOM);
    }
    fault_arm(FAULT_RANDOM, 0, false);
    assert_int_equal(token_reference_make(&t->context, &t->decision, &token), TWOLEG_NONE);
}

static void it_is_not_issued_without_a_row(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token = {0};
    reference_prepare(t, NULL);
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_WAIT);
    assert_null(token.text.ptr);
    t->decision.format = FORMAT_SEALED;
    struct token_reference none;
    assert_int_equal(token_reference_make(&t->context, &t->decision, &none), TWOLEG_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS(what_was_issued_is_read_back),
        TOKENS(a_life_without_end_is_one),
        TOKENS(what_has_changed_meanwhile_is_not_given_out),
        TOKENS(C15_nothing_near_a_token_is_one),
        TOKENS(what_is_made_up_does_not_reach_the_store),
        TOKENS(without_its_row_a_token_is_none),
        TOKENS(an_answer_about_another_token_is_none),
        TOKENS(a_shape_that_nobody_knows_any_more_is_no_token),
        TOKENS(a_text_that_two_shapes_claim_is_the_one_that_was_issued),
        TOKENS(tokens_of_one_moment_lie_together),
        TOKENS(each_place_takes_each_digit),
        TOKENS(without_randomness_nothing_is_made),
        TOKENS(it_is_not_issued_without_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
