// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include "base_test.h"

static void slices_are_clamped(void **state)
{
    (void)state;
    check_str(str_slice(STR("abc"), 1, 2), "b");
    check_str(str_slice(STR("abc"), 1, 99), "bc");
    assert_int_equal(str_slice(STR("abc"), 5, 2).len, 0);
    assert_int_equal(str_slice(STR_NONE, 1, 2).len, 0);
    assert_null(str_slice(STR_NONE, 1, 2).ptr);
    assert_null(str_from(NULL).ptr);
}

static void trim_takes_both_ends_and_no_nul(void **state)
{
    (void)state;
    check_str(str_trim(STR(" \ta b\t "), " \t"), "a b");
    check_str(str_trim(STR("    "), " "), "");
    // strchr finds the set's own NUL: a NUL byte in the text must not count as blank.
    assert_int_equal(str_trim(STR("\0a\0"), " ").len, 3);
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(str_equal(STR(""), STR_NONE));
    assert_false(str_equal(STR("a"), STR("A")));
    assert_true(str_equal_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_equal_nocase(STR("["), STR("{")));
    assert_true(str_starts_with(STR("Bearer x"), STR("Bearer ")));
    assert_false(str_starts_with(STR("Bear"), STR("Bearer")));
    assert_true(str_ends_with(STR("a.key"), STR(".key")));
    assert_false(str_ends_with(STR("key"), STR("a.key")));
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_true(str_compare(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_compare(STR("ab"), STR("ab")), 0);
}

// Long texts are compared eight bytes at a time: every pair of bytes, at every place of the eight.
static void nocase_folds_ascii_letters_alone(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 11 * 65536; at++) {
        char left[12] = "0123456abcd";
        char right[12] = "0123456ABCD";
        unsigned char a = (unsigned char)(at >> 8);
        unsigned char b = (unsigned char)at;
        left[at >> 16] = (char)a;
        right[at >> 16] = (char)b;
        bool letters = (a >= 'A' && a <= 'Z' && b == a + 32) ||
                       (b >= 'A' && b <= 'Z' && a == b + 32);
        assert_int_equal(str_equal_nocase(str_of(left, 11), str_of(right, 11)), a == b || letters);
    }
}

static void split_keeps_empty_parts(void **state)
{
    (void)state;
    struct str rest = STR("a,,b");
    struct str part;
    assert_true(str_split(&rest, ',', &part));
    check_str(part, "a");
    assert_true(str_split(&rest, ',', &part));
    check_str(part, "");
    assert_true(str_split(&rest, ',', &part));
    check_str(part, "b");
    assert_false(str_split(&rest, ',', &part));
    rest = STR("");
    assert_true(str_split(&rest, ',', &part));
    assert_false(str_split(&rest, ',', &part));
    rest = STR_NONE;
    assert_false(str_split(&rest, ',', &part));
    rest = STR("a,");
    assert_true(str_split(&rest, ',', &part));
    assert_true(str_split(&rest, ',', &part));
    assert_int_equal(part.len, 0);
    assert_false(str_split(&rest, ',', &part));
}

static void words_are_separated_by_runs_of_blanks(void **state)
{
    (void)state;
    struct str rest = STR("  sms   groups ");
    struct str word;
    assert_true(str_word(&rest, &word));
    check_str(word, "sms");
    assert_true(str_word(&rest, &word));
    check_str(word, "groups");
    assert_false(str_word(&rest, &word));
    assert_true(str_has_word(STR("sms groups"), STR("groups")));
    assert_false(str_has_word(STR("sms groups"), STR("group")));
    assert_false(str_has_word(STR("sms groups"), STR("")));
    assert_false(str_has_word(STR("sms groups"), STR("roups")));
    assert_false(str_has_word(STR("sms groups"), STR("sms groups mail")));
    assert_true(str_has_word(STR("smsx  sms "), STR("sms")));
    assert_false(str_has_word(STR_NONE, STR("sms")));
}

static void decimal_numbers(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(str_to_u64(STR("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(str_to_u64(STR("007"), &value));
    assert_int_equal(value, 7);
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1e3",
                                      "18446744073709551616", "99999999999999999999",
                                      "000000000000000000001"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(str_to_u64(str_from(bad[i]), &value));
    assert_int_equal(value, 7);
}

static void hex_numbers(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(str_to_hex_u64(STR("ffffffffffffffff"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(str_to_hex_u64(STR("aFAf09"), &value));
    assert_int_equal(value, 0xafaf09);
    assert_true(str_to_hex_u64(STR("0"), &value));
    assert_int_equal(value, 0);
    static const char *const bad[] = {
        "", "g", "G", "@", "`", "\x10", "/", ":", "0x1", "10000000000000000", " 1"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(str_to_hex_u64(str_from(bad[i]), &value));
    assert_int_equal(value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_clamped),
        cmocka_unit_test(trim_takes_both_ends_and_no_nul),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(nocase_folds_ascii_letters_alone),
        cmocka_unit_test(split_keeps_empty_parts),
        cmocka_unit_test(words_are_separated_by_runs_of_blanks),
        cmocka_unit_test(decimal_numbers),
        cmocka_unit_test(hex_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
