// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/call.h"
#include "cli/secret_file.h"
#include "cli/show.h"
#include "codec/duration.h"
#include "codec/percent.h"

// ---------------------------------------------------------------------------------- options

static enum cli_exit app_put(struct cli *cli, json_t *body, const char *member,
                             enum cli_option option)
{
    const char *text = cli_value(cli, option);
    if (text && json_object_set_new(body, member, json_string(text)) != 0)
        return cli_usage(cli, "--%s must be UTF-8", cli_option_rows[option].name);
    return CLI_DONE;
}

// A list; "none" stands for an empty one.
static enum cli_exit app_put_list(struct cli *cli, json_t *body, const char *member,
                                  enum cli_option option)
{
    const struct cli_values *values = &cli->options[option];
    if (values->count == 0)
        return CLI_DONE;
    json_t *list = json_array();
    bool wrong = false;
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i], "none") != 0 &&
            json_array_append_new(list, json_string(values->items[i])) != 0)
            wrong = true;
    json_object_set_new(body, member, list);
    if (wrong)
        return cli_usage(cli, "--%s must be UTF-8", cli_option_rows[option].name);
    if (option == CLI_AUDIENCE && json_array_size(list) != values->count)
        return cli_usage(cli, "--audience is the identifier of an API, not \"none\"");
    return CLI_DONE;
}

static enum cli_exit app_check(struct cli *cli)
{
    const char *ttl = cli_value(cli, CLI_TOKEN_TTL);
    const char *format = cli_value(cli, CLI_TOKEN_FORMAT);
    int64_t us;
    if (ttl && duration_parse(str_from(ttl), true, &us) != TWOLEG_NONE)
        return cli_usage(cli, "--token-ttl \"%.60s\" is not a time such as 3600, 1h, 1d, 1w or "
                         "never", ttl);
    if (format && strcmp(format, "jwt") != 0 && strcmp(format, "sealed") != 0)
        return cli_usage(cli, "--token-format is jwt or sealed, not \"%.60s\"", format);
    return CLI_DONE;
}

static enum cli_exit app_body(struct cli *cli, json_t *body)
{
    static const struct {
        const char *member;
        enum cli_option option;
    } texts[] = {{"name", CLI_NAME},
                 {"scope", CLI_SCOPE},
                 {"token_format", CLI_TOKEN_FORMAT},
                 {"token_ttl", CLI_TOKEN_TTL},
                 {"client_id", CLI_CLIENT_ID}};
    enum cli_exit code = app_check(cli);
    for (size_t i = 0; !code && i < sizeof texts / sizeof *texts; i++)
        code = app_put(cli, body, texts[i].member, texts[i].option);
    if (cli_given(cli, CLI_RESOURCE_SERVER))
        json_object_set_new(body, "resource_server", json_true());
    if (!code)
        code = app_put_list(cli, body, "audience", CLI_AUDIENCE);
    if (!code)
        code = app_put_list(cli, body, "serves", CLI_SERVES);
    return code;
}

static void app_tell_declared(const json_t *answer)
{
    const json_t *declared = json_object_get(answer, "declared");
    for (size_t i = 0; i < json_array_size(declared); i++) {
        const json_t *row = json_array_get(declared, i);
        fprintf(stderr, "twoleg: the scope \"%s\" was not known; it is now declared by %s\n",
                show_member(row, "scope"), show_member(row, "identifier"));
    }
}

// ---------------------------------------------------------------------------------- create

// As curl -u wants it in a shell: an ID with a colon must be encoded (RFC 6749 2.3.1), and whatever
// a shell would take for its own is quoted.
static struct str app_shell_id(struct cli *cli, struct str id)
{
    static const struct str plain = {"0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.@/=", 68};
    struct buf out;
    bool quote = false;
    buf_init_arena(&out, &cli->arena, id.len + 2);
    if (str_find(id, ':') < id.len) {
        percent_encode(&out, id);
        return buf_str(&out);
    }
    for (size_t i = 0; i < id.len; i++)
        quote |= str_find(plain, id.ptr[i]) == plain.len;
    if (!quote)
        return id;
    buf_add_char(&out, '\'');
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] == '\'')
            buf_add(&out, STR("'\\'"));
        buf_add_char(&out, id.ptr[i]);
    }
    buf_add_char(&out, '\'');
    return buf_str(&out);
}

static void app_print_created(struct cli *cli, const json_t *answer, const char *secret_file)
{
    static const struct show_column life = {NULL, "token_ttl", SHOW_LIFE};
    static const struct show_column scope = {NULL, "scope", SHOW_TEXT};
    const char *secret = show_member(answer, "client_secret");
    const char *client_id = show_member(answer, "client_id");
    struct str scopes = show_text(cli, answer, &scope);
    struct str lives = show_text(cli, answer, &life);
    struct str shell = app_shell_id(cli, str_from(client_id));
    printf("Application  %s\nClient ID    %s\n", show_member(answer, "name"), client_id);
    if (secret_file)
        printf("Secret       in %s\n", secret_file);
    else if (secret[0])
        printf("Secret       %s  (shown once)\n", secret);
    else
        printf("Secret       the one you brought\n");
    printf("Scope        %.*s   Format %s   Life %.*s\n\n", STR_ARG(scopes),
           show_member(answer, "token_format"), STR_ARG(lives));
    printf("Token: curl -u %.*s -d grant_type=client_credentials %s   (asks for the secret)\n",
           STR_ARG(shell), show_member(answer, "token_endpoint"));
}

// What scripts get: these members in this order. client_secret is null when it lies in a file or
// was brought.
static void app_print_created_json(json_t *answer, bool in_file)
{
    static const char *const members[] = {"client_id", "client_secret", "name",
                                          "scope",     "token_format",  "token_ttl"};
    json_t *out = json_object();
    if (in_file)
        json_object_del(answer, "client_secret");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(answer, members[i]);
        json_object_set(out, members[i], value ? value : json_null());
    }
    json_dumpf(out, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(out);
}

enum cli_exit cli_app_create(struct cli *cli)
{
    struct secret_file file;
    json_t *answer;
    if (!cli_given(cli, CLI_NAME))
        return cli_usage(cli, "`app create` needs --name");
    json_t *body = json_object();
    enum cli_exit code = app_body(cli, body);
    if (!code)
        code = secret_file_read(cli, body);
    if (!code)
        code = secret_file_open(cli, &file);
    if (code) {
        json_decref(body);
        return code;
    }
    code = cli_call(cli, "POST", "/admin/v1/applications", body, &answer);
    if (code) {
        secret_file_close(&file, NULL);
        return code;
    }
    code = secret_file_close(&file, show_member(answer, "client_secret"));
    app_tell_declared(answer);
    if (cli_given(cli, CLI_JSON))
        app_print_created_json(answer, file.path != NULL);
    else
        app_print_created(cli, answer, file.path);
    json_decref(answer);
    return code;
}

// ---------------------------------------------------------------------------------- list, show

static const struct show_column app_columns[] = {
    {"CLIENT ID", "client_id", SHOW_TEXT},  {"NAME", "name", SHOW_TEXT},
    {"STATUS", "status", SHOW_TEXT},        {"FORMAT", "token_format", SHOW_TEXT},
    {"LIFE", "token_ttl", SHOW_LIFE},       {"CREATED", "created", SHOW_TIME},
};

static const char *app_next_page(struct cli *cli, const char *after)
{
    const char *path = cli_path(cli, "/applications", "after", after);
    struct buf text;
    buf_init_arena(&text, &cli->arena, 256);
    buf_addf(&text, "%s&limit=1000", path ? path : "");
    buf_add_char(&text, '\0');
    return path && !text.failed ? text.ptr : NULL;
}

// Page after page: a list is whole or an error.
enum cli_exit cli_app_list(struct cli *cli)
{
    json_t *all = json_array();
    const char *path = "/admin/v1/applications?limit=1000";
    while (path) {
        json_t *answer;
        enum cli_exit code = cli_call(cli, "GET", path, NULL, &answer);
        if (code) {
            json_decref(all);
            return code;
        }
        json_array_extend(all, json_object_get(answer, "applications"));
        const char *next = json_string_value(json_object_get(answer, "next"));
        path = next ? app_next_page(cli, next) : NULL;
        json_decref(answer);
    }
    json_t *whole = json_pack("{s:o}", "applications", all);
    if (!show_json(cli, whole))
        show_table(cli, all, app_columns, sizeof app_columns / sizeof *app_columns);
    json_decref(whole);
    return CLI_DONE;
}

enum cli_exit cli_app_show(struct cli *cli)
{
    static const struct show_column lines[] = {
        {"Application", "name", SHOW_TEXT},   {"Client ID", "client_id", SHOW_TEXT},
        {"Status", "status", SHOW_TEXT},      {"Scope", "scope", SHOW_TEXT},
        {"Format", "token_format", SHOW_TEXT}, {"Life", "token_ttl", SHOW_LIFE},
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

enum cli_exit cli_app_update(struct cli *cli)
{
    json_t *answer;
    json_t *body = json_object();
    enum cli_exit code = app_body(cli, body);
    if (!code && json_object_size(body) == 0)
        code = cli_usage(cli, "nothing to change was given");
    if (code) {
        json_decref(body);
        return code;
    }
    code = cli_call(cli, "PATCH", cli_path(cli, "/application", "client_id", cli->arguments[0]),
                    body, &answer);
    if (code)
        return code;
    app_tell_declared(answer);
    json_decref(answer);
    return cli_app_show(cli);
}

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
    buf_addf(&text, "Application \"%s\" (%s), %zu secrets: %s", show_member(answer, "name"),
             show_member(answer, "client_id"), json_array_size(json_object_get(answer, "secrets")),
             what);
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
