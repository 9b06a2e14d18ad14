// SPDX-License-Identifier: Apache-2.0
// A change that takes something away says what stops working, and asks; one that only adds does
// not.
#include <string.h>

#include "cli/app_body.h"
#include "cli/call.h"
#include "cli/show.h"

static bool update_list_has(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    return false;
}

static void update_append(struct buf *list, struct str item)
{
    if (list->len)
        buf_add(list, STR(", "));
    buf_add(list, item);
}

// Words of the application's member that the new one has not.
static void update_lost_words(const json_t *now, const json_t *body, const char *member,
                              struct buf *lost)
{
    struct str rest = str_from(show_member(now, member));
    struct str kept = str_from(show_member(body, member));
    struct str word;
    if (!json_object_get(body, member))
        return;
    while (str_word(&rest, &word))
        if (!str_has_word(kept, word))
            update_append(lost, word);
}

static void update_lost_scopes(const json_t *now, const json_t *body, struct buf *lost)
{
    update_lost_words(now, body, "scope", lost);
}

static void update_lost_grants(const json_t *now, const json_t *body, struct buf *lost)
{
    update_lost_words(now, body, "grants", lost);
}

static void update_lost_audience(const json_t *now, const json_t *body, struct buf *lost)
{
    const json_t *old = json_object_get(now, "audience");
    const json_t *new = json_object_get(body, "audience");
    for (size_t i = 0; new && i < json_array_size(old); i++) {
        const char *identifier = json_string_value(json_array_get(old, i));
        if (!update_list_has(new, identifier))
            update_append(lost, str_from(identifier));
    }
}

// --resource-server serves the audience; with it or --serves given, what neither names is over.
static void update_lost_serves(const json_t *now, const json_t *body, struct buf *lost)
{
    const json_t *old = json_object_get(now, "serves");
    const json_t *serves = json_object_get(body, "serves");
    bool resource_server = json_object_get(body, "resource_server") != NULL;
    const json_t *audience = json_object_get(body, "audience");
    if (!audience)
        audience = json_object_get(now, "audience");
    for (size_t i = 0; (serves || resource_server) && i < json_array_size(old); i++) {
        const char *identifier = json_string_value(json_array_get(old, i));
        if (!update_list_has(serves, identifier) &&
            !(resource_server && update_list_has(audience, identifier)))
            update_append(lost, str_from(identifier));
    }
}

// Where it was known and is not any more; from all to some, all but those.
static void update_lost_dialects(const json_t *now, const json_t *body, struct buf *lost)
{
    struct str old = str_from(show_member(now, "dialects"));
    struct str new = str_from(show_member(body, "dialects"));
    if (!json_object_get(body, "dialects") || str_equal(new, STR("all")))
        return;
    if (str_equal(old, STR("all")))
        buf_addf(lost, "all but %.*s", STR_ARG(new));
    else
        update_lost_words(now, body, "dialects", lost);
}

// Without the grant, what was given under it is worth nothing, and is not kept.
static bool update_ends_refresh(const json_t *now, const json_t *body)
{
    return json_object_get(body, "grants") &&
           str_has_word(str_from(show_member(now, "grants")), STR("refresh_token")) &&
           !str_has_word(str_from(show_member(body, "grants")), STR("refresh_token"));
}

// From jwt to another: no API that verifies with the published keys can read the new tokens.
static bool update_hides_tokens(const json_t *now, const json_t *body)
{
    const char *format = show_member(body, "token_format");
    return strcmp(show_member(now, "token_format"), "jwt") == 0 && format[0] &&
           strcmp(format, "jwt") != 0;
}

typedef void update_finder(const json_t *now, const json_t *body, struct buf *lost);

// Whole sentences, one for each kind of loss; empty when nothing is lost.
static void update_describe(struct cli *cli, const json_t *now, const json_t *body,
                            struct buf *what)
{
    static const struct {
        update_finder *find;
        const char *before, *behind;
    } losses[] = {
        {update_lost_scopes, "It loses the scopes: ",
         ". Its tokens already out lose them at once, too; one that has no other scope stops "
         "working.\n"},
        {update_lost_audience, "It gets no tokens for these APIs any more: ",
         ". Its tokens already out for them stop working at once.\n"},
        {update_lost_serves, "It is no longer the resource server of: ",
         ". Its questions about tokens for them (introspection) stop working at once.\n"},
        {update_lost_dialects, "It becomes an unknown client where these dialects are spoken: ",
         ". Gates that speak them refuse its tokens at once, those already out as well.\n"},
        {update_lost_grants, "It gets no tokens by these grants any more: ",
         ". Its access tokens already out stay good until they expire; `twoleg app revoke-tokens` "
         "ends all of them.\n"},
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct buf lost;
        buf_init_arena(&lost, &cli->arena, 128);
        losses[i].find(now, body, &lost);
        if (lost.len)
            buf_addf(what, "%s%.*s%s", losses[i].before, STR_ARG(buf_str(&lost)),
                     losses[i].behind);
    }
    if (update_ends_refresh(now, body))
        buf_add(what, STR("All its refresh tokens end at once, for good.\n"));
    if (update_hides_tokens(now, body))
        buf_addf(what, "Its new tokens are of the format %s: APIs that verify a jwt by themselves "
                 "refuse them, and must ask this server. Its tokens already out stay good.\n",
                 show_member(body, "token_format"));
}

// What was asked about is what is changed: the change is bound to the version that was looked at.
static enum cli_exit update_confirm(struct cli *cli, const json_t *body)
{
    json_t *now;
    struct buf what;
    enum cli_exit code =
        cli_call(cli, "GET", cli_path(cli, "/application", "client_id", cli->arguments[0]), NULL,
                 &now);
    if (code)
        return code;
    buf_init_arena(&what, &cli->arena, 512);
    buf_addf(&what, "Application \"%s\" (%s):\n", show_member(now, "name"),
             show_member(now, "client_id"));
    size_t nothing = what.len;
    update_describe(cli, now, body, &what);
    bool lost = what.len > nothing;
    if (lost && !what.failed) {
        what.ptr[what.len - 1] = '\0'; // the last line end
        cli->if_match = json_integer_value(json_object_get(now, "version"));
    }
    json_decref(now);
    if (what.failed)
        return cli_fail(CLI_REFUSED, "out of memory");
    return lost ? cli_confirm(cli, what.ptr) : CLI_DONE;
}

enum cli_exit cli_app_update(struct cli *cli)
{
    json_t *answer;
    json_t *body = json_object();
    enum cli_exit code = app_body(cli, body);
    if (!code && json_object_size(body) == 0)
        code = cli_usage(cli, "nothing to change was given");
    if (!code)
        code = update_confirm(cli, body);
    if (code) {
        json_decref(body);
        return code;
    }
    code = cli_call(cli, "PATCH", cli_path(cli, "/application", "client_id", cli->arguments[0]),
                    body, &answer);
    if (code)
        return code;
    app_tell_words(answer);
    json_decref(answer);
    return cli_app_show(cli);
}
