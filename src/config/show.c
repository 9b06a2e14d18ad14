// SPDX-License-Identifier: Apache-2.0
#include "config/show.h"

#define SHOW_COLUMN 44 // where the origins stand
#define SHOW_WIDTH 80  // of the manual texts

static void show_indent(size_t depth, struct buf *out)
{
    for (size_t i = 0; i < depth; i++)
        buf_add(out, STR("  "));
}

// Spaces up to the column of the origins, at least two.
static void show_pad(size_t line_start, struct buf *out)
{
    do
        buf_add_char(out, ' ');
    while (!out->failed && out->len - line_start < SHOW_COLUMN);
}

static void show_origin(const struct config *config, size_t option, struct buf *out)
{
    switch (config->origins[option].origin) {
    case CONFIG_DEFAULT:
        buf_add(out, STR("# default"));
        return;
    case CONFIG_FILE:
        buf_addf(out, "# %.*s:%u", STR_ARG(config->file), config->origins[option].mark.line);
        return;
    case CONFIG_ENVIRONMENT:
    case CONFIG_COMMAND_LINE:
    case CONFIG_DERIVED:
        buf_addf(out, "# %.*s", STR_ARG(config->origins[option].source));
        return;
    }
}

static void show_words(const struct schema_shape *shape, unsigned bits, struct buf *out)
{
    bool first = true;
    buf_add_char(out, '[');
    for (size_t i = 0; shape->words[i]; i++) {
        if (!(bits & 1u << i))
            continue;
        buf_addf(out, "%s%s", first ? "" : ", ", shape->words[i]);
        first = false;
    }
    buf_add_char(out, ']');
}

static const char *show_item(const struct schema_shape *shape, const struct schema_list *list,
                             size_t index)
{
    return (const char *)list->items + index * shape->item_size;
}

static bool show_is_text(enum schema_type type)
{
    return type == SCHEMA_TEXT || type == SCHEMA_URL || type == SCHEMA_PATH;
}

// Left out: its row has no default that stands for it.
static bool show_is_unset(const struct schema_row *row, const void *value)
{
    if (row->type == SCHEMA_LIST)
        return ((const struct schema_list *)value)->count == 0;
    return show_is_text(row->type) && !row->fallback && ((const struct str *)value)->len == 0;
}

static void show_flow_object(const struct schema_shape *shape, const char *object,
                             struct buf *out)
{
    bool first = true;
    buf_add_char(out, '{');
    for (size_t i = 0; i < shape->row_count; i++) {
        const struct schema_row *row = &shape->rows[i];
        if (show_is_unset(row, object + row->offset))
            continue;
        buf_addf(out, "%s%s: ", first ? "" : ", ", row->name);
        config_show_value(row, object + row->offset, out);
        first = false;
    }
    buf_add_char(out, '}');
}

// As deep as the table of options is.
void config_show_value(const struct schema_row *row, const void *value, struct buf *out)
{
    const struct schema_list *list = value;
    if (row->type == SCHEMA_WORDS)
        show_words(row->shape, *(const unsigned *)value, out);
    else if (row->type == SCHEMA_OBJECT)
        show_flow_object(row->shape, value, out);
    else if (row->type != SCHEMA_LIST)
        schema_scalar_write(row, value, out);
    if (row->type != SCHEMA_LIST)
        return;
    buf_add_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        buf_add(out, i ? STR(", ") : STR(""));
        config_show_value(row->shape->item, show_item(row->shape, list, i), out);
    }
    buf_add_char(out, ']');
}

static void show_object(const struct schema_shape *shape, const char *object, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < shape->row_count; i++) {
        const struct schema_row *row = &shape->rows[i];
        const void *value = object + row->offset;
        if (show_is_unset(row, value))
            continue;
        show_indent(1, out);
        buf_addf(out, "%s%s: ", first ? "- " : "  ", row->name);
        config_show_value(row, value, out);
        buf_add_char(out, '\n');
        first = false;
    }
}

static bool show_is_block(const struct schema_row *row)
{
    return row->type == SCHEMA_LIST && row->shape->item->type == SCHEMA_OBJECT;
}

static void show_option(const struct config *config, size_t option, struct buf *out)
{
    const struct schema_row *row = &config_schema()->rows[option];
    const char *value = (const char *)config + row->offset;
    bool unset = show_is_unset(row, value);
    size_t start = out->len;
    if (unset) {
        buf_addf(out, "# %s is not set", row->name);
    } else {
        buf_addf(out, "%s:", row->name);
        if (!show_is_block(row)) {
            buf_add_char(out, ' ');
            config_show_value(row, value, out);
        }
    }
    show_pad(start, out);
    show_origin(config, option, out);
    buf_add_char(out, '\n');
    if (unset || !show_is_block(row))
        return;
    const struct schema_list *list = (const void *)value;
    for (size_t i = 0; i < list->count; i++)
        show_object(row->shape->item->shape, show_item(row->shape, list, i), out);
}

void config_show(const struct config *config, struct buf *out)
{
    for (size_t i = 0; i < CONFIG_OPTIONS; i++)
        show_option(config, i, out);
}

static void show_wrapped(struct str text, struct buf *out)
{
    struct str word;
    size_t column = 0;
    while (str_word(&text, &word)) {
        if (column && column + 1 + word.len > SHOW_WIDTH) {
            buf_add_char(out, '\n');
            column = 0;
        }
        buf_add(out, column ? STR(" ") : STR("# "));
        buf_add(out, word);
        column += 1 + word.len + (column ? 0 : 1);
    }
    buf_add_char(out, '\n');
}

static void show_allowed(const struct schema_row *row, struct buf *out)
{
    char memory[1024];
    struct buf allowed;
    buf_init(&allowed, memory, sizeof memory);
    buf_add_char(&allowed, '(');
    schema_row_describe(row, &allowed);
    buf_add(&allowed, row->reloadable ? STR("; a reload is enough)") : STR(")"));
    show_wrapped(buf_str(&allowed), out);
    out->failed = out->failed || allowed.failed;
}

// Each line of an example begins with `#`, so that all of them can be uncommented alike.
static void show_commented(const struct schema_row *row, struct buf *out)
{
    const char *value = row->fallback ? row->fallback : row->example;
    struct str rest = str_from(value);
    struct str line = STR_NONE;
    str_split(&rest, '\n', &line);
    buf_addf(out, "#%s:", row->name);
    if (row->type == SCHEMA_LIST && line.len)
        buf_addf(out, "\n#  - %.*s", STR_ARG(line));
    else if (line.len)
        buf_addf(out, " %.*s", STR_ARG(line));
    while (str_split(&rest, '\n', &line))
        buf_addf(out, "\n#%.*s", STR_ARG(line));
    buf_add_char(out, '\n');
}

void config_default(struct buf *out)
{
    const struct schema_shape *schema = config_schema();
    buf_add(out, STR("# Configuration of twoleg; see twoleg.yaml(5). Every line is optional.\n"));
    for (size_t i = 0; i < schema->row_count; i++) {
        const struct schema_row *row = &schema->rows[i];
        buf_add_char(out, '\n');
        show_wrapped(str_from(row->manual), out);
        show_allowed(row, out);
        show_commented(row, out);
    }
}
