// SPDX-License-Identifier: Apache-2.0
#include "cli/call.h"
#include "cli/show.h"

enum cli_exit cli_reload(struct cli *cli)
{
    json_t *answer;
    enum cli_exit code = cli_call(cli, "POST", "/admin/v1/reload", json_object(), &answer);
    if (code)
        return code;
    const json_t *changes = json_object_get(answer, "changes");
    const json_t *dialects = json_object_get(answer, "dialects");
    const json_t *warnings = json_object_get(answer, "warnings");
    long long certificates =
        (long long)json_integer_value(json_object_get(answer, "certificates"));
    if (!show_json(cli, answer)) {
        for (size_t i = 0; i < json_array_size(changes); i++) {
            const json_t *change = json_array_get(changes, i);
            printf("%s: %s, before %s\n", show_member(change, "option"),
                   show_member(change, "after"), show_member(change, "before"));
        }
        for (size_t i = 0; i < json_array_size(dialects); i++)
            printf("The dialect %s has changed.\n",
                   json_string_value(json_array_get(dialects, i)));
        if (json_array_size(changes) == 0 && json_array_size(dialects) == 0)
            printf("No option has changed, and no dialect.\n");
        if (certificates)
            printf("Certificates read: %lld.\n", certificates);
    }
    for (size_t i = 0; i < json_array_size(warnings); i++)
        cli_notice("reload_warning", "warning: %s",
                   json_string_value(json_array_get(warnings, i)));
    json_decref(answer);
    return CLI_DONE;
}
