// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/call.h"
#include "cli/show.h"

enum cli_exit cli_api_list(struct cli *cli)
{
    static const struct show_column columns[] = {
        {"API", "identifier", SHOW_TEXT},
        {"NAME", "name", SHOW_TEXT},
        {"DEFAULT", "default", SHOW_YES},
        {"ALGORITHM", "algorithm", SHOW_TEXT},
        {"SCOPES", "scope", SHOW_TEXT},
    };
    json_t *apis;
    enum cli_exit code = cli_call_pages(cli, "/apis", "apis", &apis);
    return code ? code
                : show_rows(cli, json_pack("{s:o}", "apis", apis), "apis", columns,
                            sizeof columns / sizeof *columns);
}

enum cli_exit cli_api_create(struct cli *cli)
{
    const char *name = cli_value(cli, CLI_NAME);
    const char *scope = cli_value(cli, CLI_SCOPE);
    json_t *answer;
    json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*}", "identifier", cli->arguments[0], "name",
                             name, "scope", scope, "algorithm", cli_value(cli, CLI_ALGORITHM));
    if (!body)
        return cli_usage(cli, "the arguments must be UTF-8");
    enum cli_exit code = cli_call(cli, "POST", "/admin/v1/apis", body, &answer);
    if (code)
        return code;
    json_t *created = json_object_get(answer, "created");
    if (!show_json(cli, created))
        printf("API %s is there: name it with --audience %s\n", show_member(created, "identifier"),
               show_member(created, "identifier"));
    json_decref(answer);
    return CLI_DONE;
}

static void scope_add_rows(json_t *rows, const json_t *api)
{
    struct str rest = str_from(show_member(api, "scope"));
    struct str word;
    while (str_word(&rest, &word))
        json_array_append_new(rows, json_pack("{s:s%, s:O}", "scope", word.ptr, word.len,
                                              "identifier", json_object_get(api, "identifier")));
}

enum cli_exit cli_scope_list(struct cli *cli)
{
    static const struct show_column columns[] = {
        {"SCOPE", "scope", SHOW_TEXT},
        {"API", "identifier", SHOW_TEXT},
    };
    const char *wanted = cli_value(cli, CLI_API);
    json_t *apis;
    enum cli_exit code = cli_call_pages(cli, "/apis", "apis", &apis);
    if (code)
        return code;
    json_t *rows = json_array();
    bool found = !wanted;
    for (size_t i = 0; i < json_array_size(apis); i++) {
        const json_t *api = json_array_get(apis, i);
        if (wanted && strcmp(show_member(api, "identifier"), wanted) != 0)
            continue;
        found = true;
        scope_add_rows(rows, api);
    }
    json_decref(apis);
    if (found)
        return show_rows(cli, json_pack("{s:o}", "scopes", rows), "scopes", columns,
                         sizeof columns / sizeof *columns);
    json_decref(rows);
    return cli_fail(CLI_NOT_FOUND, "no API has the identifier \"%s\" (data folder %s)", wanted,
                    cli->folder);
}

static enum cli_exit scope_change(struct cli *cli, const char *path, const char *done)
{
    json_t *answer;
    json_t *body = json_pack("{s:s, s:s*}", "scope", cli->arguments[0], "api",
                             cli_value(cli, CLI_API));
    if (!body)
        return cli_usage(cli, "the arguments must be UTF-8");
    enum cli_exit code = cli_call(cli, "POST", path, body, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer))
        printf("scope %s is %s\n", cli->arguments[0], done);
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit cli_scope_add(struct cli *cli)
{
    return scope_change(cli, "/admin/v1/scopes", "declared");
}

enum cli_exit cli_scope_remove(struct cli *cli)
{
    enum cli_exit code = cli_confirm(
        cli, "Every application loses this scope, and so do tokens already out; a token that has "
             "no other scope stops working at once.");
    return code ? code : scope_change(cli, "/admin/v1/scopes/remove", "removed");
}
