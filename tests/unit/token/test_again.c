// SPDX-License-Identifier: Apache-2.0
// The same token again: which one it is follows from what is asked for, when, and what was revoked.
#include "token_test.h"

#define LIFE_S 3600

static const struct token_shape hex = {.alphabet = TOKEN_HEX, .length = 40};
static const struct token_shape other_hex = {.alphabet = TOKEN_HEX, .length = 40,
                                             .suffix = {"-", 1}};

static struct test_tokens *again_prepare(void **state)
{
    struct test_tokens *t = *state;
    t->decision.format = FORMAT_REFERENCE;
    t->decision.reissue = REISSUE_SAME;
    t->decision.shape = &hex;
    t->context.shapes = &hex;
    t->context.shape_count = 1;
    t->decision.now_us = (int64_t)1000000 * LIFE_S * SECOND_US; // the start of a window
    return t;
}

static struct token_again *again_make(struct test_tokens *t)
{
    struct token_again *again = arena_zalloc(&t->arena, sizeof *again);
    assert_non_null(again);
    assert_int_equal(token_again_make(&t->context, &t->decision, again), TWOLEG_NONE);
    return again;
}

static struct str again_text(const struct token_again *again, enum token_again_which which)
{
    return str_of(again->tokens[which].text, again->tokens[which].len);
}

static bool again_same(const struct token_again *a, enum token_again_which i,
                       const struct token_again *b, enum token_again_which k)
{
    return str_equal(again_text(a, i), again_text(b, k)) &&
           a->tokens[i].key.slot == b->tokens[k].key.slot;
}

static void again_add(struct test_tokens *t, const struct token_again *again,
                      enum token_again_which which, enum twoleg_error expected)
{
    struct store_token_key unless[AGAIN_COUNT];
    const struct token_reference *token = &again->tokens[which];
    for (int i = 0; i < AGAIN_COUNT; i++)
        unless[i] = again->tokens[i].key;
    struct store_verb verb = {.token = {token->key, &token->record, unless, AGAIN_COUNT}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_ADD, ACCOUNT_DEFAULT, &verb), expected);
}

static enum twoleg_error again_find(struct test_tokens *t, const struct token_again *again,
                                    const struct token_known *known, struct issued_token *ret_token)
{
    struct token_again_found alive;
    enum twoleg_error error =
        token_again_find(&t->context, &t->decision, again, known, &t->arena, &alive);
    if (error)
        return error;
    struct token_reference *token = arena_zalloc(&t->arena, sizeof *token);
    assert_non_null(token);
    *token = again->tokens[alive.which];
    token->record = alive.record;
    return token_again_take(&t->context, &t->decision, token, ret_token);
}

static enum twoleg_error again_take(struct test_tokens *t, const struct token_again *again,
                                    struct issued_token *ret_token)
{
    struct token_known known[AGAIN_COUNT] = {0};
    enum twoleg_error error = again_find(t, again, NULL, ret_token);
    if (error != TWOLEG_WAIT)
        return error;
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_COUNT; i++) {
        assert_int_equal(
            token_reference_keys(&t->context, again_text(again, i), &known[i].keys), TWOLEG_NONE);
        known[i].found = store_token(t->on->test->reader, &known[i].keys.all[0], &t->arena,
                                     &known[i].record) == TWOLEG_NONE;
    }
    return again_find(t, again, known, ret_token);
}

static void again_revoke(struct test_tokens *t, const struct token_id *id)
{
    struct store_verb verb = {.revoke = {*id, TEST_NUMBER, 0}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static void it_is_the_same_all_over_a_window_and_known_in_the_next(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct token_again *first = again_make(t);
    assert_true(token_shape_fits(&hex, again_text(first, AGAIN_NOW)));
    assert_memory_equal(first->tokens[AGAIN_NOW].record.id.bytes,
                        sha256(again_text(first, AGAIN_NOW)).bytes, TOKEN_ID_LEN);
    t->decision.now_us += (LIFE_S - 1) * SECOND_US;
    struct token_again *last = again_make(t);
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_COUNT; i++)
        assert_true(again_same(first, i, last, i));
    t->decision.now_us += SECOND_US;
    struct token_again *next = again_make(t);
    assert_true(again_same(first, AGAIN_NOW, next, AGAIN_BEFORE));
    assert_true(again_same(first, AGAIN_NEXT, next, AGAIN_NOW));
    assert_false(again_same(first, AGAIN_NOW, next, AGAIN_NOW));
    assert_false(again_same(first, AGAIN_NOW, first, AGAIN_BEFORE));
}

static void whatever_is_asked_for_names_another_token(void **state)
{
    struct test_tokens *t = again_prepare(state);
    enum { CHANGES = 8 };
    struct decision asked = t->decision, changed[CHANGES];
    struct application application = *asked.application;
    struct api api = *asked.api;
    struct token_again *all[CHANGES + 1];
    size_t count = 0;
    application.number++;
    api.number++;
    for (size_t i = 0; i < CHANGES; i++)
        changed[i] = asked;
    changed[0].application = &application;
    changed[1].generation++;
    changed[2].credential++;
    changed[3].api = &api;
    changed[4].scope = STR("less");
    changed[5].ttl_us += SECOND_US;
    changed[6].ttl_us = TIME_NEVER;
    changed[7].shape = &other_hex;
    all[count++] = again_make(t);
    for (size_t i = 0; i < CHANGES; i++) {
        t->decision = changed[i];
        all[count++] = again_make(t);
    }
    t->decision = asked;
    t->context.epoch++;
    struct token_again *epoch = again_make(t);
    for (size_t i = 0; i < count; i++) {
        struct str text = str_slice(again_text(all[i], AGAIN_NOW), 0, 40);
        assert_false(str_equal(text, again_text(epoch, AGAIN_NOW)));
        for (size_t k = 0; k < i; k++)
            assert_false(str_equal(text, str_slice(again_text(all[k], AGAIN_NOW), 0, 40)));
    }
}

static void without_a_row_it_is_to_be_written_and_then_it_is_taken(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct issued_token token;
    struct token_again *again = again_make(t);
    assert_int_equal(again_find(t, again, NULL, &token), TWOLEG_WAIT);
    assert_int_equal(again_take(t, again, &token), TWOLEG_NOT_FOUND);
    again_add(t, again, AGAIN_NOW, TWOLEG_NONE);
    assert_int_equal(again_take(t, again, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, LIFE_S);
    // In the middle of the next window it lives no more; a second before its end it does.
    t->decision.now_us += (LIFE_S - 1) * SECOND_US;
    assert_int_equal(again_take(t, again_make(t), &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 1);
    assert_int_equal(token.issued_s, again->tokens[AGAIN_NOW].record.issued_s);
    assert_true(str_equal(token.text, again_text(again, AGAIN_NOW)));
    t->decision.now_us += SECOND_US;
    assert_int_equal(again_take(t, again_make(t), &token), TWOLEG_NOT_FOUND);
}

// A worker whose row comes late must not make a second one that lives.
static void two_are_never_written_that_both_live(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct token_again *early = again_make(t);
    t->decision.now_us += (LIFE_S + LIFE_S / 2) * SECOND_US;
    struct token_again *late = again_make(t);
    again_add(t, late, AGAIN_NOW, TWOLEG_NONE);
    again_add(t, early, AGAIN_NOW, TWOLEG_CONFLICT); // its neighbour is there
    again_add(t, late, AGAIN_NOW, TWOLEG_CONFLICT);  // itself, also in another bucket:
    late->tokens[AGAIN_NOW].record.expires_s += 4096;
    again_add(t, late, AGAIN_NOW, TWOLEG_CONFLICT);
    t->decision.now_us += (LIFE_S - 1) * SECOND_US;
    struct token_again *next = again_make(t);
    again_add(t, next, AGAIN_NOW, TWOLEG_CONFLICT); // the one before lives for a second yet
    t->decision.now_us += SECOND_US;
    again_add(t, again_make(t), AGAIN_NOW, TWOLEG_NONE);
}

// No other is written beside it, so whoever asks must be given it.
static void H12_one_of_the_next_window_is_given_where_a_clock_was_ahead(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct issued_token token;
    t->decision.now_us += LIFE_S * SECOND_US;
    struct token_again *ahead = again_make(t);
    again_add(t, ahead, AGAIN_NOW, TWOLEG_NONE);
    t->decision.now_us -= LIFE_S * SECOND_US;
    struct token_again *again = again_make(t);
    assert_int_equal(again_take(t, again, &token), TWOLEG_NONE);
    assert_true(str_equal(token.text, again_text(ahead, AGAIN_NOW)));
    assert_int_equal(token.expires_in_s, 2 * LIFE_S);
    again_add(t, again, AGAIN_NOW, TWOLEG_CONFLICT);
    t->decision.now_us -= LIFE_S * SECOND_US; // that of a window after it is in nobody's way
    again = again_make(t);
    assert_int_equal(again_take(t, again, &token), TWOLEG_NOT_FOUND);
    again_add(t, again, AGAIN_NOW, TWOLEG_NONE);
}

// Another worker, of which nobody has asked for more than what this one is.
static void again_only_cached(struct test_tokens *t, struct str text,
                              const struct token_record *record)
{
    token_cache_destroy(t->context.cache);
    t->context.cache = token_cache_create(64);
    assert_non_null(t->context.cache);
    token_cache_put(t->context.cache, text, TOKEN_CACHE_ROW, record);
}

// It was made by a clock that was ahead, when the one before it was over; now that one lives again.
static void H12_of_two_that_both_live_all_workers_give_the_same(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct issued_token token;
    t->decision.now_us += LIFE_S / 2 * SECOND_US;
    const int64_t now_us = t->decision.now_us;
    struct token_again *first = again_make(t);
    again_add(t, first, AGAIN_NOW, TWOLEG_NONE);
    t->decision.now_us = now_us + LIFE_S * SECOND_US;
    struct token_again *ahead = again_make(t);
    again_add(t, ahead, AGAIN_NOW, TWOLEG_NONE);
    for (int half = 0; half < 2; half++) { // of a life: then the next window has begun
        t->decision.now_us = now_us + half * (LIFE_S / 2) * SECOND_US;
        again_only_cached(t, again_text(ahead, AGAIN_NOW), &ahead->tokens[AGAIN_NOW].record);
        struct token_again *again = again_make(t);
        assert_int_equal(again_find(t, again, NULL, &token), TWOLEG_WAIT);
        assert_int_equal(again_take(t, again, &token), TWOLEG_NONE);
        assert_true(str_equal(token.text, again_text(first, AGAIN_NOW)));
    }
    // Since then none before it lives: nobody is asked.
    t->decision.now_us = now_us + LIFE_S * SECOND_US;
    again_only_cached(t, again_text(ahead, AGAIN_NOW), &ahead->tokens[AGAIN_NOW].record);
    assert_int_equal(again_find(t, again_make(t), NULL, &token), TWOLEG_NONE);
    assert_true(str_equal(token.text, again_text(ahead, AGAIN_NOW)));
}

static void G10_the_first_that_is_not_revoked_is_found_in_few_steps(void **state)
{
    struct test_tokens *t = again_prepare(state);
    enum { REVOKED = 200 };
    struct str seen[REVOKED];
    for (unsigned i = 0; i < REVOKED; i++) {
        struct token_again *again = again_make(t);
        seen[i] = again_text(again, AGAIN_NOW);
        for (unsigned k = 0; k < i; k++)
            assert_false(str_equal(seen[i], seen[k]));
        unsigned long before = mac_count();
        again = again_make(t);
        // 6 for each spelling, 2 of them for the other windows; log2(200) up and down again.
        assert_true(mac_count() - before <= 6 * (2 + 2 * 9));
        assert_true(str_equal(seen[i], again_text(again, AGAIN_NOW)));
        again_revoke(t, &again->tokens[AGAIN_NOW].record.id);
    }
    t->decision.now_us += LIFE_S * SECOND_US;
    struct token_again *next = again_make(t);
    assert_false(registry_token_revoked(t->on->registry, &next->tokens[AGAIN_BEFORE].record.id));
}

// V37: what is over leads to what lives, also where it ended days before that.
static void G10_a_long_life_forgets_no_revocation_too_early(void **state)
{
    enum { DAY_S = 86400, DAYS = 7 };
    struct test_tokens *t = again_prepare(state);
    t->decision.ttl_us = (int64_t)DAYS * DAY_S * SECOND_US;
    t->decision.now_us = t->decision.ttl_us * 3000;
    struct token_again *first = again_make(t);
    struct store_verb verb = {.revoke = {first->tokens[AGAIN_NOW].record.id, TEST_NUMBER,
                                         token_record_forget_s(&first->tokens[AGAIN_NOW].record)}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    t->decision.now_us += (DAYS - 1) * (int64_t)DAY_S * SECOND_US; // the window's last day
    struct token_again *last = again_make(t);
    assert_false(again_same(first, AGAIN_NOW, last, AGAIN_NOW));
    for (int day = DAYS; day < 2 * DAYS; day++) {
        t->decision.now_us += DAY_S * SECOND_US;
        registry_purge(t->on->registry, t->decision.now_us / SECOND_US - REVOCATION_KEPT_S);
        struct token_again *again = again_make(t);
        assert_true(again_same(last, AGAIN_NOW, again, AGAIN_BEFORE));
    }
    t->decision.now_us += 2 * DAY_S * SECOND_US;
    registry_purge(t->on->registry, t->decision.now_us / SECOND_US - REVOCATION_KEPT_S);
    assert_false(registry_token_revoked(t->on->registry, &first->tokens[AGAIN_NOW].record.id));
}

static enum twoleg_error sole_find(struct test_tokens *t, const struct store_token_sole *sole)
{
    struct token_reference token;
    struct issued_token issued;
    enum twoleg_error error = token_sole_find(&t->context, &t->decision, sole, &token);
    return error ? error : token_again_take(&t->context, &t->decision, &token, &issued);
}

// Whoever asked for the same at the same moment is given it; nobody else, and not when it is dead.
static void one_that_is_replaced_is_made_anew_and_found_by_its_nonce(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct token_reference first, second;
    struct store_token_sole sole, other;
    t->decision.reissue = REISSUE_REPLACE;
    assert_int_equal(token_sole_make(&t->context, &t->decision, &other.nonce, &second),
                     TWOLEG_NONE);
    assert_int_equal(token_sole_make(&t->context, &t->decision, &sole.nonce, &first), TWOLEG_NONE);
    assert_true(first.len == second.len && memcmp(first.text, second.text, first.len) != 0);
    sole.hash = first.key.hash;
    sole.record = first.record;
    assert_int_equal(sole_find(t, &sole), TWOLEG_NONE);
    struct store_token_sole wrong = sole;
    wrong.nonce = other.nonce;
    assert_int_equal(sole_find(t, &wrong), TWOLEG_NOT_FOUND);
    const struct decision asked = t->decision;
    struct decision changed[] = {asked, asked, asked, asked, asked};
    changed[0].credential++;
    changed[1].scope = STR("less");
    changed[2].family++;
    changed[3].shape = &other_hex;
    changed[4].generation++;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        t->decision = changed[i];
        assert_int_equal(sole_find(t, &sole), TWOLEG_NOT_FOUND);
    }
    t->decision = asked;
    assert_int_equal(sole_find(t, &sole), TWOLEG_NONE);
    again_revoke(t, &sole.record.id);
    assert_int_equal(sole_find(t, &sole), TWOLEG_NOT_FOUND);
}

static void what_cannot_be_had_is_no_token(void **state)
{
    struct test_tokens *t = again_prepare(state);
    struct token_again again;
    t->env.random_left = 0;
    fault_arm(FAULT_RANDOM, 1, true);
    assert_int_equal(token_again_make(&t->context, &t->decision, &again), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    struct token_reference token;
    struct token_nonce nonce;
    t->env.random_left = 0;
    fault_arm(FAULT_RANDOM, 1, true);
    assert_int_equal(token_sole_make(&t->context, &t->decision, &nonce, &token), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    t->decision.format = FORMAT_SEALED;
    assert_int_equal(token_again_make(&t->context, &t->decision, &again), TWOLEG_INTERNAL);
    assert_int_equal(token_sole_make(&t->context, &t->decision, &nonce, &token), TWOLEG_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS(it_is_the_same_all_over_a_window_and_known_in_the_next),
        TOKENS(whatever_is_asked_for_names_another_token),
        TOKENS(without_a_row_it_is_to_be_written_and_then_it_is_taken),
        TOKENS(two_are_never_written_that_both_live),
        TOKENS(H12_one_of_the_next_window_is_given_where_a_clock_was_ahead),
        TOKENS(H12_of_two_that_both_live_all_workers_give_the_same),
        TOKENS(G10_the_first_that_is_not_revoked_is_found_in_few_steps),
        TOKENS(G10_a_long_life_forgets_no_revocation_too_early),
        TOKENS(one_that_is_replaced_is_made_anew_and_found_by_its_nonce),
        TOKENS(what_cannot_be_had_is_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
