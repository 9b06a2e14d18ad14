// SPDX-License-Identifier: Apache-2.0
#include "codec/bearer.h"

#include "codec_test.h"

static const struct str usual[] = {{"Bearer", 6}};

static void assert_scheme(const struct bearer_schemes *schemes, struct str header,
                          enum twoleg_error error, struct str token)
{
    struct str got = STR_NONE;
    char *copy = exact_copy(header);
    assert_error(bearer_parse(str_of(copy, header.len), schemes, &got), error, header);
    assert_text(got, token);
    test_free(copy);
}

static void assert_bearer(struct str header, enum twoleg_error error, struct str token)
{
    assert_scheme(&(struct bearer_schemes){usual, 1, true}, header, error, token);
}

static void rfc6750_2_1_example(void **state)
{
    (void)state;
    assert_bearer(STR("Bearer mF_9.B5f-4.1JqM"), TWOLEG_NONE, STR("mF_9.B5f-4.1JqM"));
    assert_bearer(STR("bEARER a"), TWOLEG_NONE, STR("a"));
}

static void tokens_of_existing_apis_hold_any_visible_byte(void **state)
{
    (void)state;
    char header[] = "Bearer a?z";
    for (unsigned c = 0; c < 256; c++) {
        header[8] = (char)c;
        bool visible = c >= 0x21 && c <= 0x7e;
        assert_bearer(STR(header), visible ? TWOLEG_NONE : TWOLEG_TOKEN_MALFORMED,
                      visible ? str_of(header + 7, 3) : STR_NONE);
    }
    assert_bearer(STR("Bearer $2y$10$abc"), TWOLEG_NONE, STR("$2y$10$abc"));
}

static void no_token_is_told_from_a_bad_one(void **state)
{
    (void)state;
    static const char *const absent[] = {"", "Basic YTpi", "Bearertoken", "Beare token",
                                         " Bearer a", "Bearer\ta", "DPoP a", "token"};
    static const char *const bad[] = {"Bearer", "Bearer ", "Bearer  a", "Bearer a ", "Bearer a b",
                                      "Bearer a\n", "Bearer \xc3\xa4", "Bearer a, Basic b"};
    for (size_t i = 0; i < COUNT(absent); i++)
        assert_bearer(str_from(absent[i]), TWOLEG_TOKEN_ABSENT, STR_NONE);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_bearer(str_from(bad[i]), TWOLEG_TOKEN_MALFORMED, STR_NONE);
    assert_bearer(STR_NONE, TWOLEG_TOKEN_ABSENT, STR_NONE);
}

// T13: clients put token_type before the token. T9, T20: exactly one blank, where a dialect says
// so.
static void T13_other_schemes_and_none(void **state)
{
    (void)state;
    static const struct str names[] = {{"Bearer", 6}, {"BearerToken", 11}};
    static const struct str none[] = {{"none", 4}};
    const struct bearer_schemes two = {names, 2, false}, bare = {none, 1, true};
    assert_scheme(&two, STR("BearerToken a"), TWOLEG_NONE, STR("a"));
    assert_scheme(&two, STR("bearertoken   a "), TWOLEG_NONE, STR("a"));
    assert_scheme(&two, STR("Bearer a"), TWOLEG_NONE, STR("a"));
    assert_scheme(&two, STR("BearerTokens a"), TWOLEG_TOKEN_ABSENT, STR_NONE);
    assert_scheme(&two, STR("none"), TWOLEG_TOKEN_ABSENT, STR_NONE);
    assert_scheme(&bare, STR("abc"), TWOLEG_NONE, STR("abc"));
    assert_scheme(&bare, STR("none abc"), TWOLEG_TOKEN_ABSENT, STR_NONE);
    assert_scheme(&bare, STR("Bearer abc"), TWOLEG_TOKEN_ABSENT, STR_NONE);
    assert_scheme(&bare, STR(""), TWOLEG_TOKEN_ABSENT, STR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6750_2_1_example),
        cmocka_unit_test(tokens_of_existing_apis_hold_any_visible_byte),
        cmocka_unit_test(no_token_is_told_from_a_bad_one),
        cmocka_unit_test(T13_other_schemes_and_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
