// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/show.h"

#define HELP_COLUMN 30

static void help_line(FILE *out, const char *left, const char *right)
{
    int width = (int)strlen(left);
    if (width > HELP_COLUMN - 4)
        fprintf(out, "  %s\n%*s%s\n", left, HELP_COLUMN, "", right);
    else
        fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, left, right);
}

void cli_help_all(FILE *out)
{
    fputs("twoleg: two-legged OAuth 2.0 for any HTTP API\n\n"
          "usage: twoleg COMMAND [OPTIONS]\n\n", out);
    for (size_t i = 0; i < cli_command_count; i++) {
        char left[128];
        const struct cli_command *command = &cli_commands[i];
        snprintf(left, sizeof left, "%s%s%s", command->name, command->arguments[0] ? " " : "",
                 command->arguments);
        help_line(out, left, command->summary);
    }
    fputs("\n`twoleg COMMAND --help` lists the options of a command; twoleg(1) is the manual.\n"
          "Exit codes: 0 done, 1 refused, 2 usage, 3 not found, 4 conflict, 5 no server.\n", out);
}

void cli_help_command(FILE *out, const struct cli_command *command)
{
    fprintf(out, "usage: twoleg %s%s%s [OPTIONS]\n\n%s\n\n", command->name,
            command->arguments[0] ? " " : "", command->arguments, command->summary);
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        char left[128];
        const struct cli_option_row *row = &cli_option_rows[i];
        if (!(command->options >> i & 1))
            continue;
        snprintf(left, sizeof left, "--%s%s%s%s", row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "", row->repeated ? " ..." : "");
        help_line(out, left, row->help);
    }
}

static bool help_in_group(const struct cli_command *command, const char *group)
{
    struct str name = str_from(command->name);
    size_t blank = str_find(name, ' ');
    return blank < name.len && str_equal(str_slice(name, 0, blank), str_from(group));
}

static bool help_group_is_known(const char *group)
{
    bool known = false;
    for (size_t i = 0; i < cli_command_count; i++)
        known |= help_in_group(&cli_commands[i], group);
    return known;
}

static json_t *help_options(const struct cli_command *command)
{
    json_t *options = json_array();
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option_row *row = &cli_option_rows[i];
        if (command->options >> i & 1)
            json_array_append_new(options, json_pack("{s:s, s:s?, s:b, s:s}", "name", row->name,
                                                     "argument", row->argument, "repeated",
                                                     row->repeated, "help", row->help));
    }
    return options;
}

void cli_help_json(const struct cli_command *command, const char *group)
{
    json_t *commands = json_array();
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *row = &cli_commands[i];
        if ((command && command != row) || (group && !help_in_group(row, group)))
            continue;
        json_array_append_new(commands, json_pack("{s:s, s:s, s:s, s:o}", "name", row->name,
                                                  "arguments", row->arguments, "summary",
                                                  row->summary, "options", help_options(row)));
    }
    json_t *all = json_pack("{s:o}", "commands", commands);
    show_object(all);
    json_decref(all);
}

bool cli_help_group(FILE *out, const char *group)
{
    bool found = false;
    for (size_t i = 0; i < cli_command_count; i++) {
        if (!help_in_group(&cli_commands[i], group))
            continue;
        help_line(out, cli_commands[i].name, cli_commands[i].summary);
        found = true;
    }
    return found;
}

enum cli_exit cli_help(struct cli *cli)
{
    size_t count = (size_t)(cli->words + cli->word_count - cli->arguments);
    bool json = cli_given(cli, CLI_JSON);
    size_t used;
    const struct cli_command *command =
        count ? cli_command_find(cli->arguments, count, &used) : NULL;
    const char *group = count == 1 && !command ? cli->arguments[0] : NULL;
    bool known = count == 0 || command || (group && help_group_is_known(group));
    if (known && json)
        cli_help_json(command, group);
    else if (count == 0)
        cli_help_all(stdout);
    else if (command)
        cli_help_command(stdout, command);
    else if (known)
        cli_help_group(stdout, group);
    if (known)
        return CLI_DONE;
    return cli_fail(CLI_USAGE, "there is no command \"%.60s\"", cli->arguments[0]);
}

enum cli_exit cli_version(struct cli *cli)
{
    if (cli_given(cli, CLI_JSON))
        puts("{\"version\": \"" TWOLEG_VERSION "\"}");
    else
        puts("twoleg " TWOLEG_VERSION);
    return CLI_DONE;
}
