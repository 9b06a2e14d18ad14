// SPDX-License-Identifier: Apache-2.0
#include "config/schema.h"

#include <string.h>

#define SCHEMA_NAME_MAX 64  // longer texts are no misspelt names
#define SCHEMA_QUOTE_MAX 60 // bytes of a bad value that a message repeats

// What a value of the type is, for people; NULL: its shape says.
static const char *const schema_type_texts[SCHEMA_TYPES] = {
    [SCHEMA_BOOL] = "true or false",
    [SCHEMA_INTEGER] = "whole number",
    [SCHEMA_DURATION] = "duration",
    [SCHEMA_RATE] = "rate",
    [SCHEMA_TEXT] = "text",
    [SCHEMA_URL] = "http or https URL",
    [SCHEMA_PATH] = "path",
    [SCHEMA_ENDPOINT] = "ADDR:PORT or unix:PATH",
    [SCHEMA_CIDR] = "ADDR or ADDR/BITS",
};

int schema_word_find(const struct schema_shape *shape, struct str word)
{
    for (int i = 0; shape->words[i]; i++)
        if (str_equal(word, str_from(shape->words[i])))
            return i;
    return -1;
}

static void schema_describe_words(const struct schema_shape *shape, const char *last,
                                  struct buf *out)
{
    for (size_t i = 0; shape->words[i]; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : shape->words[i + 1] ? ", " : last, shape->words[i]);
}

static void schema_describe_object(const struct schema_shape *shape, struct buf *out)
{
    if (shape->shorthand)
        buf_addf(out, "%s or ", shape->shorthand);
    buf_add(out, STR("mapping with "));
    for (size_t i = 0; i < shape->row_count; i++)
        buf_addf(out, "%s%s%s", i ? ", " : "", shape->rows[i].name,
                 shape->rows[i].required ? " (required)" : "");
}

static void schema_describe_type(const struct schema_row *row, struct buf *out)
{
    const struct schema_shape *shape = row->shape;
    if (row->type == SCHEMA_OBJECT) {
        schema_describe_object(shape, out);
    } else if (row->type == SCHEMA_WORD) {
        schema_describe_words(shape, " or ", out);
    } else if (row->type == SCHEMA_WORDS) {
        buf_add(out, STR("list of "));
        schema_describe_words(shape, " and ", out);
    } else {
        buf_add(out, str_from(schema_type_texts[row->type]));
    }
}

static void schema_describe_range(const struct schema_row *row, struct buf *out)
{
    const struct schema_shape *shape = row->shape;
    bool counted = row->type == SCHEMA_TEXT || row->type == SCHEMA_URL || row->type == SCHEMA_PATH;
    if (row->min && row->max)
        buf_addf(out, ", %s to %s", row->min, row->max);
    else if (row->min)
        buf_addf(out, ", at least %s", row->min);
    else if (row->max)
        buf_addf(out, ", at most %s", row->max);
    if (counted && (row->min || row->max))
        buf_add(out, STR(" bytes"));
    if (shape && shape->characters_text)
        buf_addf(out, " of %s", shape->characters_text);
    if (shape && shape->never)
        buf_add(out, STR(" or never"));
    if (row->unit)
        buf_addf(out, " %s", row->unit);
}

void schema_row_describe(const struct schema_row *row, struct buf *out)
{
    const struct schema_row *inner = row;
    if (row->type == SCHEMA_LIST) {
        inner = row->shape->item;
        if (row->min && row->max)
            buf_addf(out, "list of %s to %s: ", row->min, row->max);
        else
            buf_add(out, STR("list: "));
    }
    schema_describe_type(inner, out);
    if (inner->type != SCHEMA_WORDS)
        schema_describe_range(inner, out);
    if (row->fallback)
        buf_addf(out, ", default %s", row->fallback[0] ? row->fallback : "\"\"");
}

// Levenshtein's distance with one row of memory.
static size_t schema_distance(struct str a, struct str b)
{
    size_t costs[SCHEMA_NAME_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        costs[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = costs[0];
        costs[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            size_t shift = (costs[j] < costs[j - 1] ? costs[j] : costs[j - 1]) + 1;
            diagonal = costs[j];
            costs[j] = change < shift ? change : shift;
        }
    }
    return costs[b.len];
}

const char *schema_nearest(struct str text, const struct schema_names *candidates)
{
    const char *nearest = NULL;
    // A third of the letters may be wrong; more is another word.
    size_t best = text.len / 3 + 1;
    if (text.len == 0 || text.len > SCHEMA_NAME_MAX)
        return NULL;
    for (size_t i = 0; i < candidates->count; i++) {
        struct str name = str_from(candidates->names[i]);
        size_t distance = name.len > SCHEMA_NAME_MAX ? SIZE_MAX : schema_distance(text, name);
        if (distance <= best && distance < name.len && (!nearest || distance < best)) {
            best = distance;
            nearest = candidates->names[i];
        }
    }
    return nearest;
}

void schema_quote(struct buf *out, struct str text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len && i < SCHEMA_QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\x%02x", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add(out, text.len > SCHEMA_QUOTE_MAX ? STR("\"...") : STR("\""));
}
