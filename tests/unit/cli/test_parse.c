// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"

#define ARGS_MAX 16

// Runs the parser on words separated by '|'.
static enum cli_exit parse(struct cli *cli, const char *line)
{
    static char memory[512];
    static char *argv[ARGS_MAX];
    int argc = 1;
    argv[0] = memory + sizeof memory - 1;
    snprintf(memory, sizeof memory - 1, "%s", line);
    for (char *at = memory; at && argc < ARGS_MAX; argc++) {
        argv[argc] = at;
        at = strchr(at, '|');
        if (at)
            *at++ = '\0';
    }
    *cli = (struct cli){.command = NULL};
    return cli_parse(cli, argc, argv);
}

static void options_may_stand_anywhere(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "app|create|--name|Billing|--scope=sms groups|--json|--data|/d",
        "--data|/d|--json|app|--name|Billing|create|--scope|sms groups",
        "--data=/d|app|create|--json|--scope|sms groups|--name=Billing",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct cli cli;
        assert_int_equal(parse(&cli, lines[i]), CLI_DONE);
        assert_string_equal(cli.command->name, "app create");
        assert_string_equal(cli_value(&cli, CLI_NAME), "Billing");
        assert_string_equal(cli_value(&cli, CLI_SCOPE), "sms groups");
        assert_string_equal(cli_value(&cli, CLI_DATA), "/d");
        assert_true(cli_given(&cli, CLI_JSON));
        assert_false(cli_given(&cli, CLI_YES));
        assert_null(cli_value(&cli, CLI_TOKEN_TTL));
    }
}

static void arguments_and_repeated_options(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(parse(&cli, "secret|remove|app_x|sec_y|--yes"), CLI_DONE);
    assert_string_equal(cli.arguments[0], "app_x");
    assert_string_equal(cli.arguments[1], "sec_y");
    assert_int_equal(parse(&cli, "app|show|--|--odd"), CLI_DONE);
    assert_string_equal(cli.arguments[0], "--odd");
    assert_int_equal(parse(&cli, "app|show|-"), CLI_DONE);
    assert_string_equal(cli.arguments[0], "-");
    assert_int_equal(parse(&cli, "serve|--listen|a|--listen|b"), CLI_DONE);
    assert_int_equal(cli.options[CLI_LISTEN].count, 2);
    assert_int_equal(parse(&cli, "app|show|x|--help"), CLI_DONE);
    assert_int_equal(parse(&cli, "app|show|-h"), CLI_DONE);
    assert_int_equal(parse(&cli, ""), CLI_USAGE); // an empty word is no command
}

static void usage_errors_are_2(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nonsense",
        "app",
        "app|nonsense",
        "app|show",
        "app|show|a|b",
        "app|show|a|--nonsense",
        "app|show|a|--yes",
        "app|show|a|--json=1",
        "app|create|--name",
        "app|create|--name|a|--name|b",
        "app|create|--json|--json",
        "app|create|-x",
        "--nonsense",
        "a|b|c|d|e|f|g|h|i",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct cli cli;
        assert_int_equal(parse(&cli, lines[i]), CLI_USAGE);
    }
}

static void every_command_is_found_by_its_name_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count; i++) {
        const char *words[2] = {NULL, NULL};
        char memory[64];
        size_t count = 0;
        size_t used;
        snprintf(memory, sizeof memory, "%s", cli_commands[i].name);
        for (char *at = memory; at && count < 2; count++) {
            words[count] = at;
            at = strchr(at, ' ');
            if (at)
                *at++ = '\0';
        }
        assert_ptr_equal(cli_command_find(words, count, &used), &cli_commands[i]);
        assert_int_equal(used, count);
        assert_true(cli_commands[i].options & CLI_BIT(HELP));
        assert_true(cli_commands[i].arguments_least <= cli_commands[i].arguments_most);
        assert_true(cli_commands[i].arguments_most + count <= CLI_WORDS_MAX);
        assert_non_null(cli_commands[i].run);
    }
    assert_true(cli_command_count <= SCHEMA_ROWS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_anywhere),
        cmocka_unit_test(arguments_and_repeated_options),
        cmocka_unit_test(usage_errors_are_2),
        cmocka_unit_test(every_command_is_found_by_its_name_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
