// SPDX-License-Identifier: Apache-2.0
#include "codec/form.h"

#include "arena_test.h"

// Writes what was read as [name|value] for each pair.
static enum twoleg_error form_show(struct str text, unsigned max_pairs, struct buf *out)
{
    struct form_reader r;
    struct str name;
    struct str value;
    form_reader_init(&r, text, &arena, max_pairs);
    while (form_next(&r, &name, &value)) {
        buf_add_char(out, '[');
        buf_add(out, name);
        buf_add_char(out, '|');
        buf_add(out, value);
        buf_add_char(out, ']');
    }
    assert_false(form_next(&r, &name, &value));
    return form_reader_error(&r);
}

static void assert_form(struct str text, enum twoleg_error error, struct str shown)
{
    char memory[4096];
    struct buf out;
    char *copy = exact_copy(text);
    buf_init(&out, memory, sizeof memory);
    assert_error(form_show(str_of(copy, text.len), FORM_PAIRS_MAX, &out), error, text);
    assert_text(buf_str(&out), shown);
    test_free(copy);
}

static void rfc6749_4_4_2_request_is_read(void **state)
{
    (void)state;
    assert_form(STR("grant_type=client_credentials&scope=a+b%20c"), TWOLEG_NONE,
                STR("[grant_type|client_credentials][scope|a b c]"));
}

static void rfc6749_B_example_goes_round(void **state)
{
    (void)state;
    // The code points of appendix B: U+0020 U+0025 U+0026 U+002B U+00A3 U+20AC.
    assert_form(STR("v=+%25%26%2B%C2%A3%E2%82%AC"), TWOLEG_NONE,
                STR("[v| %&+\xc2\xa3\xe2\x82\xac]"));
    char memory[64];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    form_encode(&out, STR(" %&+\xc2\xa3\xe2\x82\xac"));
    assert_text(buf_str(&out), STR("+%25%26%2B%C2%A3%E2%82%AC"));
}

static void B14_only_the_ampersand_separates(void **state)
{
    (void)state;
    assert_form(STR("a=1;b=2&c=3"), TWOLEG_NONE, STR("[a|1;b=2][c|3]"));
    assert_form(STR("a=1&amp;b=2"), TWOLEG_NONE, STR("[a|1][amp;b|2]"));
    assert_form(STR("a=1%26b=2"), TWOLEG_NONE, STR("[a|1&b=2]"));
    assert_form(STR("a%3D1=2"), TWOLEG_NONE, STR("[a=1|2]"));
}

static void B14_edges(void **state)
{
    (void)state;
    assert_form(STR(""), TWOLEG_NONE, STR(""));
    assert_form(STR("&"), TWOLEG_NONE, STR(""));
    assert_form(STR("&&&"), TWOLEG_NONE, STR(""));
    assert_form(STR("&a=1&&b=2&"), TWOLEG_NONE, STR("[a|1][b|2]"));
    assert_form(STR("a"), TWOLEG_NONE, STR("[a|]"));
    assert_form(STR("a="), TWOLEG_NONE, STR("[a|]"));
    assert_form(STR("="), TWOLEG_NONE, STR("[|]"));
    assert_form(STR("=b"), TWOLEG_NONE, STR("[|b]"));
    assert_form(STR("a=b=c=="), TWOLEG_NONE, STR("[a|b=c==]"));
    assert_form(STR("a=1&a=2"), TWOLEG_NONE, STR("[a|1][a|2]"));
    assert_form(STR("\xff=\xfe"), TWOLEG_NONE, STR("[\xff|\xfe]"));
    struct form_reader r;
    struct str name;
    struct str value;
    form_reader_init(&r, STR_NONE, &arena, FORM_PAIRS_MAX);
    assert_false(form_next(&r, &name, &value));
    assert_int_equal(form_reader_error(&r), TWOLEG_NONE);
}

static void B6_malformed_percent_and_nul(void **state)
{
    (void)state;
    static const struct str bad[] = {
        {"x=1&a=%", 7},  {"x=1&a=%2", 8},  {"x=1&a=%zz", 9},   {"x=1&a=%00", 9},
        {"x=1&%=a", 7},  {"x=1&%00=a", 9}, {"x=1&a=b\0c", 9},  {"x=1&a=%2&b=c", 12},
        {"x=1&a\0=1", 8}, {"x=1&%", 5},    {"x=1&a=%%32%30", 13},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_form(bad[i], TWOLEG_PARAMETER_MALFORMED, STR("[x|1]"));
}

static void split_at_every_byte(void **state)
{
    (void)state;
    // What a body cut at any place gives never crashes, and cuts inside an escape are seen.
    struct str text = STR("a=%C3%A4&b+=c%20d&=;");
    for (size_t len = 0; len <= text.len; len++) {
        struct str last_two = str_slice(text, len > 2 ? len - 2 : 0, len);
        bool inside = str_find(last_two, '%') != last_two.len;
        char memory[256];
        struct buf out;
        char *copy = exact_copy(str_slice(text, 0, len));
        buf_init(&out, memory, sizeof memory);
        assert_error(form_show(str_of(copy, len), FORM_PAIRS_MAX, &out),
                     inside ? TWOLEG_PARAMETER_MALFORMED : TWOLEG_NONE, str_slice(text, 0, len));
        test_free(copy);
    }
}

static void B14_pairs_are_counted(void **state)
{
    (void)state;
    char memory[64];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    assert_int_equal(form_show(STR("a&b&&c"), 3, &out), TWOLEG_NONE);
    assert_int_equal(form_show(STR("a&b&c&d"), 3, &out), TWOLEG_PARAMETER_COUNT);
    assert_int_equal(form_show(STR("a"), 0, &out), TWOLEG_PARAMETER_COUNT);
    assert_int_equal(form_show(STR("&&"), 0, &out), TWOLEG_NONE);
}

static void plain_pairs_take_no_memory(void **state)
{
    (void)state;
    struct arena none;
    struct form_reader r;
    struct str name;
    struct str value;
    struct str text = STR("scope=sms&x=a+b");
    arena_init(&none, NULL, 0);
    form_reader_init(&r, text, &none, FORM_PAIRS_MAX);
    assert_true(form_next(&r, &name, &value));
    assert_ptr_equal(name.ptr, text.ptr);
    assert_ptr_equal(value.ptr, text.ptr + 6);
    assert_false(form_next(&r, &name, &value));
    assert_int_equal(form_reader_error(&r), TWOLEG_NO_MEMORY);
}

static void every_byte_goes_round(void **state)
{
    (void)state;
    char all[255];
    char memory[2048];
    struct buf out;
    struct form_reader r;
    struct str name;
    struct str value;
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (char)(i + 1);
    buf_init(&out, memory, sizeof memory);
    form_encode_pair(&out, STR("a b"), str_of(all, sizeof all));
    form_encode_pair(&out, STR(""), STR(""));
    form_encode_pair(&out, str_of(all, sizeof all), STR("  "));
    form_reader_init(&r, buf_str(&out), &arena, 3);
    assert_true(form_next(&r, &name, &value));
    assert_text(name, STR("a b"));
    assert_text(value, str_of(all, sizeof all));
    assert_true(form_next(&r, &name, &value));
    assert_int_equal(name.len + value.len, 0);
    assert_true(form_next(&r, &name, &value));
    assert_text(name, str_of(all, sizeof all));
    assert_text(value, STR("  "));
    assert_false(form_next(&r, &name, &value));
    assert_int_equal(form_reader_error(&r), TWOLEG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(rfc6749_4_4_2_request_is_read), WITH_ARENA(rfc6749_B_example_goes_round),
        WITH_ARENA(B14_only_the_ampersand_separates), WITH_ARENA(B14_edges),
        WITH_ARENA(B6_malformed_percent_and_nul), WITH_ARENA(split_at_every_byte),
        WITH_ARENA(B14_pairs_are_counted), WITH_ARENA(plain_pairs_take_no_memory),
        WITH_ARENA(every_byte_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
