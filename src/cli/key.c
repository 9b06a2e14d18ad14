// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/call.h"
#include "cli/show.h"

enum cli_exit cli_key_list(struct cli *cli)
{
    static const struct show_column columns[] = {
        {"KID", "kid", SHOW_TEXT},     {"ALGORITHM", "algorithm", SHOW_TEXT},
        {"STATE", "state", SHOW_TEXT}, {"SINCE", "since", SHOW_TIME},
        {"UNTIL", "until", SHOW_TIME},
    };
    json_t *answer;
    enum cli_exit code = cli_call(cli, "GET", "/admin/v1/keys", NULL, &answer);
    return code ? code
                : show_rows(cli, answer, "keys", columns, sizeof columns / sizeof *columns);
}

// One line for each key that is in another state now.
static void key_print_steps(const json_t *answer)
{
    const json_t *keys = json_object_get(answer, "keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        printf("key %s (%s) is %s\n", show_member(key, "kid"), show_member(key, "algorithm"),
               show_member(key, "state"));
    }
}

enum cli_exit cli_key_rotate(struct cli *cli)
{
    json_t *answer;
    const char *algorithm = cli->word_count > 2 ? cli->arguments[0] : NULL;
    json_t *body = json_pack("{s:s*}", "algorithm", algorithm);
    if (!body)
        return cli_usage(cli, "the arguments must be UTF-8");
    enum cli_exit code = cli_call(cli, "POST", "/admin/v1/keys/rotate", body, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer)) {
        key_print_steps(answer);
        printf("It signs in %lld seconds, when every cache of the key set knows it.\n",
               (long long)json_integer_value(json_object_get(answer, "announced_for")));
    }
    json_decref(answer);
    return CLI_DONE;
}

// What caches of the key set know of the key that signs now: nothing of a new one, and nothing that
// is certain of one that was announced.
static void key_print_unknown(const json_t *answer)
{
    const json_t *keys = json_object_get(answer, "keys");
    bool fresh = false, announced = false;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        fresh |= json_is_true(json_object_get(key, "new"));
        announced |= strcmp(show_member(key, "state"), "signing") == 0;
    }
    if (fresh)
        printf(", and do not know the new one");
    else if (announced)
        printf(", and may not know the one that signs now, unless it was announced %lld seconds "
               "ago or earlier",
               (long long)json_integer_value(json_object_get(answer, "announced_for")));
}

enum cli_exit cli_key_compromise(struct cli *cli)
{
    json_t *answer;
    json_t *body = json_pack("{s:s}", "kid", cli->arguments[0]);
    if (!body)
        return cli_usage(cli, "the arguments must be UTF-8");
    enum cli_exit code = cli_confirm(
        cli, "The key is gone for good, and every token that it signed stops working here at "
             "once. Whoever verifies tokens alone goes on to believe them until the key set is "
             "fetched again (jwks_max_age).");
    if (code) {
        json_decref(body);
        return code;
    }
    code = cli_call(cli, "POST", "/admin/v1/keys/compromise", body, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer)) {
        key_print_steps(answer);
        printf("Servers that keep the key set must fetch it now: they believe the lost key until "
               "they do");
        key_print_unknown(answer);
        printf(".\n");
    }
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit cli_master_rotate(struct cli *cli)
{
    json_t *answer;
    enum cli_exit code = cli_confirm(
        cli, "All keys are sealed under a new master key, in the file of the present one. Copies "
             "of the store from before need the present one, which is kept beside it.");
    if (code)
        return code;
    code = cli_call(cli, "POST", "/admin/v1/master/rotate", json_object(), &answer);
    if (code)
        return code;
    if (!show_json(cli, answer))
        printf("All keys are sealed under a new master key: keep a copy of it in a safe place.\n"
               "The one from before is %s: remove it once no copy of the store from before is "
               "needed.\n", show_member(answer, "before"));
    json_decref(answer);
    return CLI_DONE;
}
