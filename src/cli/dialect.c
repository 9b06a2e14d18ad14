// SPDX-License-Identifier: Apache-2.0
// Dialects are looked at here, without a server: what came with the program, and files of one's
// own.
#include <string.h>

#include "cli/dialect_try.h"
#include "config/walk.h"

static enum cli_exit dialect_complain(struct cli *cli, enum twoleg_error error,
                                      struct config_report *report)
{
    struct buf text;
    buf_init_arena(&text, &cli->arena, 1024);
    config_report_print(report, &text);
    struct str lines = buf_str(&text);
    if (lines.len == 0)
        return cli_fail(CLI_REFUSED, "the dialect: %s", twoleg_error_text(error));
    if (cli_speaks_json())
        return cli_fail(CLI_REFUSED, "%.*s", STR_ARG(str_trim(lines, "\n")));
    fprintf(stderr, "%.*s", STR_ARG(lines));
    return CLI_REFUSED;
}

// The name of one that came with the program, or the path of a file.
static enum cli_exit dialect_text(struct cli *cli, const char *which, struct str *ret_text)
{
    const char *reason = NULL;
    *ret_text = dialect_shipped(str_from(which));
    if (ret_text->ptr)
        return CLI_DONE;
    if (!strchr(which, '/') && !strchr(which, '.'))
        return cli_fail(CLI_NOT_FOUND, "no dialect %s came with the program (twoleg dialect "
                        "list); one of your own is named by its file", which);
    enum twoleg_error error = walk_read_file(which, &cli->arena, ret_text, &reason);
    if (error == TWOLEG_REFUSED)
        return cli_fail(CLI_REFUSED, "%s: %s", which, reason);
    return error ? cli_fail(CLI_REFUSED, "%s", twoleg_error_text(error)) : CLI_DONE;
}

// Where the file's base may stand beside it; STR_NONE for one that came with the program.
static struct str dialect_folder(struct cli *cli, const char *which)
{
    const char *slash = strrchr(which, '/');
    if (dialect_shipped(str_from(which)).ptr)
        return STR_NONE;
    return slash ? arena_copy(&cli->arena, str_of(which, (size_t)(slash - which) + 1)) : STR(".");
}

static enum cli_exit dialect_compile(struct cli *cli, const char *which,
                                     const struct dialect **ret_dialect)
{
    struct config_report report;
    struct dialect_library library = {
        .arena = &cli->arena, .report = &report, .folder = dialect_folder(cli, which)};
    struct str text;
    enum cli_exit code = dialect_text(cli, which, &text);
    if (code)
        return code;
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    enum twoleg_error error = dialect_load(&library, str_from(which), text, ret_dialect);
    return error ? dialect_complain(cli, error, &report) : CLI_DONE;
}

// Else the server does not speak it.
static bool dialect_needs_query(const struct dialect *dialect)
{
    return dialect->client_in_query || dialect->token_in_query;
}

static void dialect_print(json_t *answer)
{
    json_dumpf(answer, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(answer);
}

enum cli_exit cli_dialect_list(struct cli *cli)
{
    json_t *rows = json_array();
    const char *name;
    for (size_t i = 0; (name = dialect_shipped_name(i)); i++) {
        const struct dialect *dialect;
        enum cli_exit code = dialect_compile(cli, name, &dialect);
        if (code) {
            json_decref(rows);
            return code;
        }
        if (!cli_speaks_json())
            printf("%-14s %.*s\n", name, STR_ARG(dialect->title));
        json_array_append_new(rows, json_pack("{s:s, s:s%, s:s%, s:b}", "name", name, "title",
                                              dialect->title.ptr, dialect->title.len, "example",
                                              dialect->example.ptr, dialect->example.len,
                                              "needs_allow_query_credentials",
                                              dialect_needs_query(dialect)));
    }
    if (cli_speaks_json())
        dialect_print(json_pack("{s:O}", "dialects", rows));
    json_decref(rows);
    return CLI_DONE;
}

enum cli_exit cli_dialect_show(struct cli *cli)
{
    struct str text;
    enum cli_exit code = dialect_text(cli, cli->arguments[0], &text);
    if (code)
        return code;
    if (cli_speaks_json())
        dialect_print(json_pack("{s:s, s:s%}", "name", cli->arguments[0], "file", text.ptr,
                                text.len));
    else
        fwrite(text.ptr, 1, text.len, stdout);
    return CLI_DONE;
}

enum cli_exit cli_dialect_example(struct cli *cli)
{
    const struct dialect *dialect;
    enum cli_exit code = dialect_compile(cli, cli->arguments[0], &dialect);
    if (code)
        return code;
    if (!dialect->example.ptr)
        return cli_fail(CLI_NOT_FOUND, "%s has no example", cli->arguments[0]);
    if (cli_speaks_json()) {
        dialect_print(json_pack("{s:s%, s:s%*}", "example", dialect->example.ptr,
                                dialect->example.len, "user_example", dialect->user_example.ptr,
                                dialect->user_example.len));
        return CLI_DONE;
    }
    printf("%.*s\n", STR_ARG(dialect->example));
    if (dialect->user_example.ptr)
        printf("%.*s\n", STR_ARG(dialect->user_example));
    return CLI_DONE;
}

// The server looks for NAME.yaml.
static bool dialect_is_named(const char *which, struct str name)
{
    const char *slash = strrchr(which, '/');
    struct str file = str_from(slash ? slash + 1 : which);
    return dialect_shipped(str_from(which)).ptr ||
           (str_equal(str_slice(file, 0, name.len), name) &&
            str_equal(str_slice(file, name.len, file.len), STR(".yaml")));
}

enum cli_exit cli_dialect_check(struct cli *cli)
{
    const struct dialect *dialect;
    enum cli_exit code = dialect_compile(cli, cli->arguments[0], &dialect);
    if (code)
        return code;
    if (!dialect_is_named(cli->arguments[0], dialect->name))
        return cli_fail(CLI_REFUSED, "%s: the server looks for the dialect %.*s in %.*s.yaml",
                        cli->arguments[0], STR_ARG(dialect->name), STR_ARG(dialect->name));
    if (cli_speaks_json())
        dialect_print(json_pack("{s:b, s:s%, s:b}", "ok", true, "name", dialect->name.ptr,
                                dialect->name.len, "needs_allow_query_credentials",
                                dialect_needs_query(dialect)));
    else
        printf("%s: ok%s\n", cli->arguments[0],
               dialect_needs_query(dialect)
                   ? "; it needs allow_query_credentials: true in the configuration"
                   : "");
    return CLI_DONE;
}

enum cli_exit cli_dialect_try(struct cli *cli)
{
    const struct dialect *dialect;
    enum cli_exit code = dialect_compile(cli, cli->arguments[0], &dialect);
    return code ? code : dialect_try(cli, dialect);
}
