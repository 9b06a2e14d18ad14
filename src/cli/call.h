// SPDX-License-Identifier: Apache-2.0
// A call of the admin API over the data folder's socket: blocking, one connection for each.
#pragma once
#include "cli/cli.h"

// body may be NULL and is always taken over. On CLI_DONE ret_answer is the server's object, the
// caller's to free with json_decref; NULL when the caller does not want it. Otherwise the message
// has been printed and the code says why.
enum cli_exit cli_call(struct cli *cli, const char *method, const char *path, json_t *body,
                       json_t **ret_answer);

// The same without a word on standard error: why not is in ret_refusal, in the server's words where
// it answered. The data folder is known (cli_folder).
struct call_refusal {
    unsigned status; // of the answer; 0: there was none
    char message[CLI_MESSAGE_MAX];
};
enum cli_exit cli_call_quietly(struct cli *cli, const char *method, const char *path, json_t *body,
                               json_t **ret_answer, struct call_refusal *ret_refusal);

// A list, page after page: the rows that the answers hold under the member, all of them or none. On
// CLI_DONE ret_rows is the caller's to free with json_decref.
enum cli_exit cli_call_pages(struct cli *cli, const char *path, const char *member,
                             json_t **ret_rows);

// "/admin/v1" + path + "?name=value" with the value encoded, in the arena; NULL without memory.
const char *cli_path(struct cli *cli, const char *path, const char *name, const char *value);

// Somebody answers at the data folder's socket.
bool cli_server_runs(struct cli *cli);
