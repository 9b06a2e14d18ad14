// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define CLI_ARENA_CAP ((size_t)16 * 1024 * 1024)

bool cli_given(const struct cli *cli, enum cli_option option)
{
    return cli->options[option].count > 0;
}

const char *cli_value(const struct cli *cli, enum cli_option option)
{
    return cli_given(cli, option) ? cli->options[option].items[0] : NULL;
}

static __attribute__((format(printf, 1, 0))) void cli_say(const char *format, va_list arguments)
{
    fputs("twoleg: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

enum cli_exit cli_fail(enum cli_exit code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cli_say(format, arguments);
    va_end(arguments);
    return code;
}

enum cli_exit cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cli_say(format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try `twoleg help %s`.\n", cli->command->name);
    return CLI_USAGE;
}

const char *cli_folder(struct cli *cli)
{
    struct config_sources sources;
    struct config_folder folder;
    if (cli->folder)
        return cli->folder;
    config_sources_init(&sources);
    sources.data = cli_value(cli, CLI_DATA);
    enum twoleg_error error = config_find_data(&sources, &cli->arena, &folder);
    if (error) {
        cli_fail(CLI_REFUSED, "there is no data folder: no --data, no $TWOLEG_DATA, no %s and no "
                 "home folder", CONFIG_SYSTEM_DATA);
        return NULL;
    }
    cli->folder = folder.path.ptr;
    return cli->folder;
}

enum cli_exit cli_confirm(struct cli *cli, const char *what)
{
    char answer[16] = "";
    if (cli_given(cli, CLI_YES))
        return CLI_DONE;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        fprintf(stderr, "%s\n", what);
        return cli_usage(cli, "there is no terminal to ask at; add --yes if that is meant");
    }
    fprintf(stderr, "%s\nGo on? [y/N] ", what);
    if (fgets(answer, sizeof answer, stdin) && (strcmp(answer, "y\n") == 0 ||
                                                strcmp(answer, "yes\n") == 0))
        return CLI_DONE;
    return cli_fail(CLI_REFUSED, "nothing was changed");
}

static enum cli_exit cli_run(struct cli *cli)
{
    if (!cli->command && cli_given(cli, CLI_HELP)) {
        cli_help_all(stdout);
        return CLI_DONE;
    }
    if (!cli->command) {
        cli_help_all(stderr);
        return CLI_USAGE;
    }
    if (cli_given(cli, CLI_HELP)) {
        cli_help_command(stdout, cli->command);
        return CLI_DONE;
    }
    return cli->command->run(cli);
}

enum cli_exit cli_main(int argc, char **argv)
{
    struct cli cli = {.command = NULL};
    arena_init(&cli.arena, NULL, CLI_ARENA_CAP);
    cli.arena.wipe = true;
    enum cli_exit code = cli_parse(&cli, argc, argv);
    if (!code)
        code = cli_run(&cli);
    arena_finish(&cli.arena);
    // What could not be written was not done: a full disk must not look like success.
    if ((fflush(stdout) || ferror(stdout)) && !code)
        code = cli_fail(CLI_REFUSED, "standard output could not be written");
    return code;
}
