// SPDX-License-Identifier: Apache-2.0
// APIs and what an application has to do with them.
#include "model/api.h"

#include "model/application.h"
#include "model_test.h"

static const struct api apis[] = {
    {.number = 1, .identifier = STR("https://one.example")},
    {.number = 2, .identifier = STR("https://two.example"), .is_default = true},
    {.number = 3, .identifier = STR("https://two.example/")},
};
static const struct api_set set = {apis, COUNT(apis)};

static void an_api_is_found_by_number_identifier_and_as_default(void **state)
{
    (void)state;
    const struct api_set none = {0};
    assert_ptr_equal(api_set_find(&set, 3), &apis[2]);
    assert_null(api_set_find(&set, 4));
    assert_ptr_equal(api_set_default(&set), &apis[1]);
    assert_null(api_set_find(&none, 1));
    assert_null(api_set_find_identifier(&none, STR("https://one.example")));
    assert_null(api_set_default(&none));
}

// RFC 8707 section 2: compared as they are; "/" at the end makes another one.
static void rfc8707_2_identifiers_are_compared_byte_by_byte(void **state)
{
    (void)state;
    assert_ptr_equal(api_set_find_identifier(&set, STR("https://two.example")), &apis[1]);
    assert_ptr_equal(api_set_find_identifier(&set, STR("https://two.example/")), &apis[2]);
    assert_null(api_set_find_identifier(&set, STR("https://TWO.example")));
    assert_null(api_set_find_identifier(&set, STR("https://two.exampl")));
    assert_null(api_set_find_identifier(&set, STR("")));
}

static void rfc8707_2_an_identifier_is_an_absolute_uri_without_fragment(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"https://a", true},           {"http://127.0.0.1:8080", true},
        {"urn:example:sms", true},     {"api://billing", true},
        {"https://a/b?c=d&e=%20", true}, {"https://[::1]/", true},
        {"", false},                   {"https://", false},
        {"urn:", false},               {"api://", false},
        {"sms", false},                {"/path", false},
        {"//a", false},                {"https:/a", false},
        {"ftp://a", false},            {"javascript:alert(1)", false},
        {"https://a#b", false},        {"https://a#", false},
        {"https://a b", false},        {"https://a\r\nX: y", false},
        {"https://a\"b", false},       {"https://a\x7f", false},
        {"https://a\xc3\xa9", false},  {" https://a", false},
        {"https://a ", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (api_identifier_valid(str_from(rows[i].text)) != rows[i].valid)
            fail_msg("%s", rows[i].text);
    assert_false(api_identifier_valid(STR_NONE));
    assert_false(api_identifier_valid(str_of("https://a\0b", 11)));
}

// RFC 3986 section 2: what a URI cannot hold would be spelt differently by whoever reads it.
static void rfc3986_2_characters_outside_a_uri_are_refused(void **state)
{
    (void)state;
    for (const char *c = "<>\\^`{|}\""; *c; c++) {
        char text[] = "https://a/?";
        text[10] = *c;
        if (api_identifier_valid(str_from(text)))
            fail_msg("%c", *c);
    }
}

static void an_identifier_has_a_longest_length(void **state)
{
    (void)state;
    char text[API_IDENTIFIER_MAX + 1];
    memset(text, 'a', sizeof text);
    memcpy(text, "urn:", 4);
    assert_true(api_identifier_valid(str_of(text, API_IDENTIFIER_MAX)));
    assert_false(api_identifier_valid(str_of(text, sizeof text)));
}

static void an_applications_apis_are_found_and_serving_is_seen(void **state)
{
    (void)state;
    const struct application_api links[] = {{1, true, false, STR("a")}, {2, false, true, STR("")}};
    struct application application = {.apis = links, .api_count = 2};
    assert_ptr_equal(application_find_api(&application, 2), &links[1]);
    assert_null(application_find_api(&application, 3));
    assert_true(application_serves_any(&application));
    application.api_count = 1;
    assert_false(application_serves_any(&application));
    application.api_count = 0;
    assert_false(application_serves_any(&application));
    assert_null(application_find_api(&application, 1));
}

static void words_of_formats_go_both_ways(void **state)
{
    (void)state;
    enum token_format format;
    assert_true(token_format_from(STR("jwt"), &format) && format == FORMAT_JWT);
    assert_true(token_format_from(STR("sealed"), &format) && format == FORMAT_SEALED);
    assert_false(token_format_from(STR("JWT"), &format));
    assert_false(token_format_from(STR("references"), &format));
    assert_false(token_format_from(STR_NONE, &format));
    assert_int_equal(format, FORMAT_SEALED);
    assert_true(token_format_from(STR("reference"), &format) && format == FORMAT_REFERENCE);
    check_str(token_format_name(FORMAT_JWT), "jwt");
    check_str(token_format_name(FORMAT_SEALED), "sealed");
    check_str(token_format_name(FORMAT_REFERENCE), "reference");
    check_str(token_format_name(TOKEN_FORMATS), "unknown");
    check_str(entity_status_name(STATUS_ACTIVE), "active");
    check_str(entity_status_name(STATUS_DISABLED), "disabled");
    check_str(entity_status_name(STATUS_DELETED), "deleted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_api_is_found_by_number_identifier_and_as_default),
        cmocka_unit_test(rfc8707_2_identifiers_are_compared_byte_by_byte),
        cmocka_unit_test(rfc8707_2_an_identifier_is_an_absolute_uri_without_fragment),
        cmocka_unit_test(rfc3986_2_characters_outside_a_uri_are_refused),
        cmocka_unit_test(an_identifier_has_a_longest_length),
        cmocka_unit_test(an_applications_apis_are_found_and_serving_is_seen),
        cmocka_unit_test(words_of_formats_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
