// SPDX-License-Identifier: Apache-2.0
// What is shown is valid YAML and loads to the same again.
#include "config_test.h"

#include "base/fault.h"

static struct str shown(struct config_test *test, const struct config *config)
{
    struct buf out;
    buf_init_arena(&out, &test->arena, 4096);
    config_show(config, &out);
    assert_false(out.failed);
    return buf_str(&out);
}

// Without the comments, which name other origins the second time.
static struct str values_only(struct config_test *test, struct str text)
{
    struct buf out;
    struct str line;
    buf_init_arena(&out, &test->arena, 4096);
    while (str_split(&text, '\n', &line)) {
        struct str value = str_trim(str_slice(line, 0, str_find(line, '#')), " ");
        if (value.len)
            buf_addf(&out, "%.*s\n", STR_ARG(value));
    }
    return buf_str(&out);
}

static void round_trip(struct config_test *test, const char *text)
{
    struct config first;
    struct config second;
    if (config_test_load(test, text, &first))
        fail_msg("%s", config_test_print(test));
    struct str one = shown(test, &first);
    struct str copy = arena_copy(&test->arena, one);
    if (config_test_load(test, copy.ptr, &second))
        fail_msg("%s\n%s", config_test_print(test), copy.ptr);
    struct str two = shown(test, &second);
    struct str wanted = values_only(test, one);
    struct str got = values_only(test, two);
    if (!str_equal(wanted, got))
        fail_msg("first:\n%.*s\nsecond:\n%.*s", STR_ARG(wanted), STR_ARG(got));
    config_finish(&first);
    config_finish(&second);
}

static void defaults_go_round(void **state)
{
    round_trip(*state, "");
}

static void a_full_file_goes_round(void **state)
{
    round_trip(*state, "listen:\n"
                       "  - unix:/run/a b.sock\n"
                       "  - {address: '[::]:80', doors: [gate, metrics], trusted_proxies: "
                       "[10.0.0.0/8, '::1']}\n"
                       "issuer: https://a.example:8443/x\n"
                       "data: 'da\"t\\a # x'\n"
                       "token_prefix: 'null'\n"
                       "secret_prefix: ''\n"
                       "token_ttl: 90s\n"
                       "log_requests: none\n"
                       "checks: [{name: no, scope: 'a b'}, {name: b, resource: '{x}'}]\n");
}

static void each_value_names_its_origin(void **state)
{
    struct config_test *test = *state;
    static const char *const listen[] = {"127.0.0.1:9000"};
    struct config_sources sources = config_test_sources();
    struct config config;
    config_test_write(test, STR("\ntoken_ttl: 2h\nchecks: [{name: sms, scope: send}]\n"));
    sources.file = "twoleg.yaml";
    sources.listen = listen;
    sources.listen_count = 1;
    sources.environment_data = "/srv/twoleg";
    assert_int_equal(chdir(test->folder), 0);
    assert_int_equal(config_load(&sources, &config, &test->report), TWOLEG_NONE);
    struct str text = shown(test, &config);
    struct str copy = arena_copy(&test->arena, text);
    static const char *const lines[] = {
        "listen:                                     # --listen\n"
        "  - address: 127.0.0.1:9000\n"
        "    doors: [public, gate, admin, metrics]\n"
        "issuer: http://127.0.0.1:9000               "
        "# derived from listen; an existing store keeps its own\n",
        "\ndata: /srv/twoleg                           # $TWOLEG_DATA\n",
        "\n# master_key_file is not set                # default\n",
        "\nworkers: 4                                  # one for each core\n"
        "checks:                                     # twoleg.yaml:3\n"
        "  - name: sms\n"
        "    scope: send\n"
        "dialect: rfc6749                            # default\n",
        ("\ntoken_ttl: 2h                               # twoleg.yaml:2\n"
         "jwt_max_ttl: 1d                             # default\n"),
    };
    for (size_t i = 0; i < COUNT(lines); i++)
        if (!strstr(copy.ptr, lines[i]))
            fail_msg("%s\nis not in\n%s", lines[i], copy.ptr);
    config_finish(&config);
}

static struct str the_default(struct config_test *test)
{
    struct buf out;
    buf_init_arena(&out, &test->arena, 4096);
    config_default(&out);
    assert_false(out.failed);
    return arena_copy(&test->arena, buf_str(&out));
}

static void the_default_file_parses_clean(void **state)
{
    struct config_test *test = *state;
    struct config config;
    struct str text = the_default(test);
    assert_int_equal(config_test_load(test, text.ptr, &config), TWOLEG_NONE);
    for (size_t i = 0; i < CONFIG_OPTIONS; i++)
        assert_int_not_equal(config.origins[i].origin, CONFIG_FILE);
    config_finish(&config);
}

static void the_default_file_names_every_option_and_parses_when_uncommented(void **state)
{
    struct config_test *test = *state;
    struct config config;
    struct str rest = the_default(test);
    struct str line;
    struct buf out;
    buf_init_arena(&out, &test->arena, 4096);
    while (str_split(&rest, '\n', &line)) {
        assert_true(line.len <= 80);
        bool is_text = line.len < 2 || str_starts_with(line, STR("# "));
        // `#  - item` belongs to the options, `# text` does not.
        bool is_option = !is_text || str_starts_with(line, STR("#  "));
        struct str shown_line = is_option ? str_slice(line, 1, line.len) : line;
        buf_addf(&out, "%.*s\n", STR_ARG(shown_line));
    }
    struct str text = arena_copy(&test->arena, buf_str(&out));
    if (config_test_load(test, text.ptr, &config))
        fail_msg("%s", config_test_print(test));
    for (size_t i = 0; i < CONFIG_OPTIONS; i++)
        if (config.origins[i].origin != CONFIG_FILE && i != CONFIG_WORKERS)
            fail_msg("%s is not in the default file", config_schema()->rows[i].name);
    config_finish(&config);
}

// Memory that runs out at any allocation gives an error, never a half configuration.
static void no_memory_is_an_error_at_every_step(void **state)
{
    struct config_test *test = *state;
    for (unsigned long nth = 1;; nth++) {
        struct config config;
        assert_true(config_report_init(&test->report, &test->arena));
        config_test_write(test, STR("checks: [{name: a}]\ndata: x\n"));
        struct config_sources sources = config_test_sources();
        sources.file = test->file;
        fault_arm(FAULT_MEMORY, nth, true);
        enum twoleg_error error = config_load(&sources, &config, &test->report);
        bool reached = fault_count(FAULT_MEMORY) >= nth;
        fault_arm(FAULT_MEMORY, 0, false);
        if (!reached) {
            assert_int_equal(error, TWOLEG_NONE);
            config_finish(&config);
            return;
        }
        assert_int_equal(error, TWOLEG_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, config_test_setup, config_test_teardown)
        TEST(defaults_go_round),
        TEST(a_full_file_goes_round),
        TEST(each_value_names_its_origin),
        TEST(the_default_file_parses_clean),
        TEST(the_default_file_names_every_option_and_parses_when_uncommented),
        TEST(no_memory_is_an_error_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
