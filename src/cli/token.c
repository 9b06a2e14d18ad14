// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/show.h"

#define TOKEN_STDIN_MAX ((size_t)17 * 1024)

// The token on standard input, blanks and line ends around it left out.
static enum cli_exit token_read(struct cli *cli, json_t **ret_body)
{
    char *text = arena_alloc(&cli->arena, TOKEN_STDIN_MAX);
    if (!text)
        return cli_fail(CLI_REFUSED, "out of memory");
    if (isatty(STDIN_FILENO))
        fputs("Paste the token, then Ctrl-D:\n", stderr);
    struct str token = str_trim(str_of(text, fread(text, 1, TOKEN_STDIN_MAX, stdin)), " \t\r\n");
    if (token.len == 0)
        return cli_usage(cli, "there is no token on standard input");
    json_t *value = token.len < TOKEN_STDIN_MAX ? json_stringn(token.ptr, token.len) : NULL;
    if (!value)
        return cli_fail(CLI_REFUSED, "what is on standard input is no token");
    *ret_body = json_pack("{s:o}", "token", value);
    return CLI_DONE;
}

static enum cli_exit token_call(struct cli *cli, const char *path, json_t **ret_answer)
{
    json_t *body;
    enum cli_exit code = token_read(cli, &body);
    return code ? code : cli_call(cli, "POST", path, body, ret_answer);
}

enum cli_exit cli_token_inspect(struct cli *cli)
{
    static const struct show_column lines[] = {
        {"Application", "name", SHOW_TEXT},  {"Client ID", "client_id", SHOW_TEXT},
        {"Number", "application", SHOW_TEXT}, {"Secret", "secret", SHOW_TEXT},
        {"Token ID", "token_id", SHOW_TEXT}, {"Format", "format", SHOW_TEXT},
        {"Audience", "audience", SHOW_LIST}, {"Scope", "scope", SHOW_TEXT},
        {"In effect", "effective_scope", SHOW_TEXT}, {"Issued", "issued", SHOW_TIME},
        {"Expires", "expires", SHOW_TIME},
    };
    json_t *answer;
    enum cli_exit code = token_call(cli, "/admin/v1/tokens/inspect", &answer);
    if (code)
        return code;
    bool active = json_is_true(json_object_get(answer, "active"));
    if (!show_json(cli, answer)) {
        if (json_object_get(answer, "format"))
            show_lines(cli, answer, lines, sizeof lines / sizeof *lines);
        if (active)
            puts("Verdict: good");
        else
            printf("Verdict: refused, %s\n", show_member(answer, "reason"));
    }
    json_decref(answer);
    return active ? CLI_DONE : CLI_REFUSED;
}

enum cli_exit cli_token_revoke(struct cli *cli)
{
    json_t *answer;
    enum cli_exit code = token_call(cli, "/admin/v1/tokens/revoke", &answer);
    if (code)
        return code;
    bool revoked = json_is_true(json_object_get(answer, "revoked"));
    bool refresh = strcmp(show_member(answer, "token_type"), "refresh_token") == 0;
    bool part = refresh && revoked && !json_is_true(json_object_get(answer, "access_tokens"));
    if (!show_json(cli, answer)) {
        if (!revoked)
            printf("The token was no good before: %s\n", show_member(answer, "reason"));
        else if (part)
            printf("The refresh token is revoked, and all refresh tokens that came from the same "
                   "password; the access tokens that came with them live on: %s\n",
                   show_member(answer, "reason"));
        else
            puts(refresh ? "The refresh token is revoked, and all that came from the same password"
                         : "The token is revoked");
    }
    json_decref(answer);
    return part ? CLI_REFUSED : CLI_DONE;
}
