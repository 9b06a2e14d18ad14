// SPDX-License-Identifier: Apache-2.0
#include "codec/basic.h"

#include "arena_test.h"
#include "base64_text.h"

static void assert_basic(struct str header, enum twoleg_error error, struct str id,
                         struct str secret)
{
    struct str got_id = STR_NONE;
    struct str got_secret = STR_NONE;
    char *copy = exact_copy(header);
    assert_error(basic_parse(str_of(copy, header.len), &arena, &got_id, &got_secret), error,
                 header);
    assert_text(got_id, id);
    assert_text(got_secret, secret);
    test_free(copy);
}

static void rfc7617_2_examples(void **state)
{
    (void)state;
    assert_basic(STR("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), TWOLEG_NONE, STR("Aladdin"),
                 STR("open sesame"));
    assert_basic(STR("Basic dGVzdDoxMjPCow=="), TWOLEG_NONE, STR("test"), STR("123\xc2\xa3"));
}

static void rfc6749_2_3_1_example(void **state)
{
    (void)state;
    assert_basic(STR("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"), TWOLEG_NONE,
                 STR("s6BhdRkqt3"), STR("7Fjfp0ZBr1KtDRbnfVdmIw"));
}

static void rfc9110_11_1_scheme_in_any_case_and_blanks(void **state)
{
    (void)state;
    assert_basic(STR("bASIC YTpi"), TWOLEG_NONE, STR("a"), STR("b"));
    assert_basic(STR("basic   YTpi"), TWOLEG_NONE, STR("a"), STR("b"));
    assert_basic(STR("BASIC YTpi "), TWOLEG_NONE, STR("a"), STR("b"));
}

static void other_schemes_are_no_basic(void **state)
{
    (void)state;
    static const char *const others[] = {"", "Bearer YTpi", "BasicYTpi", "Basi YTpi", "Basic,a",
                                         "Basic\tYTpi", " Basic YTpi", "Basics YTpi", "YTpi"};
    for (size_t i = 0; i < COUNT(others); i++)
        assert_basic(str_from(others[i]), TWOLEG_CLIENT_MISSING, STR_NONE, STR_NONE);
    assert_basic(STR_NONE, TWOLEG_CLIENT_MISSING, STR_NONE, STR_NONE);
}

static void B7_malformed_credentials(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Basic",         "Basic ",        "Basic    ",      "Basic YTpi=",    "Basic YTpiYw",
        "Basic YTpiYw=", "Basic YTp i",   "Basic YTpi,x",   "Basic YTpi\n",   "Basic YTp",
        "Basic -_-_",    "Basic YTpiYx==", "Basic YWJj",     "Basic OmFi",     "Basic Og==",
        "Basic a:b",     "Basic =",       "Basic ====",     "Basic \"YTpi\"", "Basic YTpi YTpi",
        "Basic YToA",     // a:NUL
        "Basic ADph",     // NUL:a
        "Basic YToKYg==", // a:LF b
        "Basic YTp/",     // a:DEL
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_basic(str_from(bad[i]), TWOLEG_CLIENT_MALFORMED, STR_NONE, STR_NONE);
}

static void T5_white_space_behind_the_secret_is_cut_off_where_it_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *header, *secret; // NULL: malformed
    } rows[] = {
        {"Basic YTpi", "b"},         {"Basic YTpiIA==", "b"},   {"Basic YTpiCg==", "b"},
        {"Basic YTpiIA0KCSA=", "b"}, {"Basic YTog", ""},        {"Basic YToK", ""},
        {"Basic YTogYg==", " b"},    {"Basic YToKYg==", NULL},  {"Basic YQo6Yg==", NULL},
        {"Basic ICAg", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str id, secret;
        enum twoleg_error error =
            basic_parse_trimmed(str_from(rows[i].header), &arena, &id, &secret);
        assert_int_equal(error, rows[i].secret ? TWOLEG_NONE : TWOLEG_CLIENT_MALFORMED);
        if (rows[i].secret) {
            assert_text(id, STR("a"));
            assert_text(secret, str_from(rows[i].secret));
        }
    }
}

// Every byte at every place of pairs of every length up to 40.
static void B7_a_control_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t len = 3; len <= 40; len++) {
        for (size_t at = 2; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char pair[40], memory[80];
                struct buf out;
                struct str id, secret;
                memset(pair, 'a', len);
                pair[1] = ':';
                pair[at] = (char)byte;
                buf_init(&out, memory, sizeof memory);
                buf_add(&out, STR("Basic "));
                base64_text(&out, pair, len);
                bool control = byte < 0x20 || byte == 0x7f;
                assert_int_equal(basic_parse(buf_str(&out), &arena, &id, &secret),
                                 control ? TWOLEG_CLIENT_MALFORMED : TWOLEG_NONE);
                arena_finish(&arena);
            }
        }
    }
}

static void B7_B9_empty_secret_and_colons(void **state)
{
    (void)state;
    assert_basic(STR("Basic YTo="), TWOLEG_NONE, STR("a"), STR(""));
    assert_basic(STR("Basic YTpiOmM6"), TWOLEG_NONE, STR("a"), STR("b:c:"));
    assert_basic(STR("Basic YSUzQWI6YyUzQWQ="), TWOLEG_NONE, STR("a%3Ab"), STR("c%3Ad"));
}

static void B7_sixty_four_kibibytes(void **state)
{
    (void)state;
    static char pair[48 * 1024];
    static char memory[65 * 1024];
    struct buf out;
    struct str id;
    struct str secret;
    memset(pair, 'a', sizeof pair);
    pair[3] = ':';
    buf_init(&out, memory, sizeof memory);
    buf_add(&out, STR("Basic "));
    base64_text(&out, pair, sizeof pair);
    assert_int_equal(basic_parse(buf_str(&out), &arena, &id, &secret), TWOLEG_NONE);
    assert_int_equal(secret.len, sizeof pair - 4);
    struct arena none;
    arena_init(&none, NULL, 1024);
    assert_int_equal(basic_parse(buf_str(&out), &none, &id, &secret), TWOLEG_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(rfc7617_2_examples),
        WITH_ARENA(rfc6749_2_3_1_example),
        WITH_ARENA(rfc9110_11_1_scheme_in_any_case_and_blanks),
        WITH_ARENA(other_schemes_are_no_basic),
        WITH_ARENA(T5_white_space_behind_the_secret_is_cut_off_where_it_is_wanted),
        WITH_ARENA(B7_malformed_credentials),
        WITH_ARENA(B7_a_control_anywhere_is_refused),
        WITH_ARENA(B7_B9_empty_secret_and_colons),
        WITH_ARENA(B7_sixty_four_kibibytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
