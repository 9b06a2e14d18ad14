// SPDX-License-Identifier: Apache-2.0
// Answers for people: aligned tables and lines; --json prints the server's object instead.
#pragma once
#include "cli/cli.h"

// A column of a table: a member of each row, as text.
enum show_kind { SHOW_TEXT, SHOW_TIME, SHOW_LIFE, SHOW_COUNT, SHOW_LIST, SHOW_YES };

struct show_column {
    const char *title;
    const char *member;
    enum show_kind kind;
};

// In the arena; "-" for null, empty and absent. What a terminal obeys comes out as '?'.
struct str show_text(struct cli *cli, const json_t *row, const struct show_column *column);
// Cells longer than 48 characters are clipped.
void show_table(struct cli *cli, const json_t *rows, const struct show_column *columns,
                size_t count);
// The same, one line for each column.
void show_lines(struct cli *cli, const json_t *row, const struct show_column *columns,
                size_t count);
// With --json prints the object and says true.
bool show_json(const struct cli *cli, const json_t *answer);
// A member as text; "" when it is absent.
const char *show_member(const json_t *row, const char *member);
