// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/call.h"
#include "cli/show.h"

// What the act was done to, as the operator knows it: the row's detail has the client ID or the
// API's identifier of then, also of what is deleted since. A secret follows its application, and
// what happened with a user the application that it happened through.
static void audit_name_object(json_t *row)
{
    static const char *const places[] = {"after", "before", NULL};
    const char *object = show_member(row, "object");
    json_t *detail = json_object_get(row, "detail");
    const char *name = "";
    for (size_t i = 0; i < sizeof places / sizeof *places && !name[0]; i++) {
        const json_t *side = places[i] ? json_object_get(detail, places[i]) : detail;
        name = show_member(side, "client_id");
        if (!name[0])
            name = show_member(side, "username");
        if (!name[0])
            name = show_member(side, strncmp(object, "api_", 4) == 0 && !places[i] ? "api"
                                                                                   : "identifier");
    }
    bool more = name[0] && (strncmp(object, "sec_", 4) == 0 || strncmp(object, "usr_", 4) == 0);
    json_object_set_new(row, "on", more ? json_sprintf("%s %s", name, object)
                                        : json_string(name[0] ? name : object));
}

// A list that is not whole says so, and how to go on.
static void audit_tell_rest(const struct cli *cli, const json_t *answer)
{
    json_int_t older = json_integer_value(json_object_get(answer, "older"));
    json_int_t newer = json_integer_value(json_object_get(answer, "newer"));
    json_int_t next = json_integer_value(json_object_get(answer, "next"));
    if (older > 0 && !cli_given(cli, CLI_AFTER))
        cli_notice("older_rows", "rows up to %lld are older and not shown: --limit shows up to "
                   "1000 of the latest, `twoleg audit list --after 0` begins with the first",
                   (long long)older);
    if (newer > 0)
        cli_notice("newer_rows", "%lld newer rows are not shown: go on with `twoleg audit list "
                   "--after %lld`", (long long)newer, (long long)next);
}

static void audit_print(struct cli *cli, const json_t *answer)
{
    static const struct show_column columns[] = {
        {"NUMBER", "sequence", SHOW_COUNT}, {"TIME", "at", SHOW_TIME},
        {"WHO", "actor", SHOW_TEXT},        {"WHAT", "action", SHOW_TEXT},
        {"ON", "on", SHOW_TEXT},            {"REQUEST", "request_id", SHOW_TEXT},
    };
    json_t *rows = json_object_get(answer, "audit");
    for (size_t i = 0; i < json_array_size(rows); i++)
        audit_name_object(json_array_get(rows, i));
    show_table(cli, rows, columns, sizeof columns / sizeof *columns);
    audit_tell_rest(cli, answer);
}

static enum cli_exit audit_path(struct cli *cli, char *path, size_t size)
{
    uint64_t after = 0;
    uint64_t limit = 100;
    if (cli_given(cli, CLI_AFTER) &&
        (!str_to_u64(str_from(cli_value(cli, CLI_AFTER)), &after) || after > INT64_MAX))
        return cli_usage(cli, "--after must be a row's number");
    if (cli_given(cli, CLI_LIMIT) && (!str_to_u64(str_from(cli_value(cli, CLI_LIMIT)), &limit) ||
                                      limit == 0 || limit > 1000))
        return cli_usage(cli, "--limit must be a number from 1 to 1000");
    int len = snprintf(path, size, "/admin/v1/audit?limit=%llu", (unsigned long long)limit);
    if (cli_given(cli, CLI_AFTER))
        snprintf(path + len, size - (size_t)len, "&after=%llu", (unsigned long long)after);
    return CLI_DONE;
}

enum cli_exit cli_audit_list(struct cli *cli)
{
    char path[96];
    json_t *answer;
    enum cli_exit code = audit_path(cli, path, sizeof path);
    if (!code)
        code = cli_call(cli, "GET", path, NULL, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer))
        audit_print(cli, answer);
    json_decref(answer);
    return CLI_DONE;
}
