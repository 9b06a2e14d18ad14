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

struct app_word {
    struct str name, value;
};

static void app_fill(struct buf *out, struct str text, const struct app_word *words, size_t count)
{
    while (text.len) {
        const struct app_word *found = NULL;
        for (size_t i = 0; i < count && !found; i++)
            if (str_starts_with(text, words[i].name))
                found = &words[i];
        buf_add(out, found ? found->value : str_slice(text, 0, 1));
        text = str_slice(text, found ? found->name.len : 1, text.len);
    }
}

// One that the application has, or a word for it.
static struct str app_a_scope(struct cli *cli, const json_t *answer)
{
    struct str scopes = str_from(show_member(answer, "scope")), scope;
    if (!str_word(&scopes, &scope))
        return STR("SCOPE");
    return str_equal(app_shell(cli, scope, STR(APP_PLAIN)), scope) ? scope : STR("SCOPE");
}

// The dialect's own example with the application in it. One that begins like RFC 6749's lets curl
// ask for the secret; another one shows where it goes, and an ID that could mean something there
// is left to the reader. Without one nothing is said: a wrong line is worse than none.
static void app_print_example(struct cli *cli, const json_t *answer)
{
    static const struct str asks = {"curl -su {id}:{secret} ", 23};
    struct str example = str_from(show_member(answer, "example"));
    struct str id = str_from(show_member(answer, "client_id"));
    struct str shell = app_shell(cli, id, STR(APP_PLAIN));
    struct str resource = app_shell_resource(cli, str_from(show_member(answer, "resource")));
    bool rfc = strcmp(show_member(answer, "dialect"), "rfc6749") == 0;
    struct buf url, line;
    if (example.len == 0 || (resource.len && !rfc))
        return;
    buf_init_arena(&url, &cli->arena, resource.len + 64);
    if (resource.len) {
        buf_add(&url, str_slice(resource, 1, resource.len));
        buf_add_char(&url, ' ');
    }
    buf_add(&url, str_from(show_member(answer, "issuer")));
    const struct app_word words[] = {{STR("{url}"), buf_str(&url)},
                                     {STR("{issuer}"), str_from(show_member(answer, "issuer"))},
                                     {STR("{scope}"), app_a_scope(cli, answer)},
                                     {STR("{id}"), str_equal(shell, id) ? id : STR("CLIENT_ID")},
                                     {STR("{secret}"), STR("SECRET")},
                                     {STR("{basic}"), STR("BASE64_OF_ID:SECRET")},
                                     {STR("{username}"), STR("USERNAME")},
                                     {STR("{password}"), STR("PASSWORD")}};
    bool asked = str_starts_with(example, asks);
    buf_init_arena(&line, &cli->arena, example.len + url.len + 64);
    if (asked) {
        buf_add(&line, STR("curl -u "));
        buf_add(&line, app_shell_id(cli, id));
        buf_add_char(&line, ' ');
        example = str_slice(example, asks.len, example.len);
    }
    app_fill(&line, example, words, sizeof words / sizeof *words);
    if (!line.failed)
        printf("\nToken: %.*s   (%s)\n", STR_ARG(buf_str(&line)),
               asked ? "asks for the secret" : "with the secret for SECRET");
}

static void app_print_created(struct cli *cli, const json_t *answer, const char *secret_file)
{
    static const struct show_column life = {NULL, "token_ttl", SHOW_LIFE};
    static const struct show_column scope = {NULL, "scope", SHOW_TEXT};
    const char *secret = show_member(answer, "client_secret");
    const char *client_id = show_member(answer, "client_id");
    struct str scopes = show_text(cli, answer, &scope);
    struct str lives = show_text(cli, answer, &life);
    const char *format = show_member(answer, "token_format");
    const char *given = show_member(answer, "dialect_format");
    printf("Application  %s\nClient ID    %s\n", show_member(answer, "name"), client_id);
    if (secret_file)
        printf("Secret       in %s\n", secret_file);
    else if (secret[0])
        printf("Secret       %s  (shown once)\n", secret);
    else
        printf("Secret       the one you brought\n");
    printf("Scope        %.*s   Format %s", STR_ARG(scopes), format);
    if (given[0] && strcmp(given, format) != 0)
        printf(" (%s gives %s)", show_member(answer, "dialect"), given);
    printf("   Life %.*s\n", STR_ARG(lives));
    app_print_example(cli, answer);
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
    app_tell_words(answer);
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
