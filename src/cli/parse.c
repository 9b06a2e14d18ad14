// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/cli.h"

// Options may stand anywhere, also before the command; what they take is known from the one table.
struct parse_state {
    struct cli *cli;
    char **argv;
    int argc;
    int at;
    bool only_words; // after --
    const char *unknown; // the first option that no command has
};

static bool parse_find_option(struct str name, enum cli_option *ret_option)
{
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        if (str_equal(str_from(cli_option_rows[i].name), name)) {
            *ret_option = (enum cli_option)i;
            return true;
        }
    }
    return false;
}

static enum cli_exit parse_value(struct parse_state *state, enum cli_option option,
                                 const char *attached)
{
    const struct cli_option_row *row = &cli_option_rows[option];
    struct cli_values *values = &state->cli->options[option];
    const char *value = attached;
    if (!row->argument && attached)
        return cli_fail(CLI_USAGE, "--%s takes no value", row->name);
    if (row->argument && !attached) {
        if (state->at + 1 >= state->argc)
            return cli_fail(CLI_USAGE, "--%s needs a value: --%s %s", row->name, row->name,
                            row->argument);
        value = state->argv[++state->at];
    }
    if (values->count && !row->repeated)
        return cli_fail(CLI_USAGE, "--%s is given twice", row->name);
    if (values->count == CLI_VALUES_MAX)
        return cli_fail(CLI_USAGE, "--%s is given more than %d times", row->name, CLI_VALUES_MAX);
    values->items[values->count++] = value;
    return CLI_DONE;
}

static enum cli_exit parse_option(struct parse_state *state, const char *text)
{
    struct str name = str_from(text + 2);
    size_t equals = str_find(name, '=');
    const char *attached = equals < name.len ? text + 2 + equals + 1 : NULL;
    enum cli_option option;
    if (strcmp(text, "-h") == 0)
        return parse_value(state, CLI_HELP, NULL);
    if (strcmp(text, "--version") == 0 && state->cli->word_count == 0) { // as most programs have it
        state->cli->words[state->cli->word_count++] = text + 2;
        return CLI_DONE;
    }
    if (text[1] == '-' && parse_find_option(str_slice(name, 0, equals), &option))
        return parse_value(state, option, attached);
    if (!state->unknown)
        state->unknown = text;
    return CLI_DONE;
}

static enum cli_exit parse_all(struct parse_state *state)
{
    struct cli *cli = state->cli;
    for (state->at = 1; state->at < state->argc; state->at++) {
        const char *text = state->argv[state->at];
        if (!state->only_words && strcmp(text, "--") == 0) {
            state->only_words = true;
            continue;
        }
        if (!state->only_words && text[0] == '-' && text[1]) {
            enum cli_exit code = parse_option(state, text);
            if (code)
                return code;
            continue;
        }
        if (cli->word_count == CLI_WORDS_MAX)
            return cli_fail(CLI_USAGE, "too many arguments");
        cli->words[cli->word_count++] = text;
    }
    return CLI_DONE;
}

// How many words the name has, when the given ones start with them; else 0.
static size_t parse_match(struct str name, const char *const *words, size_t count)
{
    struct str word;
    size_t used = 0;
    while (str_word(&name, &word)) {
        if (used == count || !str_equal(word, str_from(words[used])))
            return 0;
        used++;
    }
    return used;
}

const struct cli_command *cli_command_find(const char *const *words, size_t count,
                                           size_t *ret_used)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        *ret_used = parse_match(str_from(cli_commands[i].name), words, count);
        if (*ret_used)
            return &cli_commands[i];
    }
    return NULL;
}

static enum cli_exit parse_unknown_command(const struct cli *cli)
{
    char memory[128];
    struct buf typed;
    struct schema_names names = {.count = 0};
    if (cli->word_count == 1 && cli_speaks_json())
        return cli_fail(CLI_USAGE, "unknown or unfinished command \"%.60s\"; `twoleg help` lists "
                        "all", cli->words[0]);
    if (cli->word_count == 1 && cli_help_group(stderr, cli->words[0]))
        return cli_fail(CLI_USAGE, "`%s` needs one of these commands", cli->words[0]);
    buf_init(&typed, memory, sizeof memory);
    buf_add(&typed, str_from(cli->words[0]));
    if (cli->word_count > 1)
        buf_addf(&typed, " %s", cli->words[1]);
    for (size_t i = 0; i < cli_command_count && i < SCHEMA_ROWS_MAX; i++)
        names.names[names.count++] = cli_commands[i].name;
    const char *near = schema_nearest(buf_str(&typed), &names);
    if (!near)
        near = schema_nearest(str_from(cli->words[0]), &names);
    if (near)
        return cli_fail(CLI_USAGE, "unknown command \"%.60s\". Did you mean \"%s\"?",
                        typed.failed ? cli->words[0] : memory, near);
    return cli_fail(CLI_USAGE, "unknown command \"%.60s\"; `twoleg help` lists all",
                    cli->words[0]);
}

static enum cli_exit parse_unknown_option(const struct cli *cli, const char *text)
{
    struct schema_names names = {.count = 0};
    struct str name = str_trim(str_from(text), "-");
    for (size_t i = 0; i < CLI_OPTIONS; i++)
        if (cli->command->options >> i & 1)
            names.names[names.count++] = cli_option_rows[i].name;
    const char *near = schema_nearest(str_slice(name, 0, str_find(name, '=')), &names);
    if (near)
        return cli_usage(cli, "unknown option \"%.60s\". Did you mean \"--%s\"?", text, near);
    return cli_usage(cli, "unknown option \"%.60s\"", text);
}

static enum cli_exit parse_check(struct cli *cli, const char *unknown)
{
    const struct cli_command *command = cli->command;
    size_t used = (size_t)(cli->arguments - cli->words);
    size_t arguments = cli->word_count - used;
    if (unknown)
        return parse_unknown_option(cli, unknown);
    for (size_t i = 0; i < CLI_OPTIONS; i++)
        if (cli->options[i].count && !(command->options >> i & 1))
            return cli_usage(cli, "`%s` has no option --%s", command->name,
                             cli_option_rows[i].name);
    if (cli_given(cli, CLI_HELP))
        return CLI_DONE;
    if (arguments < command->arguments_least)
        return cli_usage(cli, "`%s` needs %s", command->name, command->arguments);
    if (arguments > command->arguments_most)
        return cli_usage(cli, "`%s`: one argument too many, \"%.60s\"", command->name,
                         cli->arguments[command->arguments_most]);
    return CLI_DONE;
}

// Before anything can be wrong: the words about it depend on this.
static bool parse_wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

enum cli_exit cli_parse(struct cli *cli, int argc, char **argv)
{
    struct parse_state state = {.cli = cli, .argv = argv, .argc = argc};
    size_t used = 0;
    cli_speak_json(parse_wants_json(argc, argv));
    enum cli_exit code = parse_all(&state);
    if (code)
        return code;
    if (cli->word_count == 0 && state.unknown)
        return cli_fail(CLI_USAGE, "unknown option \"%.60s\" and no command; try `twoleg help`",
                        state.unknown);
    if (cli->word_count == 0)
        return CLI_DONE;
    cli->command = cli_command_find(cli->words, cli->word_count, &used);
    if (!cli->command)
        return parse_unknown_command(cli);
    cli->arguments = cli->words + used;
    return parse_check(cli, state.unknown);
}
