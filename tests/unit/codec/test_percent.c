// SPDX-License-Identifier: Apache-2.0
#include "codec/percent.h"

#include "arena_test.h"

static const struct {
    struct str text, kept, blank;
} rows[] = {
    {{"", 0}, {"", 0}, {"", 0}},
    {{"abc", 3}, {"abc", 3}, {"abc", 3}},
    {{"a+b", 3}, {"a+b", 3}, {"a b", 3}},
    {{"a%20b", 5}, {"a b", 3}, {"a b", 3}},
    {{"%2B+", 4}, {"++", 2}, {"+ ", 2}},
    {{"%41%7a%c3%A4", 12}, {"Az\xc3\xa4", 4}, {"Az\xc3\xa4", 4}},
    {{"%2541", 5}, {"%41", 3}, {"%41", 3}}, // one pass only
    {{"%26%3D%3b", 9}, {"&=;", 3}, {"&=;", 3}},
    {{"%01%ff", 6}, {"\x01\xff", 2}, {"\x01\xff", 2}},
    {{"%0a", 3}, {"\n", 1}, {"\n", 1}},
    {{"%a0", 3}, {"\xa0", 1}, {"\xa0", 1}},
};

static void rfc3986_2_1_decoding(void **state)
{
    (void)state;
    struct str got;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_error(percent_decode(rows[i].text, PERCENT_PLUS_KEPT, &arena, &got), TWOLEG_NONE,
                     rows[i].text);
        assert_text(got, rows[i].kept);
        assert_error(percent_decode(rows[i].text, PERCENT_PLUS_BLANK, &arena, &got), TWOLEG_NONE,
                     rows[i].text);
        assert_text(got, rows[i].blank);
    }
}

static void B6_malformed_percent_is_refused_or_raw(void **state)
{
    (void)state;
    static const struct str bad[] = {
        {"%", 1},    {"%2", 2},   {"a%", 2},   {"a%4", 3},  {"%zz", 3}, {"%4g", 3}, {"%g4", 3},
        {"%%41", 4}, {"% 41", 4}, {"%+1", 3},  {"%-1", 3},  {"%00", 3}, {"\0", 1},  {"a\0b", 3},
        {"%u0041", 6}, {"ok%20%", 6}, {"%@1", 3}, {"%`1", 3}, {"%/1", 3}, {"%:1", 3},
        {"%\x10" "1", 3},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *copy = exact_copy(bad[i]);
        struct str text = str_of(copy, bad[i].len);
        struct str got = STR_NONE;
        assert_error(percent_decode(text, PERCENT_PLUS_BLANK, &arena, &got), TWOLEG_MALFORMED,
                     text);
        assert_null(got.ptr);
        assert_error(percent_decode_or_raw(text, PERCENT_PLUS_BLANK, &arena, &got), TWOLEG_NONE,
                     text);
        assert_text(got, bad[i]);
        test_free(copy);
    }
    struct str got;
    assert_error(percent_decode_or_raw(STR("a%3Ab"), PERCENT_PLUS_KEPT, &arena, &got), TWOLEG_NONE,
                 STR(""));
    assert_text(got, STR("a:b"));
}

// Plain text is skipped eight bytes at a time: nothing special hides in it, wherever it stands.
static void B6_long_texts_are_looked_at_everywhere(void **state)
{
    (void)state;
    struct str got;
    for (size_t at = 0; at < 37; at++) {
        char text[37];
        memset(text, 0xaa, sizeof text);
        text[at] = '+';
        assert_error(percent_decode(str_of(text, 37), PERCENT_PLUS_BLANK, &arena, &got),
                     TWOLEG_NONE, STR("+"));
        assert_int_equal(got.ptr[at], ' ');
        text[at] = '%';
        assert_error(percent_decode(str_of(text, 37), PERCENT_PLUS_BLANK, &arena, &got),
                     TWOLEG_MALFORMED, STR("%"));
        text[at] = '\0';
        assert_error(percent_decode(str_of(text, 37), PERCENT_PLUS_BLANK, &arena, &got),
                     TWOLEG_MALFORMED, STR("NUL"));
    }
}

static void nothing_is_copied_without_need(void **state)
{
    (void)state;
    struct arena none;
    struct str text = STR("client-id+1");
    struct str got;
    arena_init(&none, NULL, 0);
    assert_int_equal(percent_decode(text, PERCENT_PLUS_KEPT, &none, &got), TWOLEG_NONE);
    assert_ptr_equal(got.ptr, text.ptr);
    assert_int_equal(percent_decode(text, PERCENT_PLUS_BLANK, &none, &got), TWOLEG_NO_MEMORY);
    assert_int_equal(percent_decode_or_raw(text, PERCENT_PLUS_BLANK, &none, &got),
                     TWOLEG_NO_MEMORY);
}

static void rfc3986_2_3_every_byte_goes_round(void **state)
{
    (void)state;
    char all[255];
    char memory[1024];
    struct buf out;
    struct str got;
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (char)(i + 1);
    buf_init(&out, memory, sizeof memory);
    percent_encode(&out, str_of(all, sizeof all));
    assert_int_equal(out.len, 66 + 3 * (255 - 66));
    assert_int_equal(percent_decode(buf_str(&out), PERCENT_PLUS_BLANK, &arena, &got), TWOLEG_NONE);
    assert_text(got, str_of(all, sizeof all));
    buf_init(&out, memory, sizeof memory);
    percent_encode(&out, STR("a-Z_0.9~ \xc3\xa4/+"));
    assert_text(buf_str(&out), STR("a-Z_0.9~%20%C3%A4%2F%2B"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(rfc3986_2_1_decoding),
        WITH_ARENA(B6_malformed_percent_is_refused_or_raw),
        WITH_ARENA(B6_long_texts_are_looked_at_everywhere),
        cmocka_unit_test(nothing_is_copied_without_need),
        WITH_ARENA(rfc3986_2_3_every_byte_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
