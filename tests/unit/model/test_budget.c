// SPDX-License-Identifier: Apache-2.0
#include "model/budget.h"
#include "model_test.h"

static void check_round(const char *text, const char *shown)
{
    struct budget budget = {.mode = BUDGET_MODE_OBSERVE};
    char memory[BUDGET_TEXT_MAX];
    struct buf out;
    check_error(budget_parse(str_from(text), &budget), TWOLEG_NONE, text);
    assert_int_equal(budget.mode, BUDGET_MODE_OBSERVE); // another word's
    buf_init(&out, memory, sizeof memory);
    budget_format(&out, &budget);
    check_str(buf_str(&out), shown);
}

static void a_budget_is_a_rate_none_or_the_default(void **state)
{
    (void)state;
    check_round("default", "default");
    check_round("none", "none");
    check_round("100/60s:20", "100/1m:20");
    check_round("1000000/86399s:999999", "1000000/86399s:999999"); // the longest
    struct budget budget = {0};
    assert_int_equal(budget_parse(STR("none"), &budget), TWOLEG_NONE);
    assert_true(budget.own && budget.rate.count == 0);
}

static void what_is_no_budget_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum twoleg_error error;
    } rows[] = {{"", TWOLEG_MALFORMED},      {"Default", TWOLEG_MALFORMED},
                {"default ", TWOLEG_MALFORMED}, {"5", TWOLEG_MALFORMED},
                {"0/1m", TWOLEG_RANGE},      {"-1/1m", TWOLEG_MALFORMED},
                {"1/1m:0", TWOLEG_RANGE},    {"1000001/1m", TWOLEG_RANGE},
                {"1/2d", TWOLEG_RANGE},      {"1/0s", TWOLEG_RANGE},
                {"1/1q", TWOLEG_UNKNOWN},    {"1/1m:", TWOLEG_MALFORMED}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct budget budget = {.own = true, .rate = {7, 7, 7}};
        check_error(budget_parse(str_from(rows[i].text), &budget), rows[i].error, rows[i].text);
        assert_true(budget.own && budget.rate.count == 7);
    }
}

static void modes_have_words(void **state)
{
    (void)state;
    for (enum budget_mode mode = BUDGET_MODE_DEFAULT; mode <= BUDGET_MODE_OBSERVE; mode++) {
        enum budget_mode read = (enum budget_mode)9;
        assert_true(budget_mode_from(budget_mode_name(mode), &read));
        assert_int_equal(read, mode);
    }
    enum budget_mode untouched = BUDGET_MODE_ENFORCE;
    assert_false(budget_mode_from(STR("unknown"), &untouched));
    assert_false(budget_mode_from(STR(""), &untouched));
    assert_int_equal(untouched, BUDGET_MODE_ENFORCE);
    check_str(budget_mode_name((enum budget_mode)3), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_is_a_rate_none_or_the_default),
        cmocka_unit_test(what_is_no_budget_changes_nothing),
        cmocka_unit_test(modes_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
