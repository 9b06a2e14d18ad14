// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "codec/json_write.h"

#define CLI_ARENA_CAP ((size_t)16 * 1024 * 1024)

bool cli_given(const struct cli *cli, enum cli_option option)
{
    return cli->options[option].count > 0;
}

const char *cli_value(const struct cli *cli, enum cli_option option)
{
    return cli_given(cli, option) ? cli->options[option].items[0] : NULL;
}

static bool cli_json;

void cli_speak_json(bool json)
{
    cli_json = json;
}

bool cli_speaks_json(void)
{
    return cli_json;
}

static void cli_say_json(const char *kind, const char *word, struct str message)
{
    char memory[6 * CLI_MESSAGE_MAX + 128]; // each byte escaped, and the frame
    struct buf out;
    struct json_writer json;
    buf_init(&out, memory, sizeof memory);
    json_writer_init(&json, &out);
    json_object_begin(&json);
    json_key_str(&json, str_from(kind), str_from(word));
    json_key_str(&json, STR("message"), message);
    json_object_end(&json);
    fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&out)));
}

// Messages repeat what others wrote: a terminal gets no control characters but our line ends.
static void cli_say_text(struct str message)
{
    fputs("twoleg: ", stderr);
    for (size_t i = 0; i < message.len; i++) {
        char c = message.ptr[i];
        bool control = ((uint8_t)c < 0x20 && c != '\n') || c == 0x7f;
        fputc(control ? '?' : c, stderr);
    }
    fputc('\n', stderr);
}

static __attribute__((format(printf, 3, 0))) void cli_say(const char *kind, const char *word,
                                                          const char *format, va_list arguments)
{
    char text[CLI_MESSAGE_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    if (cli_json)
        cli_say_json(kind, word, str_from(text));
    else
        cli_say_text(str_from(text));
}

void cli_notice(const char *word, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cli_say("notice", word, format, arguments);
    va_end(arguments);
}

static const char *const cli_words[] = {[CLI_DONE] = "none",
                                        [CLI_REFUSED] = "refused",
                                        [CLI_USAGE] = "usage",
                                        [CLI_NOT_FOUND] = "not_found",
                                        [CLI_CONFLICT] = "conflict",
                                        [CLI_NO_SERVER] = "no_server"};

enum cli_exit cli_fail(enum cli_exit code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cli_say("error", cli_words[code], format, arguments);
    va_end(arguments);
    return code;
}

enum cli_exit cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cli_say("error", cli_words[CLI_USAGE], format, arguments);
    va_end(arguments);
    if (!cli_json)
        fprintf(stderr, "Try `twoleg help %s`.\n", cli->command->name);
    return CLI_USAGE;
}

const char *cli_folder_quietly(struct cli *cli)
{
    struct config_sources sources;
    struct config_folder folder;
    if (cli->folder)
        return cli->folder;
    config_sources_init(&sources);
    sources.data = cli_value(cli, CLI_DATA);
    if (config_find_data(&sources, &cli->arena, &folder))
        return NULL;
    cli->folder = folder.path.ptr;
    return cli->folder;
}

const char *cli_folder(struct cli *cli)
{
    const char *folder = cli_folder_quietly(cli);
    if (!folder)
        cli_fail(CLI_NO_SERVER, "there is no data folder: no --data, no $TWOLEG_DATA, no %s and no "
                 "home folder", CONFIG_SYSTEM_DATA);
    return folder;
}

enum cli_exit cli_confirm(struct cli *cli, const char *what)
{
    char answer[16] = "";
    if (cli_given(cli, CLI_YES))
        return CLI_DONE;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        if (cli_json)
            return cli_usage(cli, "this would happen: %s There is no terminal to ask at; add --yes "
                             "if that is meant", what);
        fprintf(stderr, "This would happen: %s\n", what);
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
    if (cli_given(cli, CLI_HELP) && cli_given(cli, CLI_JSON)) {
        cli_help_json(cli->command, NULL);
        return CLI_DONE;
    }
    if (!cli->command && cli_given(cli, CLI_HELP)) {
        cli_help_all(stdout);
        return CLI_DONE;
    }
    if (!cli->command && cli_json)
        return cli_fail(CLI_USAGE, "no command was given");
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

// A closed standard stream must not become the number of the socket or of a secret's file. What
// takes its place fails: nothing may look written that is lost.
static void cli_hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

enum cli_exit cli_main(int argc, char **argv)
{
    struct cli cli = {.command = NULL};
    cli_hold_standard();
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
