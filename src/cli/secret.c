// SPDX-License-Identifier: Apache-2.0
#include "cli/call.h"
#include "cli/secret_file.h"
#include "cli/show.h"
#include "codec/duration.h"

static enum cli_exit secret_body(struct cli *cli, json_t *body)
{
    const char *label = cli_value(cli, CLI_LABEL);
    const char *expires = cli_value(cli, CLI_EXPIRES);
    int64_t us;
    if (expires && duration_parse(str_from(expires), true, &us) != TWOLEG_NONE)
        return cli_usage(cli, "--expires \"%.60s\" is not a time such as 90d or 1y", expires);
    if (label && json_object_set_new(body, "label", json_string(label)) != 0)
        return cli_usage(cli, "--label must be UTF-8");
    if (expires)
        json_object_set_new(body, "expires_in", json_string(expires));
    return secret_file_read(cli, body);
}

static void secret_print_json(struct cli *cli, json_t *answer, bool elsewhere)
{
    json_t *shown = json_copy(answer);
    if (elsewhere)
        json_object_set_new(shown, "client_secret", json_null());
    show_json(cli, shown);
    json_decref(shown);
}

static void secret_print(struct cli *cli, json_t *answer, const struct secret_file *file)
{
    const char *text = show_member(answer, "client_secret");
    if (cli_given(cli, CLI_JSON)) {
        secret_print_json(cli, answer, file->path || !text[0]);
        return;
    }
    printf("Secret       %s\n", show_member(answer, "secret"));
    if (file->path)
        printf("Text         in %s\n", file->path);
    else if (text[0])
        printf("Text         %s  (shown once)\n", text);
    else
        printf("Text         the one you brought\n");
}

enum cli_exit cli_secret_add(struct cli *cli)
{
    struct secret_file file;
    json_t *answer;
    json_t *body = json_object();
    enum cli_exit code = secret_body(cli, body);
    if (!code)
        code = secret_file_open(cli, &file);
    if (code) {
        json_decref(body);
        return code;
    }
    code = cli_call(cli, "POST",
                    cli_path(cli, "/application/secrets", "client_id", cli->arguments[0]), body,
                    &answer);
    if (code) {
        secret_file_close(&file, NULL);
        return code;
    }
    code = secret_file_close(&file, answer);
    if (!code)
        secret_print(cli, answer, &file);
    if (!code)
        code = secret_file_printed(&file, answer);
    json_decref(answer);
    return code;
}

enum cli_exit cli_secret_list(struct cli *cli)
{
    static const struct show_column columns[] = {
        {"SECRET", "secret", SHOW_TEXT},       {"LABEL", "label", SHOW_TEXT},
        {"STATUS", "status", SHOW_TEXT},       {"CREATED", "created", SHOW_TIME},
        {"EXPIRES", "expires", SHOW_TIME},     {"LAST USED", "last_used", SHOW_TIME},
        {"USES", "used_count", SHOW_COUNT},    {"FROM", "used_address", SHOW_TEXT},
    };
    json_t *answer;
    enum cli_exit code =
        cli_call(cli, "GET", cli_path(cli, "/application/secrets", "client_id", cli->arguments[0]),
                 NULL, &answer);
    return code ? code
                : show_rows(cli, answer, "secrets", columns, sizeof columns / sizeof *columns);
}

enum cli_exit cli_secret_remove(struct cli *cli)
{
    bool revoke = cli_given(cli, CLI_REVOKE_TOKENS);
    json_t *answer;
    enum cli_exit code = cli_confirm(
        cli, revoke ? "Nobody gets a token with this secret any more, and the tokens it was used "
                      "for stop working at once."
                    : "Nobody gets a token with this secret any more; the tokens it was used for "
                      "live until they expire (--revoke-tokens ends them, too).");
    if (code)
        return code;
    json_t *body = json_pack("{s:s, s:b}", "secret", cli->arguments[1], "revoke_tokens", revoke);
    if (!body)
        return cli_usage(cli, "the arguments must be UTF-8");
    code = cli_call(cli, "POST",
                    cli_path(cli, "/application/secrets/remove", "client_id", cli->arguments[0]),
                    body, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer))
        printf("%s is removed%s\n", cli->arguments[1], revoke ? ", its tokens are revoked" : "");
    json_decref(answer);
    return CLI_DONE;
}
