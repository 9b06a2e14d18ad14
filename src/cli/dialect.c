// SPDX-License-Identifier: Apache-2.0
// Dialects are looked at here: what came with the program, and files of one's own. A server is
// asked only where those are.
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/config.h"
#include "cli/dialect_try.h"
#include "cli/show.h"
#include "codec/bearer.h"
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

// ------------------------------------------------------------------------------- which one it is

static enum cli_exit folder_ask_config(struct cli *cli, struct str *ret_folder)
{
    struct config config = {0};
    enum cli_exit code = cli_config_load(cli, NULL, NULL, &config);
    if (!code)
        *ret_folder = arena_copy(&cli->arena, config.dialect_folder);
    config_finish(&config);
    return code;
}

// Only whoever names a data folder wants to hear that no server answers there.
static enum cli_exit folder_ask_server(struct cli *cli, struct str *ret_folder)
{
    static const char path[] = "/admin/v1/status";
    struct call_refusal refusal;
    json_t *answer;
    bool named = cli_given(cli, CLI_DATA);
    enum cli_exit code = CLI_NO_SERVER;
    if (named)
        code = cli_call(cli, "GET", path, NULL, &answer);
    else if (cli_folder_quietly(cli))
        code = cli_call_quietly(cli, "GET", path, NULL, &answer, &refusal);
    if (code)
        return named ? code : CLI_DONE;
    *ret_folder = arena_copy(&cli->arena, str_from(show_member(answer, "dialect_folder")));
    json_decref(answer);
    return CLI_DONE;
}

static enum cli_exit folder_ask(struct cli *cli, struct str *ret_folder)
{
    *ret_folder = STR_NONE;
    return cli_given(cli, CLI_CONFIG) ? folder_ask_config(cli, ret_folder)
                                      : folder_ask_server(cli, ret_folder);
}

// Where the server looks for a dialect of one's own. NULL without memory.
static const char *folder_path(struct arena *arena, struct str folder, struct str name)
{
    struct buf path;
    buf_init_arena(&path, arena, 256);
    buf_addf(&path, "%.*s/%.*s.yaml", STR_ARG(folder), STR_ARG(name));
    buf_add_char(&path, '\0');
    return path.failed ? NULL : path.ptr;
}

// What a NAME or FILE stands for.
struct source {
    const char *path;  // of a file; else the name of one that came with the program
    struct str folder; // where bases are looked for first; STR_NONE: nowhere
    struct str text;
};

static enum cli_exit source_read(struct cli *cli, struct source *source)
{
    const char *reason = NULL;
    enum twoleg_error error = walk_read_file(source->path, &cli->arena, &source->text, &reason);
    if (error == TWOLEG_REFUSED)
        return cli_fail(CLI_REFUSED, "%s: %s", source->path, reason);
    return error ? cli_fail(CLI_REFUSED, "%s", twoleg_error_text(error)) : CLI_DONE;
}

// As the server finds it: a folder's file goes before what came with the program.
static enum cli_exit source_find_name(struct cli *cli, const char *name, struct source *source)
{
    enum cli_exit code = folder_ask(cli, &source->folder);
    if (code)
        return code;
    if (source->folder.len) {
        source->path = folder_path(&cli->arena, source->folder, str_from(name));
        if (!source->path)
            return cli_fail(CLI_REFUSED, "out of memory");
        if (walk_file_exists(source->path))
            return source_read(cli, source);
    }
    source->path = name;
    source->text = dialect_shipped(str_from(name));
    return source->text.ptr ? CLI_DONE
                            : cli_fail(CLI_NOT_FOUND, "there is no dialect %s (twoleg dialect "
                                       "list); a file is named by a path, such as ./%s.yaml",
                                       name, name);
}

// Beside a file its base may stand.
static enum cli_exit source_find(struct cli *cli, struct source *ret_source)
{
    const char *which = cli->arguments[0];
    const char *slash = strrchr(which, '/');
    *ret_source = (struct source){.path = which};
    if (!slash && !strchr(which, '.'))
        return source_find_name(cli, which, ret_source);
    ret_source->folder =
        slash ? arena_copy(&cli->arena, str_of(which, (size_t)(slash - which) + 1)) : STR(".");
    return source_read(cli, ret_source);
}

static enum cli_exit dialect_compile(struct cli *cli, struct source *source,
                                     const struct dialect **ret_dialect)
{
    struct config_report report;
    struct dialect_library library = {.arena = &cli->arena, .report = &report};
    enum cli_exit code = source_find(cli, source);
    if (code)
        return code;
    library.folder = source->folder;
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    enum twoleg_error error =
        dialect_load(&library, str_from(source->path), source->text, ret_dialect);
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

// --------------------------------------------------------------------------------------- list

#define LIST_ARENA_CAP ((size_t)4 * 1024 * 1024) // one file, and those that it is based on

static json_t *list_text(struct str text)
{
    return text.ptr ? json_stringn_nocheck(text.ptr, text.len) : json_null();
}

// A folder's file goes before what came with the program. A folder may have any number of them.
static enum cli_exit list_add(struct str folder, struct str name, json_t *rows)
{
    struct arena arena __attribute__((cleanup(arena_finish)));
    struct config_report report;
    struct dialect_library library = {.arena = &arena, .report = &report, .folder = folder};
    const struct dialect *dialect;
    arena_init(&arena, NULL, LIST_ARENA_CAP);
    const char *path = folder_path(&arena, folder, name);
    if (!path || !config_report_init(&report, &arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    enum twoleg_error error = dialect_find(&library, name, &dialect);
    if (error == TWOLEG_MALFORMED) {
        cli_notice("dialect_refused", "warning: `twoleg dialect check %s` says why that is none",
                   path);
        return CLI_DONE;
    }
    if (error)
        return cli_fail(CLI_REFUSED, "%.*s: %s", STR_ARG(name), twoleg_error_text(error));
    bool own = folder.len && walk_file_exists(path);
    json_array_append_new(
        rows, json_pack("{s:o, s:o, s:o, s:b, s:o}", "name", list_text(dialect->name), "title",
                        list_text(dialect->title), "example", list_text(dialect->example),
                        "needs_allow_query_credentials", dialect_needs_query(dialect), "file",
                        list_text(own ? str_from(path) : STR_NONE)));
    return CLI_DONE;
}

static int list_is_dialect(const struct dirent *entry)
{
    return fnmatch("*.yaml", entry->d_name, FNM_PERIOD) == 0;
}

// Those that are called as a shipped one stand in its place already.
static enum cli_exit list_add_own(struct cli *cli, struct str folder, json_t *rows)
{
    struct dirent **entries;
    enum cli_exit code = CLI_DONE;
    int count = scandir(folder.ptr, &entries, list_is_dialect, alphasort);
    if (count < 0)
        return cli_fail(CLI_REFUSED, "dialect_folder: %s: %s", folder.ptr, strerror(errno));
    for (int i = 0; i < count; i++) {
        struct str file = str_from(entries[i]->d_name);
        struct str name = arena_copy(&cli->arena, str_slice(file, 0, file.len - 5));
        if (!code && !dialect_shipped(name).ptr)
            code = list_add(folder, name, rows);
        free(entries[i]);
    }
    free(entries);
    return code;
}

static void list_print(struct cli *cli, const json_t *rows)
{
    static const struct show_column title = {"", "title", SHOW_TEXT};
    static const struct show_column file = {"", "file", SHOW_TEXT};
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        printf("%-14s %.*s", show_member(row, "name"), STR_ARG(show_text(cli, row, &title)));
        if (json_is_string(json_object_get(row, "file")))
            printf(" (own: %.*s)", STR_ARG(show_text(cli, row, &file)));
        putchar('\n');
    }
}

enum cli_exit cli_dialect_list(struct cli *cli)
{
    const char *name;
    struct str folder;
    enum cli_exit code = folder_ask(cli, &folder);
    json_t *rows = json_array();
    for (size_t i = 0; !code && (name = dialect_shipped_name(i)); i++)
        code = list_add(folder, str_from(name), rows);
    if (!code && folder.len)
        code = list_add_own(cli, folder, rows);
    if (!code && cli_speaks_json())
        dialect_print(json_pack("{s:O}", "dialects", rows));
    else if (!code)
        list_print(cli, rows);
    json_decref(rows);
    return code;
}

// ------------------------------------------------------------------------- one, by name or file

enum cli_exit cli_dialect_show(struct cli *cli)
{
    struct source source;
    enum cli_exit code = source_find(cli, &source);
    if (code)
        return code;
    if (cli_speaks_json())
        dialect_print(json_pack("{s:s, s:s%}", "name", cli->arguments[0], "file", source.text.ptr,
                                source.text.len));
    else
        fwrite(source.text.ptr, 1, source.text.len, stdout);
    return CLI_DONE;
}

// The command that shows a token at the gate, as the dialect's clients do.
static struct str dialect_check_example(struct cli *cli, const struct dialect_resource *resource)
{
    const struct str *schemes = resource->schemes.items;
    bool bare = str_equal_nocase(schemes[0], BEARER_BARE);
    struct buf line;
    buf_init_arena(&line, &cli->arena, 512);
    buf_addf(&line, "curl -isH \"%.*s: %.*s%sTOKEN\" {url}/check", STR_ARG(resource->header),
             bare ? 0 : (int)schemes[0].len, schemes[0].ptr, bare ? "" : " ");
    return line.failed ? STR_NONE : buf_str(&line);
}

enum cli_exit cli_dialect_example(struct cli *cli)
{
    struct source source;
    const struct dialect *dialect;
    enum cli_exit code = dialect_compile(cli, &source, &dialect);
    if (code)
        return code;
    if (!dialect->example.ptr)
        return cli_fail(CLI_NOT_FOUND, "%s has no example", cli->arguments[0]);
    struct str check = dialect_check_example(cli, &dialect->resource);
    if (!check.ptr)
        return cli_fail(CLI_REFUSED, "out of memory");
    if (cli_speaks_json()) {
        dialect_print(json_pack("{s:o, s:o, s:o}", "example", list_text(dialect->example),
                                "user_example", list_text(dialect->user_example),
                                "check_example", list_text(check)));
        return CLI_DONE;
    }
    printf("%.*s\n", STR_ARG(dialect->example));
    if (dialect->user_example.ptr)
        printf("%.*s\n", STR_ARG(dialect->user_example));
    printf("%.*s\n", STR_ARG(check));
    return CLI_DONE;
}

// The server looks for NAME.yaml.
static bool source_is_named(const struct source *source, struct str name)
{
    const char *slash = strrchr(source->path, '/');
    struct str file = str_from(slash ? slash + 1 : source->path);
    return source->text.ptr == dialect_shipped(name).ptr ||
           (str_equal(str_slice(file, 0, name.len), name) &&
            str_equal(str_slice(file, name.len, file.len), STR(".yaml")));
}

enum cli_exit cli_dialect_check(struct cli *cli)
{
    struct source source;
    const struct dialect *dialect;
    enum cli_exit code = dialect_compile(cli, &source, &dialect);
    if (code)
        return code;
    if (!source_is_named(&source, dialect->name))
        return cli_fail(CLI_REFUSED, "%s: the server looks for the dialect %.*s in %.*s.yaml",
                        source.path, STR_ARG(dialect->name), STR_ARG(dialect->name));
    if (cli_speaks_json())
        dialect_print(json_pack("{s:b, s:s%, s:b}", "ok", true, "name", dialect->name.ptr,
                                dialect->name.len, "needs_allow_query_credentials",
                                dialect_needs_query(dialect)));
    else
        printf("%s: ok%s\n", source.path,
               dialect_needs_query(dialect)
                   ? "; it needs allow_query_credentials: true in the configuration"
                   : "");
    return CLI_DONE;
}

enum cli_exit cli_dialect_try(struct cli *cli)
{
    struct source source;
    const struct dialect *dialect;
    enum cli_exit code = dialect_compile(cli, &source, &dialect);
    return code ? code : dialect_try(cli, dialect);
}
