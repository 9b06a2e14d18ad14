// SPDX-License-Identifier: Apache-2.0
// Refresh tokens as text; whether one is good is the store's to say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "crypto/init.h"
#include "token/refresh.h"

#define FAMILY UINT64_C(0xfedcba9876543210)
#define PREFIX STR("tlf_")

struct world {
    struct env env;
    struct data_key keys[2];
    struct refresh_token token;
};

static int setup(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    env_init(&w.env);
    for (size_t i = 0; i < 2; i++)
        if (mac_key_init(&w.keys[i].mac, i ? "one key that is fixed" : "and another one too", 19))
            return -1;
    if (refresh_token_first(&w.env, PREFIX, FAMILY, &w.token))
        return -1;
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    fault_arm(FAULT_RANDOM, 0, false);
    env_finish(&((struct world *)*state)->env);
    return 0;
}

static bool same(const struct refresh_token *a, const struct refresh_token *b)
{
    return str_equal(refresh_token_str(a), refresh_token_str(b));
}

static struct refresh_token next(const struct data_key *key, uint64_t family, struct str shown)
{
    struct refresh_token token;
    struct sha256 hash = sha256(shown);
    refresh_token_next(key, PREFIX, family, &hash, &token);
    return token;
}

static void it_names_its_family(void **state)
{
    struct world *w = *state;
    uint64_t family = 0;
    struct str text = refresh_token_str(&w->token);
    assert_true(str_starts_with(text, PREFIX));
    assert_true(refresh_token_read(text, PREFIX, &family));
    assert_true(family == FAMILY);
    struct refresh_token second = next(&w->keys[0], FAMILY, text);
    family = 0;
    assert_true(refresh_token_read(refresh_token_str(&second), PREFIX, &family));
    assert_true(family == FAMILY);
}

static void rfc6749_10_10_two_first_ones_have_nothing_in_common_but_their_family(void **state)
{
    struct world *w = *state;
    struct refresh_token other;
    assert_int_equal(refresh_token_first(&w->env, PREFIX, FAMILY, &other), TWOLEG_NONE);
    assert_false(same(&w->token, &other));
    size_t alike = 0, from = PREFIX.len + 11; // 8 bytes of the family, in base64
    for (size_t i = from; i < other.len; i++)
        alike += other.text[i] == w->token.text[i];
    assert_in_range(alike, 0, 10);
}

// RFC 9700 section 4.14.2: the same successor again, and nobody else's.
static void rfc9700_4_14_2_the_next_one_follows_from_key_family_and_token(void **state)
{
    struct world *w = *state;
    struct str text = refresh_token_str(&w->token);
    struct refresh_token one = next(&w->keys[0], FAMILY, text);
    struct refresh_token again = next(&w->keys[0], FAMILY, text);
    assert_true(same(&one, &again));
    struct refresh_token others[] = {next(&w->keys[1], FAMILY, text),
                                     next(&w->keys[0], FAMILY ^ 1, text),
                                     next(&w->keys[0], FAMILY, refresh_token_str(&one)), w->token};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(same(&one, &others[i]));
}

static void expect_none(struct str text)
{
    uint64_t family = 12345;
    if (refresh_token_read(text, PREFIX, &family) || family != 12345)
        fail_msg("\"%.*s\" is taken for a refresh token", STR_ARG(text));
}

static void C15_each_cut_extension_and_flipped_bit_is_none(void **state)
{
    struct world *w = *state;
    char changed[REFRESH_TEXT_MAX + 1];
    struct str text = refresh_token_str(&w->token);
    for (size_t i = 0; i < text.len; i++) {
        expect_none(str_slice(text, 0, i));
        expect_none(str_slice(text, i + 1, text.len));
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(changed, text.ptr, text.len);
            changed[i] = (char)(changed[i] ^ 1 << bit);
            expect_none(str_of(changed, text.len));
        }
    }
    memcpy(changed, text.ptr, text.len);
    for (unsigned c = 0; c < 256; c++) {
        changed[text.len] = (char)c;
        expect_none(str_of(changed, text.len + 1));
    }
    expect_none(STR_NONE);
}

static void another_prefix_is_another_server_s(void **state)
{
    struct world *w = *state;
    uint64_t family;
    struct refresh_token bare;
    assert_false(refresh_token_read(refresh_token_str(&w->token), STR("tlx_"), &family));
    assert_false(refresh_token_read(refresh_token_str(&w->token), STR(""), &family));
    assert_int_equal(refresh_token_first(&w->env, STR(""), 1, &bare), TWOLEG_NONE);
    assert_true(refresh_token_read(refresh_token_str(&bare), STR(""), &family));
    assert_int_equal(family, 1);
    struct refresh_token nobody; // no family has the number 0
    assert_int_equal(refresh_token_first(&w->env, PREFIX, 0, &nobody), TWOLEG_NONE);
    expect_none(refresh_token_str(&nobody));
}

static void the_longest_prefix_fits(void **state)
{
    struct world *w = *state;
    struct refresh_token token;
    uint64_t family;
    struct str prefix = STR("0123456789abcdef");
    assert_int_equal(refresh_token_first(&w->env, prefix, FAMILY, &token), TWOLEG_NONE);
    assert_in_range(token.len, prefix.len, REFRESH_TEXT_MAX);
    assert_true(refresh_token_read(refresh_token_str(&token), prefix, &family));
}

static void D8_without_randomness_there_is_none(void **state)
{
    struct world *w = *state;
    w->env.random_left = 0;
    fault_arm(FAULT_RANDOM, 1, false);
    assert_int_equal(refresh_token_first(&w->env, PREFIX, FAMILY, &w->token), TWOLEG_NO_RANDOM);
}

static int start(void **state)
{
    (void)state;
    return (int)crypto_init();
}

#define TOKEN(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKEN(it_names_its_family),
        TOKEN(rfc6749_10_10_two_first_ones_have_nothing_in_common_but_their_family),
        TOKEN(rfc9700_4_14_2_the_next_one_follows_from_key_family_and_token),
        TOKEN(C15_each_cut_extension_and_flipped_bit_is_none),
        TOKEN(another_prefix_is_another_server_s),
        TOKEN(the_longest_prefix_fits),
        TOKEN(D8_without_randomness_there_is_none),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
