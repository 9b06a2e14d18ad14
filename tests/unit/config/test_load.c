// SPDX-License-Identifier: Apache-2.0
// The sources, their order, what is derived, and the rules between options.
#include "config_test.h"

#include <sys/stat.h>

#include "http/http.h"

static void defaults_without_any_source(void **state)
{
    struct config_test *test = *state;
    struct config_sources sources = config_test_sources();
    struct config config;
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_NONE);
    assert_int_equal(config.listen.count, 1);
    assert_string_equal(config.listen.items[0].endpoint.text.ptr, "127.0.0.1:8080");
    assert_int_equal(config.listen.items[0].doors, DOOR_ALL);
    assert_string_equal(config.issuer.ptr, "http://127.0.0.1:8080");
    assert_int_equal(config.origins[CONFIG_ISSUER].origin, CONFIG_DERIVED);
    assert_string_equal(config.data.ptr, "/nonexistent/me/.local/state/twoleg");
    assert_int_equal(config.workers, 4);
    assert_int_equal(config.token_ttl, 3600 * SECOND_US);
    assert_int_equal(config.jwt_max_ttl, 24 * 3600 * SECOND_US);
    assert_int_equal(config.token_format, FORMAT_JWT);
    assert_string_equal(config.token_prefix.ptr, "tlt_");
    assert_string_equal(config.secret_prefix.ptr, "tls_");
    assert_int_equal(config.log_requests, CONFIG_LOG_REFUSED);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_int_equal(config.drain_timeout, 20 * SECOND_US);
    assert_int_equal(config.checks.count, 0);
    assert_int_equal(config.master_key_file.len, 0);
    config_finish(&config);
    config_finish(&config);
    config_finish(NULL);
}

static void a_file_is_read_with_nested_lists(void **state)
{
    struct config_test *test = *state;
    struct config config;
    assert_int_equal(config_test_load(test,
                                      "listen:\n"
                                      "  - unix:twoleg.sock\n"
                                      "  - address: 0.0.0.0:8443\n"
                                      "    doors: [public, gate]\n"
                                      "    trusted_proxies: [10.0.0.0/8, '::1']\n"
                                      "data: store\n"
                                      "token_format: sealed\n"
                                      "token_ttl: 10y\n"
                                      "checks:\n"
                                      "  - name: sms\n"
                                      "    scope: send read\n"
                                      "    resource: rabbitmq\n"
                                      "  - name: all\n",
                                      &config),
                     TWOLEG_NONE);
    assert_int_equal(config.listen.count, 2);
    assert_int_equal(config.listen.items[0].doors, DOOR_PUBLIC);
    assert_true(str_starts_with(config.listen.items[0].endpoint.path, str_from(test->folder)));
    assert_true(str_ends_with(config.listen.items[0].endpoint.path, STR("/twoleg.sock")));
    assert_int_equal(config.listen.items[1].doors, DOOR_PUBLIC | DOOR_GATE);
    assert_int_equal(config.listen.items[1].trusted_proxies.count, 2);
    assert_int_equal(config.listen.items[1].trusted_proxies.items[1].bits, 128);
    // Nobody can call 0.0.0.0; the Unix socket has no name either.
    assert_string_equal(config.issuer.ptr, "http://127.0.0.1:8443");
    assert_true(str_starts_with(config.data, str_from(test->folder)));
    assert_true(str_ends_with(config.data, STR("/store")));
    assert_int_equal(config.origins[CONFIG_DATA].origin, CONFIG_FILE);
    assert_int_equal(config.origins[CONFIG_DATA].mark.line, 6);
    assert_int_equal(config.checks.count, 2);
    assert_string_equal(config.checks.items[0].resource.ptr, "rabbitmq");
    assert_int_equal(config.checks.items[1].scope.len, 0);
    config_finish(&config);
}

static void the_command_line_beats_environment_and_file(void **state)
{
    struct config_test *test = *state;
    static const char *const listen[] = {"127.0.0.1:0", "[2001:db8::1]:81", "unix:s"};
    struct config_sources sources = config_test_sources();
    struct config config;
    config_test_write(test, STR("data: /file\nlisten: [127.0.0.1:1]\n"));
    sources.file = test->file;
    sources.environment_data = "/environment";
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_NONE);
    assert_string_equal(config.data.ptr, "/environment");
    assert_int_equal(config.origins[CONFIG_DATA].origin, CONFIG_ENVIRONMENT);
    config_finish(&config);
    sources.data = "argument";
    snprintf(sources.current, sizeof sources.current, "/here");
    sources.listen = listen;
    sources.listen_count = 3;
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_NONE);
    assert_string_equal(config.data.ptr, "/here/argument");
    assert_int_equal(config.listen.count, 3);
    assert_string_equal(config.listen.items[2].endpoint.text.ptr, "unix:/here/s");
    assert_int_equal(config.listen.items[1].doors, DOOR_PUBLIC);
    assert_int_equal(config.origins[CONFIG_LISTEN].origin, CONFIG_COMMAND_LINE);
    const struct address bound = {.family = ADDRESS_V4, .bytes = {127, 0, 0, 1}, .port = 4711};
    assert_int_equal(config_derive_issuer(&config, &bound), TWOLEG_NONE);
    assert_string_equal(config.issuer.ptr, "http://127.0.0.1:4711");
    config_finish(&config);
}

static void rfc8414_2_the_issuer_of_a_tls_listener_is_https(void **state)
{
    struct config config;
    assert_int_equal(config_test_load(*state,
                                      "listen:\n"
                                      "  - unix:/tmp/s\n"
                                      "  - address: 127.0.0.1:0\n"
                                      "    tls: [{certificate: /a.pem, key: /a.key},\n"
                                      "          {certificate: /b.pem, key: /b.key}]\n",
                                      &config),
                     TWOLEG_NONE);
    assert_int_equal(config.listen.items[0].tls.count, 0);
    assert_int_equal(config.listen.items[1].tls.count, 2);
    assert_string_equal(config.listen.items[1].tls.items[1].key.ptr, "/b.key");
    const struct address bound = {.family = ADDRESS_V4, .bytes = {127, 0, 0, 1}, .port = 4711};
    assert_int_equal(config_derive_issuer(&config, &bound), TWOLEG_NONE);
    assert_string_equal(config.issuer.ptr, "https://127.0.0.1:4711");
    config_finish(&config);
}

static void a_given_issuer_is_never_derived(void **state)
{
    struct config config;
    assert_int_equal(config_test_load(*state, "issuer: https://a.example\n", &config), TWOLEG_NONE);
    const struct address bound = {.family = ADDRESS_V4, .bytes = {127, 0, 0, 1}, .port = 4711};
    assert_int_equal(config_derive_issuer(&config, &bound), TWOLEG_NONE);
    assert_string_equal(config.issuer.ptr, "https://a.example");
    config_finish(&config);
}

static void the_systems_folder_counts_if_it_holds_a_store(void **state)
{
    struct config_test *test = *state;
    struct config_sources sources = config_test_sources();
    struct config_folder folder;
    char store[128];
    sources.system_data = test->folder;
    sources.state_home = "/state";
    assert_int_equal(config_find_data(&sources, &test->arena, &folder), TWOLEG_NONE);
    assert_string_equal(folder.path.ptr, "/state/twoleg");
    snprintf(store, sizeof store, "%s/" CONFIG_STORE_FILE, test->folder);
    fclose(fopen(store, "w"));
    assert_int_equal(config_find_data(&sources, &test->arena, &folder), TWOLEG_NONE);
    assert_string_equal(folder.path.ptr, test->folder);
    unlink(store);
    sources.state_home = "";
    sources.home = NULL;
    assert_int_equal(config_find_data(&sources, &test->arena, &folder), TWOLEG_MISSING);
}

static void load_refused(struct config_test *test, const char *text, const char *wanted)
{
    struct config config;
    assert_true(config_report_init(&test->report, &test->arena));
    assert_int_equal(config_test_load(test, text, &config), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test), wanted);
}

static void H22_rules_between_options(void **state)
{
    load_refused(*state, "issuer: https://a/\n",
                 "twoleg.yaml:1:1: issuer: \"https://a/\" ends with a slash; tokens and metadata "
                 "must name it in one spelling, so leave the slash out\n");
    load_refused(*state, "listen: ['127.0.0.1:80', '[::1]:80', '127.0.0.1:80']\n",
                 "twoleg.yaml:1:38: listen[2]: \"127.0.0.1:80\" stands there twice\n");
    load_refused(*state, "listen: [unix:/a, unix:/b, unix:/a]\n",
                 "twoleg.yaml:1:28: listen[2]: \"unix:/a\" stands there twice\n");
    load_refused(*state, "checks:\n  - name: a\n  - name: b\n  - name: a\n    scope: ' '\n",
                 "twoleg.yaml:4:5: checks[2]: scope has only blanks\n"
                 "twoleg.yaml:4:5: checks[2]: the name \"a\" stands there twice, first in line "
                 "2\n");
    load_refused(*state, "\ntoken_ttl: 2d\n", "twoleg.yaml:2:1: token_ttl: longer than "
                                              "jwt_max_ttl (1d), while token_format is jwt\n");
    load_refused(*state, "jwt_max_ttl: 10m\n", "twoleg.yaml:1:1: token_ttl: longer than "
                                               "jwt_max_ttl (10m), while token_format is jwt\n");
}

static void H22_file_and_command_line_are_reported_together(void **state)
{
    struct config_test *test = *state;
    static const char *const listen[] = {"8080", "unix:"};
    struct config_sources sources = config_test_sources();
    struct config config;
    assert_true(config_report_init(&test->report, &test->arena));
    config_test_write(test, STR("wokers: 2\n"));
    sources.file = test->file;
    sources.listen = listen;
    sources.listen_count = 2;
    sources.home = NULL;
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_MALFORMED);
    assert_string_equal(
        config_test_print(test),
        "--listen: \"8080\" is no listening address (ADDR:PORT or unix:PATH)\n"
        "--listen: \"unix:\" has no good path (ADDR:PORT or unix:PATH)\n"
        "twoleg.yaml:1:1: unknown key \"wokers\". Did you mean \"workers\"? (whole number, 0 to 32 "
        "threads, default 0)\n"
        "data: there is no home folder to hold it; give --data DIR\n");
}

// Each option in turn: without a value, with a mapping and a list for it, and with junk.
static void H22_each_option_refuses_the_wrong_type(void **state)
{
    static const char *const values[] = {"", "{a: 1}", "[[]]", "\"\\0\""};
    struct config_test *test = *state;
    const struct schema_shape *schema = config_schema();
    for (size_t i = 0; i < schema->row_count; i++)
        for (size_t j = 0; j < COUNT(values); j++) {
            char text[128];
            char where[128];
            struct config config;
            assert_true(config_report_init(&test->report, &test->arena));
            snprintf(text, sizeof text, "%s: %s\n", schema->rows[i].name, values[j]);
            snprintf(where, sizeof where, "%s", schema->rows[i].name);
            assert_int_equal(config_test_load(test, text, &config), TWOLEG_MALFORMED);
            const char *printed = config_test_print(test);
            assert_int_equal(strncmp(printed, "twoleg.yaml:1:", 14), 0);
            assert_non_null(strstr(printed, where));
        }
}

static void H22_the_limits_themselves_are_good(void **state)
{
    const struct schema_shape *schema = config_schema();
    for (size_t i = 0; i < schema->row_count; i++) {
        const struct schema_row *row = &schema->rows[i];
        if (!row->min || (row->type != SCHEMA_INTEGER && row->type != SCHEMA_DURATION))
            continue;
        const char *const limits[] = {row->min, row->max};
        for (size_t j = 0; j < COUNT(limits); j++) {
            char text[128];
            struct config config;
            snprintf(text, sizeof text, "token_format: sealed\n%s: %s\n", row->name, limits[j]);
            assert_int_equal(config_test_load(*state, text, &config), TWOLEG_NONE);
            config_finish(&config);
        }
    }
}

static void H22_files_that_cannot_be_read(void **state)
{
    struct config_test *test = *state;
    struct config_sources sources = config_test_sources();
    struct config config;
    sources.file = "/nonexistent/twoleg.yaml";
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test),
                        "/nonexistent/twoleg.yaml: No such file or directory\n");
    assert_true(config_report_init(&test->report, &test->arena));
    sources.file = "/";
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test), "/: is not a regular file\n");
    config_test_write(test, STR("#"));
    assert_int_equal(truncate(test->file, (off_t)YAML_FILE_MAX + 1), 0);
    assert_true(config_report_init(&test->report, &test->arena));
    sources.file = test->file;
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test), "twoleg.yaml: is larger than 1 MiB\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, config_test_setup, config_test_teardown)
        TEST(defaults_without_any_source),
        TEST(a_file_is_read_with_nested_lists),
        TEST(the_command_line_beats_environment_and_file),
        TEST(rfc8414_2_the_issuer_of_a_tls_listener_is_https),
        TEST(a_given_issuer_is_never_derived),
        TEST(rfc8414_2_the_issuer_of_a_tls_listener_is_https),
        TEST(the_systems_folder_counts_if_it_holds_a_store),
        TEST(H22_rules_between_options),
        TEST(H22_file_and_command_line_are_reported_together),
        TEST(H22_each_option_refuses_the_wrong_type),
        TEST(H22_the_limits_themselves_are_good),
        TEST(H22_files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
