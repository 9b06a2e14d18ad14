// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/app_body.h"
#include "cli/call.h"
#include "cli/secret_file.h"
#include "cli/show.h"
#include "codec/percent.h"

#define APP_PLAIN "0123456789abcdefghijklmnopqrstuvwxyz" "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.@/="

// One word of a shell, in quotes where it is not plain.
static struct str app_shell(struct cli *cli, struct str text, struct str plain)
{
    struct buf out;
    bool quote = text.len == 0;
    buf_init_arena(&out, &cli->arena, text.len + 2);
    for (size_t i = 0; i < text.len; i++)
        quote |= str_find(plain, text.ptr[i]) == plain.len;
    if (!quote)
        return text;
    buf_add_char(&out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_add(&out, STR("'\\'"));
        buf_add_char(&out, text.ptr[i]);
    }
    buf_add_char(&out, '\'');
    return buf_str(&out);
}

// As curl -u wants it in a shell: an ID with a colon must be encoded (RFC 6749 2.3.1).
static struct str app_shell_id(struct cli *cli, struct str id)
{
    struct buf out;
    if (str_find(id, ':') == id.len)
        return app_shell(cli, id, STR(APP_PLAIN));
    buf_init_arena(&out, &cli->arena, id.len + 2);
    percent_encode(&out, id);
    return buf_str(&out);
}

// The resource parameter (RFC 8707) where the server could not know which API is meant.
static struct str app_shell_resource(struct cli *cli, struct str resource)
{
    struct buf out;
    if (resource.len == 0)
        return STR("");
    struct str word = app_shell(cli, resource, STR(APP_PLAIN ":"));
    buf_init_arena(&out, &cli->arena, word.len + 32);
    // What a form would take for its own, curl encodes.
    buf_add(&out, str_equal(word, resource) ? STR(" -d resource=")
                                            : STR(" --data-urlencode resource="));
    buf_add(&out, word);
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
    struct str resource = app_shell_resource(cli, str_from(show_member(answer, "resource")));
    printf("Application  %s\nClient ID    %s\n", show_member(answer, "name"), client_id);
    if (secret_file)
        printf("Secret       in %s\n", secret_file);
    else if (secret[0])
        printf("Secret       %s  (shown once)\n", secret);
    else
        printf("Secret       the one you brought\n");
    printf("Scope        %.*s   Format %s   Life %.*s\n\n", STR_ARG(scopes),
           show_member(answer, "token_format"), STR_ARG(lives));
    printf("Token: curl -u %.*s -d grant_type=client_credentials%.*s %s   (asks for the secret)\n",
           STR_ARG(shell), STR_ARG(resource), show_member(answer, "token_endpoint"));
}

// What scripts get: these members in this order. client_secret is null when it lies in a file or
// was brought.
static void app_print_created_json(const json_t *answer, bool in_file)
{
    static const char *const members[] = {"client_id", "client_secret", "name",
                                          "scope",     "token_format",  "token_ttl"};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(answer, members[i]);
        bool shown = value && !(in_file && strcmp(members[i], "client_secret") == 0);
        json_object_set(out, members[i], shown ? value : json_null());
    }
    show_object(out);
    json_decref(out);
}

static void app_tell_likeness(const json_t *answer)
{
    const char *like = show_member(answer, "like");
    if (like[0])
        cli_notice("client_id_alike", "the client ID %s and that of another application, %s, "
                   "differ by percent-encoding alone: a client that sends one may be taken for the "
                   "other",
                   show_member(answer, "client_id"), like);
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
    code = secret_file_close(&file, answer);
    app_tell_declared(answer);
    app_tell_likeness(answer);
    if (!code && cli_given(cli, CLI_JSON))
        app_print_created_json(answer, file.path != NULL);
    else if (!code)
        app_print_created(cli, answer, file.path);
    if (!code)
        code = secret_file_printed(&file, answer);
    json_decref(answer);
    return code;
}
