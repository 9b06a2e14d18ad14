// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/duration.h"
#include "codec/utf8.h"
#include "crypto/wipe.h"

#define SHOW_COLUMNS_MAX 8
#define SHOW_CELL_MAX 48

const char *show_member(const json_t *row, const char *member)
{
    const char *text = json_string_value(json_object_get(row, member));
    return text ? text : "";
}

bool show_json(const struct cli *cli, const json_t *answer)
{
    bool asked = cli_given(cli, CLI_JSON);
    if (asked)
        show_object(answer);
    return asked;
}

enum cli_exit show_rows(struct cli *cli, json_t *answer, const char *member,
                        const struct show_column *columns, size_t count)
{
    if (!show_json(cli, answer))
        show_table(cli, json_object_get(answer, member), columns, count);
    json_decref(answer);
    return CLI_DONE;
}

static void show_time(struct buf *out, json_int_t seconds)
{
    struct tm tm;
    char text[32];
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &tm))
        buf_add(out, str_from(text));
}

// The code point of one sequence; of a byte that is no UTF-8, one that a terminal may obey.
static uint32_t show_code(struct str sequence)
{
    const uint8_t *bytes = (const uint8_t *)sequence.ptr;
    if (sequence.len == 1)
        return bytes[0] < 0x80 ? bytes[0] : 0x7f;
    uint32_t code = bytes[0] & (0x7fu >> sequence.len);
    for (size_t i = 1; i < sequence.len; i++)
        code = code << 6 | (bytes[i] & 0x3fu);
    return code;
}

// What a terminal obeys and what turns the order of the text around: no letters of any script.
// C0, DEL, C1 (U+0080 to U+009F), and of Unicode's bidirectional algorithm (UAX 9) the marks,
// embeddings, overrides and isolates.
static bool show_commands(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
           code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

static struct str show_next(struct str *text)
{
    size_t len = utf8_sequence(*text);
    struct str sequence = str_slice(*text, 0, len ? len : 1);
    *text = str_slice(*text, sequence.len, text->len);
    return sequence;
}

static void show_plain(struct buf *out, struct str text)
{
    while (text.len) {
        struct str sequence = show_next(&text);
        buf_add(out, show_commands(show_code(sequence)) ? STR("?") : sequence);
    }
}

// In a string C0 is escaped already, and between strings it is our own.
void show_object(const json_t *object)
{
    char *json = json_dumps(object, JSON_INDENT(2));
    struct str text = json ? str_from(json) : STR_NONE;
    while (text.len) {
        struct str sequence = show_next(&text);
        uint32_t code = show_code(sequence);
        if (code >= 0x20 && show_commands(code))
            printf("\\u%04X", (unsigned)code);
        else
            fwrite(sequence.ptr, 1, sequence.len, stdout);
    }
    putchar('\n');
    if (json)
        wipe(json, strlen(json)); // it may have a secret
    free(json);
}

static void show_list(struct buf *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (i)
            buf_add_char(out, ' ');
        show_plain(out, str_from(item));
    }
}

struct str show_text(struct cli *cli, const json_t *row, const struct show_column *column)
{
    const json_t *value = json_object_get(row, column->member);
    struct buf out;
    int64_t us;
    buf_init_arena(&out, &cli->arena, 64);
    switch (column->kind) {
    case SHOW_TEXT:
        show_plain(&out, str_of(json_string_value(value), json_string_length(value)));
        break;
    case SHOW_TIME:
        if (json_is_integer(value))
            show_time(&out, json_integer_value(value));
        break;
    case SHOW_LIFE:
        if (!json_is_integer(value) ||
            __builtin_mul_overflow(json_integer_value(value), SECOND_US, &us))
            us = TIME_NEVER;
        duration_format_people(&out, us);
        break;
    case SHOW_COUNT:
        if (json_is_integer(value))
            buf_add_i64(&out, json_integer_value(value));
        break;
    case SHOW_LIST:
        show_list(&out, value);
        break;
    case SHOW_YES:
        buf_add(&out, json_is_true(value) ? STR("yes") : STR(""));
        break;
    }
    return out.failed ? STR("?") : out.len ? buf_str(&out) : STR("-");
}

// Columns are as wide as people see them: continuation bytes of UTF-8 take no room.
static size_t show_width(struct str text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += ((uint8_t)text.ptr[i] & 0xc0) != 0x80;
    return width;
}

// A table stays a table: what is longer ends in an ellipsis. --json has all of it, and so has a
// single thing's own page.
static struct str show_clip(struct cli *cli, struct str text)
{
    struct buf out;
    size_t width = 0;
    size_t end = 0;
    if (show_width(text) <= SHOW_CELL_MAX)
        return text;
    for (; end < text.len; end++) {
        width += ((uint8_t)text.ptr[end] & 0xc0) != 0x80;
        if (width == SHOW_CELL_MAX)
            break;
    }
    buf_init_arena(&out, &cli->arena, end + 4);
    buf_add(&out, str_slice(text, 0, end));
    buf_add(&out, STR("\u2026"));
    return out.failed ? STR("?") : buf_str(&out);
}

static void show_cell(struct str text, size_t width)
{
    fwrite(text.ptr, 1, text.len, stdout);
    for (size_t i = show_width(text); i < width; i++)
        putchar(' ');
}

void show_table(struct cli *cli, const json_t *rows, const struct show_column *columns,
                size_t count)
{
    size_t widths[SHOW_COLUMNS_MAX] = {0};
    size_t row_count = json_array_size(rows);
    struct str *cells = arena_array(&cli->arena, row_count * count + 1, sizeof *cells);
    if (!cells) {
        cli_fail(CLI_REFUSED, "too many rows for a table; use --json");
        return;
    }
    for (size_t column = 0; column < count; column++) {
        widths[column] = show_width(str_from(columns[column].title));
        for (size_t row = 0; row < row_count; row++) {
            struct str text =
                show_clip(cli, show_text(cli, json_array_get(rows, row), &columns[column]));
            cells[row * count + column] = text;
            if (show_width(text) > widths[column])
                widths[column] = show_width(text);
        }
        show_cell(str_from(columns[column].title), column + 1 < count ? widths[column] + 2 : 0);
    }
    putchar('\n');
    for (size_t i = 0; i < row_count * count; i++) {
        bool last = i % count == count - 1;
        show_cell(cells[i], last ? 0 : widths[i % count] + 2);
        if (last)
            putchar('\n');
    }
}

void show_lines(struct cli *cli, const json_t *row, const struct show_column *columns,
                size_t count)
{
    size_t width = 0;
    for (size_t i = 0; i < count; i++)
        if (show_width(str_from(columns[i].title)) > width)
            width = show_width(str_from(columns[i].title));
    for (size_t i = 0; i < count; i++) {
        show_cell(str_from(columns[i].title), width + 2);
        show_cell(show_text(cli, row, &columns[i]), 0);
        putchar('\n');
    }
}
