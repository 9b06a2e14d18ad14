// SPDX-License-Identifier: Apache-2.0
#include "model/grant_kind.h"
#include "model_test.h"

static void words_are_written_in_one_order(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {{"client_credentials", "client_credentials"},
                {"password", "password"},
                {"password client_credentials", "client_credentials password"},
                {" refresh_token  password ", "password refresh_token"},
                {"password password", "password"},
                {"refresh_token password client_credentials",
                 "client_credentials password refresh_token"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[GRANTS_TEXT_MAX];
        struct buf out;
        unsigned grants = 0;
        assert_true(grants_read(str_from(rows[i].text), &grants));
        assert_true(grants_valid(grants));
        buf_init(&out, memory, sizeof memory);
        grants_write(&out, grants);
        assert_false(out.failed);
        check_str(buf_str(&out), rows[i].shown);
    }
}

static void what_is_no_set_of_grants_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"", " ", "refresh_token", "client_credentials refresh_token",
                                      "Password", "password,client_credentials", "implicit",
                                      "password implicit", "passwor", "password\t"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        unsigned grants = 12345;
        if (grants_read(str_from(bad[i]), &grants) || grants != 12345)
            fail_msg("\"%s\" is taken for a set of grants", bad[i]);
    }
}

// As a store may hold them that somebody has written to.
static void bits_of_no_grant_are_no_set(void **state)
{
    (void)state;
    assert_true(grants_valid(GRANTS_DEFAULT));
    assert_false(grants_valid(0));
    assert_false(grants_valid(GRANT_BIT(GRANT_REFRESH_TOKEN)));
    for (unsigned bit = 0; bit < 32; bit++)
        assert_int_equal(grants_valid(GRANTS_DEFAULT | 1u << bit),
                         bit == GRANT_CLIENT_CREDENTIALS || bit == GRANT_PASSWORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_written_in_one_order),
        cmocka_unit_test(what_is_no_set_of_grants_changes_nothing),
        cmocka_unit_test(bits_of_no_grant_are_no_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
