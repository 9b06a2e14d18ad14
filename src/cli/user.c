// SPDX-License-Identifier: Apache-2.0
#include "cli/app_body.h"
#include "cli/call.h"
#include "cli/secret_file.h"
#include "cli/show.h"

static void user_print_password(const json_t *answer)
{
    const char *made = show_member(answer, "password");
    if (made[0])
        printf("Password     %s  (shown once)\n", made);
    else
        printf("Password     the one you brought\n");
}

static enum cli_exit user_body(struct cli *cli, json_t *body)
{
    const char *scope = cli_value(cli, CLI_SCOPE);
    if (json_object_set_new(body, "username", json_string(cli->arguments[0])) != 0)
        return cli_usage(cli, "the arguments must be UTF-8");
    if (scope && json_object_set_new(body, "scope", json_string(scope)) != 0)
        return cli_usage(cli, "--scope must be UTF-8");
    enum cli_exit code = app_put_list(cli, body, "audience", CLI_AUDIENCE);
    return code ? code : secret_file_read(cli, body);
}

enum cli_exit cli_user_add(struct cli *cli)
{
    json_t *answer;
    json_t *body = json_object();
    enum cli_exit code = user_body(cli, body);
    if (code) {
        json_decref(body);
        return code;
    }
    code = cli_call(cli, "POST", "/admin/v1/users", body, &answer);
    if (code)
        return code;
    app_tell_words(answer);
    if (!show_json(cli, answer)) {
        printf("User         %s\nNumber       %s\n", show_member(answer, "username"),
               show_member(answer, "user"));
        user_print_password(answer);
    }
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit cli_user_list(struct cli *cli)
{
    static const struct show_column columns[] = {
        {"USER", "username", SHOW_TEXT},   {"NUMBER", "user", SHOW_TEXT},
        {"STATUS", "status", SHOW_TEXT},   {"CREATED", "created", SHOW_TIME},
        {"UPDATED", "updated", SHOW_TIME},
    };
    json_t *all;
    enum cli_exit code = cli_call_pages(cli, "/users", "users", &all);
    if (code)
        return code;
    return show_rows(cli, json_pack("{s:o}", "users", all), "users", columns,
                     sizeof columns / sizeof *columns);
}

static enum cli_exit user_get(struct cli *cli, json_t **ret_answer)
{
    return cli_call(cli, "GET", cli_path(cli, "/user", "username", cli->arguments[0]), NULL,
                    ret_answer);
}

enum cli_exit cli_user_show(struct cli *cli)
{
    static const struct show_column lines[] = {
        {"User", "username", SHOW_TEXT},    {"Number", "user", SHOW_TEXT},
        {"Status", "status", SHOW_TEXT},    {"Created", "created", SHOW_TIME},
        {"Updated", "updated", SHOW_TIME},
    };
    static const struct show_column rights[] = {
        {"API", "identifier", SHOW_TEXT},
        {"SCOPES", "scope", SHOW_TEXT},
    };
    json_t *answer;
    enum cli_exit code = user_get(cli, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer)) {
        show_lines(cli, answer, lines, sizeof lines / sizeof *lines);
        putchar('\n');
        show_table(cli, json_object_get(answer, "apis"), rights, sizeof rights / sizeof *rights);
    }
    json_decref(answer);
    return CLI_DONE;
}

// ---------------------------------------------------------------------------------- change

// What there is not is said before anything is asked.
static enum cli_exit user_confirm(struct cli *cli, const char *what)
{
    json_t *answer;
    enum cli_exit code = user_get(cli, &answer);
    if (code)
        return code;
    json_decref(answer);
    return cli_confirm(cli, what);
}

static enum cli_exit user_act(struct cli *cli, const char *method, const char *path, json_t *body,
                              const char *done)
{
    json_t *answer;
    enum cli_exit code =
        cli_call(cli, method, cli_path(cli, path, "username", cli->arguments[0]), body, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer)) {
        printf("%s %s\n", cli->arguments[0], done);
        if (show_member(answer, "password")[0])
            user_print_password(answer);
    }
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit cli_user_passwd(struct cli *cli)
{
    enum cli_exit code = user_confirm(cli, "All tokens that applications have for this user stop "
                                           "working at once.");
    if (code)
        return code;
    json_t *body = json_object();
    code = secret_file_read(cli, body);
    if (code) {
        json_decref(body);
        return code;
    }
    return user_act(cli, "POST", "/user/password", body, "has another password");
}

enum cli_exit cli_user_disable(struct cli *cli)
{
    enum cli_exit code =
        user_confirm(cli, "All tokens that applications have for this user stop working at once, "
                          "and there are no new ones until it is enabled again.");
    return code ? code : user_act(cli, "POST", "/user/disable", NULL, "is disabled");
}

enum cli_exit cli_user_enable(struct cli *cli)
{
    json_t *body = json_pack("{s:b}", "keep_tokens", cli_given(cli, CLI_KEEP_TOKENS));
    return user_act(cli, "POST", "/user/enable", body, "is active");
}

enum cli_exit cli_user_delete(struct cli *cli)
{
    enum cli_exit code =
        user_confirm(cli, "The user is deleted for ever; all tokens that applications have for it "
                          "stop working at once.");
    return code ? code : user_act(cli, "DELETE", "/user", NULL, "is deleted");
}
