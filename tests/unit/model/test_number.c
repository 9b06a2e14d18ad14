// SPDX-License-Identifier: Apache-2.0
// Numbers of entities as text (design 3.7): one spelling each, and no kind taken for another.
#include "model/number.h"

#include "model_test.h"

static const struct {
    enum number_kind kind;
    const char *prefix;
} kinds[] = {
    {NUMBER_APPLICATION, "app_"}, {NUMBER_SECRET, "sec_"},  {NUMBER_USER, "usr_"},
    {NUMBER_API, "api_"},         {NUMBER_ACCOUNT, "acc_"},
};

static struct str number_text(enum number_kind kind, uint64_t number, char memory[NUMBER_TEXT_MAX])
{
    struct buf out;
    buf_init(&out, memory, NUMBER_TEXT_MAX);
    number_write(&out, kind, number);
    assert_false(out.failed);
    return buf_str(&out);
}

static void every_number_comes_back(void **state)
{
    (void)state;
    uint64_t number = 1;
    for (int i = 0; i < 2000; i++, number = number * UINT64_C(6364136223846793005) + 1) {
        char memory[NUMBER_TEXT_MAX];
        size_t k = (size_t)i % COUNT(kinds);
        uint64_t back = 0;
        uint64_t each = i == 0 ? 0 : i == 1 ? UINT64_MAX : i < 66 ? UINT64_C(1) << (i - 2) : number;
        struct str text = number_text(kinds[k].kind, each, memory);
        assert_int_equal(text.len, 17);
        assert_true(number_read(text, kinds[k].kind, &back));
        assert_true(back == each);
    }
}

static void the_spelling_is_as_promised(void **state)
{
    (void)state;
    char memory[NUMBER_TEXT_MAX];
    check_str(number_text(NUMBER_APPLICATION, 0, memory), "app_0000000000000");
    check_str(number_text(NUMBER_APPLICATION, 31, memory), "app_000000000000z");
    check_str(number_text(NUMBER_API, 32, memory), "api_0000000000010");
    check_str(number_text(NUMBER_SECRET, UINT64_MAX, memory), "sec_fzzzzzzzzzzzz");
}

static void no_kind_is_taken_for_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char memory[NUMBER_TEXT_MAX];
        struct str text = number_text(kinds[i].kind, 77, memory);
        assert_true(str_starts_with(text, str_from(kinds[i].prefix)));
        for (size_t k = 0; k < COUNT(kinds); k++) {
            uint64_t back = 1;
            assert_int_equal(number_read(text, kinds[k].kind, &back), i == k);
            assert_int_equal(back, i == k ? 77 : 1);
        }
    }
}

static void a_number_has_one_spelling(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "app_", "app_000000000000", "app_00000000000000", "app_g000000000000", // 65 bits
        "app_zzzzzzzzzzzzz", "APP_0000000000000", "app_000000000000A", "app_000000000000i",
        "app_000000000000l", "app_000000000000o", "app_000000000000u", "app_000000000000-",
        "app_ 00000000000a", "app_+00000000000a", " app_000000000000", "app-0000000000000",
        "app_00000000000\xc3\xa9", "0000000000000",
    };
    uint64_t number = 5;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (number_read(str_from(rows[i]), NUMBER_APPLICATION, &number))
            fail_msg("%s", rows[i]);
    assert_false(number_read(str_of("app_000000000000\0", 17), NUMBER_APPLICATION, &number));
    assert_false(number_read(STR_NONE, NUMBER_APPLICATION, &number));
    assert_int_equal(number, 5);
}

static void every_byte_at_every_place_is_read_once_or_refused(void **state)
{
    (void)state;
    char text[] = "app_0000000000000";
    for (size_t at = 4; at < 17; at++) {
        unsigned good = 0;
        for (unsigned c = 0; c < 256; c++) {
            uint64_t number;
            char memory[NUMBER_TEXT_MAX];
            text[at] = (char)c;
            if (!number_read(str_of(text, 17), NUMBER_APPLICATION, &number))
                continue;
            good++;
            assert_true(str_equal(number_text(NUMBER_APPLICATION, number, memory),
                                  str_of(text, 17)));
        }
        assert_int_equal(good, at == 4 ? 16 : 32);
        text[at] = '0';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_comes_back),
        cmocka_unit_test(the_spelling_is_as_promised),
        cmocka_unit_test(no_kind_is_taken_for_another),
        cmocka_unit_test(a_number_has_one_spelling),
        cmocka_unit_test(every_byte_at_every_place_is_read_once_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
