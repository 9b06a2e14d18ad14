// SPDX-License-Identifier: Apache-2.0
// RFC 6749 section 3.3, and what the gate and the grants ask of scopes.
#include "model/scope.h"

#include "base/buf.h"
#include "model/application.h"
#include "model_test.h"

static void rfc6749_3_3_a_word_is_visible_ascii_without_quote_and_backslash(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char word[3] = {'a', (char)c, 'b'};
        bool allowed = c == 0x21 || (c >= 0x23 && c <= 0x5b) || (c >= 0x5d && c <= 0x7e);
        if (scope_word_valid(str_of(word, 3)) != allowed)
            fail_msg("0x%02x", c);
        assert_int_equal(scope_word_valid(str_of(word + 1, 1)), allowed);
    }
    assert_false(scope_word_valid(STR("")));
    assert_false(scope_word_valid(STR_NONE));
}

static void a_word_has_a_longest_length(void **state)
{
    (void)state;
    char word[SCOPE_NAME_MAX + 1];
    memset(word, 'w', sizeof word);
    assert_true(scope_word_valid(str_of(word, SCOPE_NAME_MAX)));
    assert_false(scope_word_valid(str_of(word, SCOPE_NAME_MAX + 1)));
}

static void rfc6749_3_3_the_order_does_not_matter_and_a_word_counts_once(void **state)
{
    struct arena *arena = *state;
    static const char *const rows[][2] = {
        {"", ""},
        {" ", ""},
        {"   ", ""},
        {"sms", "sms"},
        {" sms", "sms"},
        {"sms ", "sms"},
        {"a b c", "a b c"},
        {"c b a", "a b c"},
        {"a  b", "a b"},
        {"a a", "a"},
        {"b a b a b", "a b"},
        {"ab a", "a ab"},
        {"sms SMS", "SMS sms"}, // case counts
        {"a%20b a+b", "a%20b a+b"}, // nothing is decoded here
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str scope = STR("untouched");
        assert_int_equal(scope_normalise(arena, str_from(rows[i][0]), &scope), TWOLEG_NONE);
        check_str(scope, rows[i][1]);
        // What is normal stays as it is, uncopied.
        struct str again;
        assert_int_equal(scope_normalise(arena, scope, &again), TWOLEG_NONE);
        assert_ptr_equal(again.ptr, scope.ptr);
        assert_int_equal(again.len, scope.len);
    }
}

static void B11_a_bad_character_refuses_the_whole_text(void **state)
{
    struct arena *arena = *state;
    static const char *const rows[] = {"a\"", "a\\b", "a\tb", "a\nb", "a\x7f", "sms \xc3\xa9",
                                       "good b\"ad", "\x1f"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str scope = STR("untouched");
        check_error(scope_normalise(arena, str_from(rows[i]), &scope), TWOLEG_SCOPE_MALFORMED,
                    rows[i]);
        check_str(scope, "untouched");
    }
    struct str scope;
    assert_int_equal(scope_normalise(arena, str_of("a\0b", 3), &scope), TWOLEG_SCOPE_MALFORMED);
}

// count words "w0000 " and so on, descending, so that they must be sorted.
static struct str words_make(struct arena *arena, unsigned count)
{
    struct buf out;
    buf_init_arena(&out, arena, 8 * count);
    for (unsigned i = count; i-- > 0;) {
        buf_addf(&out, "w%04u", i);
        buf_add_char(&out, ' ');
    }
    return buf_str(&out);
}

static void B11_ten_thousand_scopes_are_too_many(void **state)
{
    struct arena *arena = *state;
    struct str scope;
    assert_int_equal(scope_normalise(arena, words_make(arena, 256), &scope), TWOLEG_NONE);
    assert_int_equal(scope.len, 256 * 6 - 1);
    assert_true(str_starts_with(scope, STR("w0000 w0001 ")));
    assert_true(str_ends_with(scope, STR(" w0255")));
    assert_int_equal(scope_normalise(arena, words_make(arena, 257), &scope), TWOLEG_TOO_LONG);
    assert_int_equal(scope_normalise(arena, words_make(arena, 10000), &scope), TWOLEG_TOO_LONG);
    // Also as one word many times over.
    char same[SCOPE_TEXT_MAX + 1];
    memset(same, ' ', sizeof same);
    same[0] = 'a';
    assert_int_equal(scope_normalise(arena, str_of(same, SCOPE_TEXT_MAX), &scope), TWOLEG_NONE);
    check_str(scope, "a");
    assert_int_equal(scope_normalise(arena, str_of(same, sizeof same), &scope), TWOLEG_TOO_LONG);
}

// Words, most of them twice, in the order in which steps of a large prime meet them.
static void any_number_of_words_in_any_order_is_sorted(void **state)
{
    struct arena *arena = *state;
    for (unsigned count = 1; count <= 256; count += 15) {
        struct buf text, sorted;
        struct str scope;
        buf_init_arena(&text, arena, 8 * count);
        buf_init_arena(&sorted, arena, 8 * count);
        for (unsigned i = 0; i < count; i++) {
            buf_addf(&text, i ? " w%04u" : "w%04u", 7919 * i % count / 2);
            if (i % 2 == 0)
                buf_addf(&sorted, i ? " w%04u" : "w%04u", i / 2);
        }
        assert_false(text.failed || sorted.failed);
        assert_int_equal(scope_normalise(arena, buf_str(&text), &scope), TWOLEG_NONE);
        if (!str_equal(scope, buf_str(&sorted)))
            fail_msg("%u: \"%.*s\"", count, STR_ARG(scope));
    }
}

static void a_full_arena_is_said_and_changes_nothing(void **state)
{
    (void)state;
    struct arena none;
    struct str scope = STR("untouched");
    arena_init(&none, NULL, 0);
    assert_int_equal(scope_normalise(&none, STR("b a"), &scope), TWOLEG_NO_MEMORY);
    const struct str whole = STR("a");
    assert_int_equal(scope_intersect(&none, STR("a b"), &whole, 1, &scope), TWOLEG_NO_MEMORY);
    check_str(scope, "untouched");
    arena_finish(&none);
}

static void containing_is_by_whole_words(void **state)
{
    (void)state;
    static const struct {
        const char *whole, *part;
        bool contains;
    } rows[] = {
        {"", "", true},           {"a", "", true},          {"", "a", false},
        {"a b c", "a c", true},   {"a b c", "c a", true},   {"a b c", "a d", false},
        {"sms", "sm", false},     {"sms", "ms", false},     {"sms", "smsx", false},
        {"sms.send", "sms", false}, {"a b", "a b", true},   {"a b", "a a b", true},
        {"a b", "A", false},      {"a b", "a  b", true},    {"ab", "a b", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (scope_contains(str_from(rows[i].whole), str_from(rows[i].part)) != rows[i].contains)
            fail_msg("\"%s\" in \"%s\"", rows[i].part, rows[i].whole);
}

static void an_intersection_keeps_the_first_ones_order(void **state)
{
    struct arena *arena = *state;
    const struct str wholes[] = {STR("a c"), STR("d")};
    static const struct {
        const char *a;
        size_t count;
        const char *left;
    } rows[] = {
        {"a b c d", 2, "a c d"}, {"a b c d", 1, "a c"}, {"d c", 2, "d c"}, {"b", 2, ""},
        {"", 2, ""},             {"", 1, ""},           {"", 0, ""},       {"a", 0, ""},
        {"ac", 2, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str left;
        assert_int_equal(
            scope_intersect(arena, str_from(rows[i].a), wholes, rows[i].count, &left),
            TWOLEG_NONE);
        check_str(left, rows[i].left);
    }
    struct str all = STR("a c"), left;
    assert_int_equal(scope_intersect(arena, all, wholes, 1, &left), TWOLEG_NONE);
    assert_ptr_equal(left.ptr, all.ptr);
}

#define ARENA(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6749_3_3_a_word_is_visible_ascii_without_quote_and_backslash),
        cmocka_unit_test(a_word_has_a_longest_length),
        ARENA(rfc6749_3_3_the_order_does_not_matter_and_a_word_counts_once),
        ARENA(B11_a_bad_character_refuses_the_whole_text),
        ARENA(B11_ten_thousand_scopes_are_too_many),
        ARENA(any_number_of_words_in_any_order_is_sorted),
        cmocka_unit_test(a_full_arena_is_said_and_changes_nothing),
        cmocka_unit_test(containing_is_by_whole_words),
        ARENA(an_intersection_keeps_the_first_ones_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
