// SPDX-License-Identifier: Apache-2.0
#include "cli/app_body.h"

#include <string.h>

#include "cli/show.h"
#include "codec/duration.h"
#include "model/application.h"
#include "model/grant_kind.h"

static enum cli_exit app_put(struct cli *cli, json_t *body, const char *member,
                             enum cli_option option)
{
    const char *text = cli_value(cli, option);
    if (text && json_object_set_new(body, member, json_string(text)) != 0)
        return cli_usage(cli, "--%s must be UTF-8", cli_option_rows[option].name);
    return CLI_DONE;
}

enum cli_exit app_put_list(struct cli *cli, json_t *body, const char *member,
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

static enum cli_exit app_check_budget(struct cli *cli)
{
    const char *text = cli_value(cli, CLI_BUDGET);
    const char *mode = cli_value(cli, CLI_BUDGET_MODE);
    struct budget budget;
    if (text && budget_parse(str_from(text), &budget) != TWOLEG_NONE)
        return cli_usage(cli, "--budget \"%.60s\" is not " BUDGET_WORDS, text);
    if (mode && !budget_mode_from(str_from(mode), &budget.mode))
        return cli_usage(cli, "--budget-mode is enforce, observe or default, not \"%.60s\"", mode);
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
    enum token_format known;
    if (format && !token_format_from(str_from(format), &known))
        return cli_usage(cli, "--token-format is jwt, sealed or reference, not \"%.60s\"", format);
    unsigned grants;
    const char *words = cli_value(cli, CLI_GRANTS);
    if (words && !grants_read(str_from(words), &grants))
        return cli_usage(cli, "--grants \"%.60s\" is not " GRANTS_WORDS, words);
    return app_check_budget(cli);
}

enum cli_exit app_body(struct cli *cli, json_t *body)
{
    static const struct {
        const char *member;
        enum cli_option option;
    } texts[] = {{"name", CLI_NAME},
                 {"scope", CLI_SCOPE},
                 {"token_format", CLI_TOKEN_FORMAT},
                 {"token_ttl", CLI_TOKEN_TTL},
                 {"grants", CLI_GRANTS},
                 {"budget", CLI_BUDGET},
                 {"budget_mode", CLI_BUDGET_MODE},
                 {"dialects", CLI_DIALECTS},
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

void app_tell_words(const json_t *answer)
{
    const json_t *declared = json_object_get(answer, "declared");
    for (size_t i = 0; i < json_array_size(declared); i++) {
        const json_t *row = json_array_get(declared, i);
        cli_notice("scope_declared", "the scope \"%s\" was not known; it is now declared by %s",
                   show_member(row, "scope"), show_member(row, "identifier"));
    }
    if (json_is_true(json_object_get(answer, "grants_off")))
        app_tell_grants_off();
}

void app_tell_grants_off(void)
{
    cli_notice("password_grant_off", "the configuration has password_grant: false: until it is "
               "true, the grants password and refresh_token are refused");
}
