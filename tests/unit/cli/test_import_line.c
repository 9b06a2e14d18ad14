// SPDX-License-Identifier: Apache-2.0
// What is said of a column or a fact that there is none of: of what may be a value very little.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/import_line.h"
#include "codec/utf8.h"

static void check_problem(const char *line, const char *problem)
{
    static struct import_lines lines;
    json_t *body;
    lines = (struct import_lines){.form = IMPORT_FORM_UNKNOWN};
    assert_int_equal(import_line_read(&lines, str_from(line), &body), IMPORT_LINE_BAD);
    assert_string_equal(lines.problem, problem);
    assert_true(utf8_valid(str_from(lines.problem)));
}

// A file of values only: the first may be a secret, and a short one would be shown whole by what is
// little of a long one.
static void B13_of_a_value_in_place_of_a_header_no_more_than_half_is_said(void **state)
{
    static const struct {
        const char *line, *problem;
    } each[] = {
        {"hunter2,app-1", "there is no column \"hun\"..."},
        {"x", "there is no column \"\"..."},
        {"pw", "there is no column \"p\"..."},
        {"8 bytes!,app-1", "there is no column \"8 by\"..."},
        {"16 bytes of text,app-1", "there is no column \"16 bytes\"..."},
        {"correct horse battery staple", "there is no column \"correct \"..."},
        {"client_id,\"p\"\"ssword\"", "there is no column \"p\\\"ss\"..."},
        {"client_id,", "there is no column \"\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        check_problem(each[i].line, each[i].problem);
}

static void rfc3629_3_what_is_said_ends_with_a_whole_character(void **state)
{
    static const struct {
        const char *line, *problem;
    } each[] = {
        {"abcdefg\xc3\xbc \xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", "there is no column \"abcdefg\"..."},
        {"abcdef\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
         "there is no column \"abcdef\xc3\xbc\"..."},
        {"\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91",
         "there is no column \"\xf0\x9f\x94\x91\"..."},
        {"\xf0\x9f\x94\x91", "there is no column \"\"..."},
        {"{\"a name of 23 bytes, an\xc3\xbc\": 1}",
         "there is no fact \"a name of 23 bytes, an\xc3\xbc\""},
        {"{\"a name of 23 bytes, and\xc3\xbc\": 1}",
         "there is no fact \"a name of 23 bytes, and\"..."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        check_problem(each[i].line, each[i].problem);
}

// What is like a fact's name is one, and shown to be recognized.
static void a_misspelt_column_is_shown_with_what_was_meant(void **state)
{
    (void)state;
    check_problem("client_id,secret",
                  "there is no column \"secret\"; did you mean \"client_secret\"?");
    check_problem("client_di", "there is no column \"client_di\"; did you mean \"client_id\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B13_of_a_value_in_place_of_a_header_no_more_than_half_is_said),
        cmocka_unit_test(rfc3629_3_what_is_said_ends_with_a_whole_character),
        cmocka_unit_test(a_misspelt_column_is_shown_with_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
