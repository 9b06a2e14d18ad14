// SPDX-License-Identifier: Apache-2.0
// What `app create` and `app update` say of an application.
#pragma once
#include "cli/cli.h"

// Adds what is given on the line; says what is wrong with it.
enum cli_exit app_body(struct cli *cli, json_t *body);
// A repeated option as a list; "none" stands for an empty one, but for --audience.
enum cli_exit app_put_list(struct cli *cli, json_t *body, const char *member,
                           enum cli_option option);
// Notices of what comes with a change: scopes that it declared, grants that are off.
void app_tell_words(const json_t *answer);
void app_tell_grants_off(void);
