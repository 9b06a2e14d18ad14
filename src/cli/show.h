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
// The answer with --json, else a table of that member, which is a list. Takes the answer.
enum cli_exit show_rows(struct cli *cli, json_t *answer, const char *member,
                        const struct show_column *columns, size_t count);
// One line for each column.
void show_lines(struct cli *cli, const json_t *row, const struct show_column *columns,
                size_t count);
// The object as JSON. What a terminal obeys comes out as \u escapes, which mean the same.
void show_object(const json_t *object);
// With --json prints the object and says true.
bool show_json(const struct cli *cli, const json_t *answer);
// A member as text; "" when it is absent.
const char *show_member(const json_t *row, const char *member);
