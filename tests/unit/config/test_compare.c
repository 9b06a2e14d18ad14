// SPDX-License-Identifier: Apache-2.0
// What a running server takes over of a file that was changed, and what needs a restart (H22).
#include "config_test.h"

#include "config/compare.h"

struct compared {
    struct config running, fresh;
    struct config_changes changes;
};

static void compare(struct config_test *test, const char *before, const char *after,
                    struct compared *compared)
{
    config_report_init(&test->report, &test->arena);
    if (config_test_load(test, before, &compared->running) ||
        config_test_load(test, after, &compared->fresh))
        fail_msg("%s", config_test_print(test));
    assert_int_equal(config_keep(&compared->running, &compared->fresh), TWOLEG_NONE);
    assert_int_equal(config_compare(&compared->running, &compared->fresh, &test->arena,
                                    &test->report, &compared->changes),
                     TWOLEG_NONE);
}

static void compared_finish(struct compared *compared)
{
    config_finish(&compared->running);
    config_finish(&compared->fresh);
}

// The names of what has changed, and then the report.
static void expect(struct config_test *test, const char *before, const char *after,
                   const char *changes, const char *problems)
{
    struct compared compared;
    char names[1024];
    struct buf out;
    buf_init(&out, names, sizeof names - 1);
    compare(test, before, after, &compared);
    for (size_t i = 0; i < compared.changes.count; i++)
        buf_addf(&out, "%s%s", i ? " " : "",
                 config_schema()->rows[compared.changes.items[i].option].name);
    names[out.len] = '\0';
    assert_string_equal(names, changes);
    if (config_report_is_clean(&test->report))
        assert_string_equal(problems, "");
    else
        assert_string_equal(config_test_print(test), problems);
    compared_finish(&compared);
}

// Every reloadable option is a change, every other one needs a restart: so says the table.
static void every_option_is_one_or_the_other(void **state)
{
    static const char *const others[CONFIG_OPTIONS] = {
        [CONFIG_LISTEN] = "[127.0.0.1:1]",
        [CONFIG_ISSUER] = "https://other.example",
        [CONFIG_SERVICE_DOCUMENTATION] = "https://other.example",
        [CONFIG_DATA] = "/other",
        [CONFIG_MASTER_KEY_FILE] = "/other",
        [CONFIG_USER] = "other",
        [CONFIG_SANDBOX] = "false",
        [CONFIG_WORKERS] = "31",
        [CONFIG_CHECKS] = "[{name: other}]",
        [CONFIG_DIALECT] = "other",
        [CONFIG_HOSTS] = "[{name: other, dialect: other}]",
        [CONFIG_DIALECT_FOLDER] = "/other",
        [CONFIG_ALLOW_QUERY_CREDENTIALS] = "true",
        [CONFIG_TOKEN_TTL] = "59m",
        [CONFIG_JWT_MAX_TTL] = "25h",
        [CONFIG_TOKEN_FORMAT] = "sealed",
        [CONFIG_TOKEN_PREFIX] = "o_",
        [CONFIG_SECRET_PREFIX] = "o_",
        [CONFIG_JWKS_MAX_AGE] = "4m",
        [CONFIG_KEY_ROTATION] = "never",
        [CONFIG_APPLICATION_CACHE] = "100",
        [CONFIG_LOG_REQUESTS] = "all",
        [CONFIG_LOG_LEVEL] = "debug",
        [CONFIG_PASSWORD_GRANT] = "true",
        [CONFIG_REFRESH_TTL] = "2m",
        [CONFIG_REFRESH_IDLE] = "2m",
        [CONFIG_REFRESH_PREFIX] = "o_",
        [CONFIG_BUDGET_OBSERVE] = "true",
    };
    for (enum config_option option = 0; option < CONFIG_OPTIONS; option++) {
        const struct schema_row *row = &config_schema()->rows[option];
        const char *other = others[option];
        if (!other)
            other = row->type == SCHEMA_DURATION ? "9s" : row->type == SCHEMA_RATE ? "7/1s" : "77";
        char text[128], name[64], start[96];
        struct compared compared;
        snprintf(text, sizeof text, "%s: %s\n", row->name, other);
        compare(*state, "", text, &compared);
        struct config_test *test = *state;
        assert_int_equal(compared.changes.count, 1);
        assert_int_equal(compared.changes.items[0].option, option);
        assert_int_equal(compared.changes.items[0].mark.line, 1);
        assert_int_equal(test->report.count, !row->reloadable);
        snprintf(name, sizeof name, option == CONFIG_LISTEN ? "%s[0].address" : "%s", row->name);
        snprintf(start, sizeof start, ": %s: needs a restart (", name);
        if (!row->reloadable)
            assert_non_null(strstr(config_test_print(test), start));
        compared_finish(&compared);
    }
}

static void H22_of_a_listener_proxies_and_certificates_are_taken_over(void **state)
{
    const char *before = "listen:\n"
                         "  - {address: '127.0.0.1:1', trusted_proxies: [10.0.0.1]}\n"
                         "  - {address: '127.0.0.1:2', tls: [{certificate: /a, key: /b}]}\n";
    expect(*state, before, before, "", "");
    expect(*state, before,
           "listen:\n"
           "  - 127.0.0.1:1\n"
           "  - {address: '127.0.0.1:2', tls: [{certificate: /a, key: /c}]}\n",
           "listen", "");
    expect(*state, before,
           "listen:\n"
           "  - {address: '127.0.0.1:1', doors: [gate]}\n"
           "  - 127.0.0.1:3\n",
           "listen",
           "twoleg.yaml:2:5: listen[0].doors: needs a restart (another set is in force, this one "
           "is configured now)\n"
           "twoleg.yaml:3:5: listen[1].address: needs a restart (127.0.0.1:2 is in force, "
           "127.0.0.1:3 is configured now)\n"
           "twoleg.yaml:3:5: listen[1].tls: needs a restart (HTTPS is in force, plain HTTP is "
           "configured now)\n");
    expect(*state, before, "listen: [127.0.0.1:1]", "listen",
           "twoleg.yaml:1:1: listen: needs a restart (a list of 2 is in force, a list of 1 is "
           "configured now)\n");
}

static void what_nobody_gives_stays_as_it_was_found(void **state)
{
    struct config_test *test = *state;
    struct compared compared;
    compare(test, "", "", &compared);
    config_finish(&compared.fresh);
    // As the start found them: the store's issuer, another folder, another number of cores.
    compared.running.issuer = STR("https://remembered.example");
    compared.running.data = STR("/somewhere");
    compared.running.workers = 17;
    assert_int_equal(config_test_load(test, "token_ttl: 2h", &compared.fresh), TWOLEG_NONE);
    assert_int_equal(config_keep(&compared.running, &compared.fresh), TWOLEG_NONE);
    assert_string_equal(compared.fresh.issuer.ptr, "https://remembered.example");
    assert_string_equal(compared.fresh.data.ptr, "/somewhere");
    assert_int_equal(compared.fresh.workers, 17);
    compared_finish(&compared);
    // What was given and is given no more is a difference, but for the issuer, which a store keeps.
    expect(test, "workers: 3\nuser: me\nissuer: https://a.example", "", "user workers",
           "twoleg.yaml: user: needs a restart (me is in force, \"\" is configured now)\n"
           "twoleg.yaml: workers: needs a restart (3 is in force, 4 is configured now)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, config_test_setup, config_test_teardown)
        TEST(every_option_is_one_or_the_other),
        TEST(H22_of_a_listener_proxies_and_certificates_are_taken_over),
        TEST(what_nobody_gives_stays_as_it_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
