// SPDX-License-Identifier: Apache-2.0
#include "cli/call.h"
#include "cli/show.h"

static const struct show_column app_columns[] = {
    {"CLIENT ID", "client_id", SHOW_TEXT},  {"NAME", "name", SHOW_TEXT},
    {"STATUS", "status", SHOW_TEXT},        {"FORMAT", "token_format", SHOW_TEXT},
    {"LIFE", "token_ttl", SHOW_LIFE},       {"CREATED", "created", SHOW_TIME},
};

enum cli_exit cli_app_list(struct cli *cli)
{
    json_t *all;
    enum cli_exit code = cli_call_pages(cli, "/applications", "applications", &all);
    if (code)
        return code;
    return show_rows(cli, json_pack("{s:o}", "applications", all), "applications", app_columns,
                     sizeof app_columns / sizeof *app_columns);
}

enum cli_exit cli_app_show(struct cli *cli)
{
    static const struct show_column lines[] = {
        {"Application", "name", SHOW_TEXT},   {"Client ID", "client_id", SHOW_TEXT},
        {"Number", "application", SHOW_TEXT}, {"Status", "status", SHOW_TEXT},
        {"Scope", "scope", SHOW_TEXT},
        {"Format", "token_format", SHOW_TEXT}, {"Life", "token_ttl", SHOW_LIFE},
        {"Dialects", "dialects", SHOW_TEXT},
        {"Grants", "grants", SHOW_TEXT},
        {"Budget", "budget", SHOW_TEXT},      {"Budget mode", "budget_mode", SHOW_TEXT},
        {"Budget refused", "budget_limited", SHOW_COUNT},
        {"Budget observed", "budget_observed", SHOW_COUNT},
        {"Audience", "audience", SHOW_LIST},  {"Serves", "serves", SHOW_LIST},
        {"Created", "created", SHOW_TIME},    {"Updated", "updated", SHOW_TIME},
    };
    static const struct show_column secrets[] = {
        {"SECRET", "secret", SHOW_TEXT},   {"LABEL", "label", SHOW_TEXT},
        {"STATUS", "status", SHOW_TEXT},   {"EXPIRES", "expires", SHOW_TIME},
        {"LAST USED", "last_used", SHOW_TIME},
    };
    json_t *answer;
    enum cli_exit code =
        cli_call(cli, "GET", cli_path(cli, "/application", "client_id", cli->arguments[0]), NULL,
                 &answer);
    if (code)
        return code;
    if (!show_json(cli, answer)) {
        show_lines(cli, answer, lines, sizeof lines / sizeof *lines);
        putchar('\n');
        show_table(cli, json_object_get(answer, "secrets"), secrets,
                   sizeof secrets / sizeof *secrets);
    }
    json_decref(answer);
    return CLI_DONE;
}

// ---------------------------------------------------------------------------------- change

static enum cli_exit app_act(struct cli *cli, const char *method, const char *path, json_t *body,
                             const char *done)
{
    json_t *answer;
    enum cli_exit code = cli_call(
        cli, method, cli_path(cli, path, "client_id", cli->arguments[0]), body, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer))
        printf("%s %s\n", cli->arguments[0], done);
    json_decref(answer);
    return CLI_DONE;
}

// The question names the application as the server knows it, so that a slip is seen; what there is
// not is said before anything is asked.
static enum cli_exit app_confirm(struct cli *cli, const char *what)
{
    json_t *answer;
    struct buf text;
    enum cli_exit code =
        cli_call(cli, "GET", cli_path(cli, "/application", "client_id", cli->arguments[0]), NULL,
                 &answer);
    if (code)
        return code;
    buf_init_arena(&text, &cli->arena, 512);
    size_t secrets = json_array_size(json_object_get(answer, "secrets"));
    buf_addf(&text, "Application \"%s\" (%s), %zu secret%s: %s", show_member(answer, "name"),
             show_member(answer, "client_id"), secrets, secrets == 1 ? "" : "s", what);
    buf_add_char(&text, '\0');
    json_decref(answer);
    return cli_confirm(cli, text.failed ? what : text.ptr);
}

enum cli_exit cli_app_disable(struct cli *cli)
{
    enum cli_exit code = app_confirm(cli, "all its tokens stop working at once, and it gets no new "
                                          "ones until it is enabled again.");
    return code ? code : app_act(cli, "POST", "/application/disable", NULL, "is disabled");
}

enum cli_exit cli_app_enable(struct cli *cli)
{
    json_t *body = json_pack("{s:b}", "keep_tokens", cli_given(cli, CLI_KEEP_TOKENS));
    return app_act(cli, "POST", "/application/enable", body, "is active");
}

enum cli_exit cli_app_delete(struct cli *cli)
{
    enum cli_exit code = app_confirm(cli, "it is deleted for ever; its secrets and all its tokens "
                                          "stop working at once.");
    return code ? code : app_act(cli, "DELETE", "/application", NULL, "is deleted");
}

enum cli_exit cli_app_revoke_tokens(struct cli *cli)
{
    enum cli_exit code = app_confirm(cli, "all tokens it was given until now stop working at once; "
                                          "it can get new ones with its secrets.");
    return code ? code : app_act(cli, "POST", "/application/revoke-tokens", NULL,
                                 "has no good tokens any more");
}
