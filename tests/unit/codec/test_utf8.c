// SPDX-License-Identifier: Apache-2.0
#include "codec/utf8.h"

#include "codec_test.h"

static void rfc3629_4_well_formed(void **state)
{
    (void)state;
    static const struct str good[] = {
        {"", 0},          {"\0", 1},         {"abc", 3},          {"\x7f", 1},
        {"\xc2\x80", 2},  {"\xdf\xbf", 2},   {"\xe0\xa0\x80", 3}, {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3}, {"\xef\xbf\xbf", 3}, {"\xf0\x90\x80\x80", 4}, {"\xf4\x8f\xbf\xbf", 4},
        {"a\xc3\xa4z", 4},
    };
    for (size_t i = 0; i < COUNT(good); i++)
        if (!utf8_valid(good[i]))
            fail_msg("row %zu is refused", i);
}

static void B8_rfc3629_3_ill_formed(void **state)
{
    (void)state;
    static const struct str bad[] = {
        {"\x80", 1},             // a continuation alone
        {"\xc0\x80", 2},         // overlong NUL
        {"\xc1\xbf", 2},         // overlong
        {"\xe0\x9f\xbf", 3},     // overlong
        {"\xf0\x8f\xbf\xbf", 4}, // overlong
        {"\xed\xa0\x80", 3},     // surrogate
        {"\xed\xbf\xbf", 3},     // surrogate
        {"\xf4\x90\x80\x80", 4}, // above U+10FFFF
        {"\xf5\x80\x80\x80", 4}, {"\xff", 1}, {"\xfe", 1},
        {"\xc3", 1}, {"\xe2\x82", 2}, {"\xf0\x90\x80", 3}, // cut
        {"\xc3(", 2}, {"\xe2(\x80", 3}, {"\xe2\x82(", 3}, {"\xf0\x90\x80(", 4},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (utf8_valid(bad[i]) || utf8_sequence(bad[i]))
            fail_msg("row %zu is accepted", i);
    }
    assert_false(utf8_valid(STR("ok\xff")));
}

static void every_code_point_has_one_form(void **state)
{
    (void)state;
    size_t found = 0;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char pair[2] = {(char)a, (char)b};
            found += utf8_sequence(str_of(pair, 2)) == 2;
        }
    assert_int_equal(found, 0x800 - 0x80);
}

static void rfc6749_3_3_scope_token(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)c;
        bool visible = c >= 0x21 && c <= 0x7e;
        assert_int_equal(text_is_visible_ascii(str_of(&byte, 1)), visible);
        assert_int_equal(text_is_scope_token(str_of(&byte, 1)), visible && c != '"' && c != '\\');
    }
    assert_true(text_is_plain(STR("")) && text_is_plain(STR("two w\xc3\xb6rds ~")));
    for (unsigned c = 0; c < 0x80; c++)
        assert_int_equal(text_is_plain(str_of(&(char){(char)c}, 1)), c >= 0x20 && c != 0x7f);
    assert_false(text_is_plain(STR("ok\xff")));
    assert_true(text_is_scope_token(STR("sms:send/v1")));
    assert_false(text_is_scope_token(STR("two words")));
    assert_false(text_is_scope_token(STR("")));
    assert_false(text_is_visible_ascii(STR("")));
    assert_false(text_is_visible_ascii(STR("a\xc3\xa4")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3629_4_well_formed),
        cmocka_unit_test(B8_rfc3629_3_ill_formed),
        cmocka_unit_test(every_code_point_has_one_form),
        cmocka_unit_test(rfc6749_3_3_scope_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
