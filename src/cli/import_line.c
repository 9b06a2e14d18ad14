// SPDX-License-Identifier: Apache-2.0
#include "cli/import_line.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/json_read.h"
#include "codec/utf8.h"
#include "config/schema.h"

enum import_kind { IMPORT_TEXT, IMPORT_TEXTS, IMPORT_BOOL, IMPORT_LIFE };

static const struct import_fact {
    const char *name;
    enum import_kind kind;
} import_facts[] = {
    {"client_id", IMPORT_TEXT},   {"client_secret", IMPORT_TEXT},
    {"name", IMPORT_TEXT},        {"client_secret_hash", IMPORT_TEXT},
    {"scope", IMPORT_TEXT},       {"token_format", IMPORT_TEXT},
    {"token_ttl", IMPORT_LIFE},   {"budget", IMPORT_TEXT},
    {"budget_mode", IMPORT_TEXT}, {"audience", IMPORT_TEXTS},
    {"serves", IMPORT_TEXTS},     {"resource_server", IMPORT_BOOL},
    {"dialects", IMPORT_TEXT},    {"grants", IMPORT_TEXT},
};
#define IMPORT_FACTS (sizeof import_facts / sizeof *import_facts)
#define IMPORT_NAME_SHOWN 24
#define IMPORT_VALUE_SHOWN 8
_Static_assert(IMPORT_FACTS <= IMPORT_COLUMNS_MAX, "a column for each fact");

static __attribute__((format(printf, 2, 3))) enum import_line
import_bad(struct import_lines *lines, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lines->problem, sizeof lines->problem, format, arguments);
    va_end(arguments);
    return IMPORT_LINE_BAD;
}

static const struct import_fact *import_find(struct str name)
{
    for (size_t i = 0; i < IMPORT_FACTS; i++)
        if (str_equal(str_from(import_facts[i].name), name))
            return &import_facts[i];
    return NULL;
}

// What other systems call "secret", "hash" or "ttl" is the end of one of our names.
static const char *import_nearest(struct str name)
{
    struct schema_names names = {.count = 0};
    for (size_t i = 0; i < IMPORT_FACTS; i++) {
        struct str fact = str_from(import_facts[i].name);
        size_t from = fact.len - name.len;
        if (name.len && name.len < fact.len && fact.ptr[from - 1] == '_' &&
            str_equal(str_slice(fact, from, fact.len), name))
            return import_facts[i].name;
        names.names[names.count++] = import_facts[i].name;
    }
    return schema_nearest(name, &names);
}

// How much of it the words repeat: no more than half where it may be a value, and no half of a
// character, since the words go into JSON, too.
static size_t import_shown(struct str name, bool value)
{
    size_t most = value ? IMPORT_VALUE_SHOWN : IMPORT_NAME_SHOWN;
    size_t shown = value ? name.len / 2 : name.len;
    shown = shown < most ? shown : most;
    while (shown > 0 && !utf8_valid(str_slice(name, 0, shown)))
        shown--;
    return shown;
}

static enum import_line import_unknown(struct import_lines *lines, bool column, struct str name)
{
    char memory[128];
    struct buf quoted;
    const char *near = import_nearest(name);
    buf_init(&quoted, memory, sizeof memory);
    // Of a file without a header the first line has values. What is like a fact's name is none.
    size_t shown = import_shown(name, column && !near);
    schema_quote(&quoted, str_slice(name, 0, shown));
    return import_bad(lines, "there is no %s %.*s%s%s%s%s",
                      column ? "column" : "fact", STR_ARG(buf_str(&quoted)),
                      name.len > shown ? "..." : "",
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

// ---------------------------------------------------------------------------------- JSON lines

static enum import_line import_json_texts(struct import_lines *lines, json_t *body,
                                          const char *name, json_t *value)
{
    if (json_is_string(value)) {
        json_object_set_new(body, name, json_pack("[O]", value));
        return IMPORT_LINE_FACTS;
    }
    bool texts = json_is_array(value);
    for (size_t i = 0; texts && i < json_array_size(value); i++)
        texts = json_is_string(json_array_get(value, i));
    return texts ? IMPORT_LINE_FACTS
                 : import_bad(lines, "\"%s\" must be a text or a list of texts", name);
}

static enum import_line import_json_fact(struct import_lines *lines, json_t *body,
                                         const char *name, json_t *value)
{
    const struct import_fact *fact = import_find(str_from(name));
    if (!fact)
        return import_unknown(lines, false, str_from(name));
    switch (fact->kind) {
    case IMPORT_TEXT:
        return json_is_string(value) ? IMPORT_LINE_FACTS
                                     : import_bad(lines, "\"%s\" must be a text", name);
    case IMPORT_TEXTS:
        return import_json_texts(lines, body, fact->name, value);
    case IMPORT_BOOL:
        return json_is_boolean(value) ? IMPORT_LINE_FACTS
                                      : import_bad(lines, "\"%s\" must be true or false", name);
    case IMPORT_LIFE:
        return json_is_string(value) || json_is_integer(value) || json_is_null(value)
                   ? IMPORT_LINE_FACTS
                   : import_bad(lines, "\"%s\" must be seconds, a text such as \"1h\", or null "
                                "for never", name);
    }
    return IMPORT_LINE_BAD;
}

// The other reader tells where; its words are not ours to show, as they repeat what stands there.
static enum import_line import_json_broken(struct import_lines *lines, struct str line)
{
    json_error_t error = {.column = 0};
    json_decref(json_loadb(line.ptr, line.len, 0, &error));
    if (error.column <= 0)
        return import_bad(lines, "it is not one whole JSON object");
    return import_bad(lines, "it is not one whole JSON object: see its character %d",
                      error.column);
}

static enum import_line import_json_check(struct import_lines *lines, struct str line)
{
    static const struct json_limits limits = {.bytes = IMPORT_LINE_MAX, .depth = 2,
                                              .members = 32};
    if (!utf8_valid(line))
        return import_bad(lines, "it is not UTF-8");
    enum twoleg_error error = json_check(line, &limits);
    if (error == TWOLEG_DUPLICATE)
        return import_bad(lines, "a fact is given twice");
    if (error == TWOLEG_LIMIT || error == TWOLEG_TOO_LONG)
        return import_bad(lines, "the JSON is too deep or too long");
    return error ? import_json_broken(lines, line) : IMPORT_LINE_FACTS;
}

static enum import_line import_json_facts(struct import_lines *lines, json_t *body)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(body, next, name, value) {
        enum import_line result = import_json_fact(lines, body, name, value);
        if (result != IMPORT_LINE_FACTS)
            return result;
    }
    return IMPORT_LINE_FACTS;
}

static enum import_line import_read_json(struct import_lines *lines, struct str line,
                                         json_t **ret_body)
{
    if (line.ptr[0] == '[')
        return import_bad(lines, "JSON lines are wanted, an object in each, not a list: "
                          "`jq -c '.[]'` makes one of the other");
    enum import_line result = import_json_check(lines, line);
    if (result != IMPORT_LINE_FACTS)
        return result;
    json_t *body = json_loadb(line.ptr, line.len, 0, NULL);
    result = json_is_object(body)
                 ? import_json_facts(lines, body)
                 : import_bad(lines, "it is not one whole JSON object");
    if (result == IMPORT_LINE_FACTS)
        *ret_body = body;
    else
        json_decref(body);
    return result;
}

// ---------------------------------------------------------------------------------- CSV

// A field in quotes, which stand twice where one is meant; at the start of *rest, up to its comma.
static bool import_csv_quoted(struct str *rest, struct buf *out)
{
    size_t at = 1;
    for (;; at++) {
        if (at >= rest->len)
            return false;
        if (rest->ptr[at] == '"' && at + 1 < rest->len && rest->ptr[at + 1] == '"')
            at++;
        else if (rest->ptr[at] == '"')
            break;
        buf_add_char(out, rest->ptr[at]);
    }
    *rest = str_slice(*rest, at + 1, rest->len);
    return rest->len == 0 || rest->ptr[0] == ',';
}

// The next field of RFC 4180, in the lines' room. False: its quotes are wrong. *rest is STR_NONE
// behind the last one.
static bool import_csv_field(struct str *rest, struct buf *out, struct str *ret_field)
{
    size_t from = out->len;
    if (str_starts_with(*rest, STR("\""))) {
        if (!import_csv_quoted(rest, out))
            return false;
        *ret_field = str_of(out->ptr + from, out->len - from);
    } else {
        size_t end = str_find(*rest, ',');
        *ret_field = str_slice(*rest, 0, end);
        if (str_find(*ret_field, '"') != ret_field->len)
            return false;
        *rest = str_slice(*rest, end, rest->len);
    }
    *rest = rest->len ? str_slice(*rest, 1, rest->len) : STR_NONE;
    return true;
}

// RFC 4180 section 2: blanks are part of a field. Most who write some round one mean none, and a
// secret that loses them is another one: so quotes have to say it.
static enum import_line import_csv_blanks(struct import_lines *lines, struct str rest,
                                          size_t number)
{
    struct str field = str_slice(rest, 0, str_find(rest, ','));
    if (str_starts_with(field, STR("\"")) || str_trim(field, " ").len == field.len)
        return IMPORT_LINE_FACTS;
    return import_bad(lines, "field %zu has a blank at an end; if that is part of it, put the "
                      "field in quotes", number);
}

static enum import_line import_csv_check(struct import_lines *lines, struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.ptr[i] < 0x20 || line.ptr[i] == 0x7f)
            return import_bad(lines, "it has a control character (a tab is no separator here)");
    return utf8_valid(line) ? IMPORT_LINE_FACTS : import_bad(lines, "it is not UTF-8");
}

static enum import_line import_csv_column(struct import_lines *lines, struct str name)
{
    const struct import_fact *fact = import_find(name);
    if (!fact)
        return import_unknown(lines, true, name);
    size_t index = (size_t)(fact - import_facts);
    for (size_t i = 0; i < lines->column_count; i++)
        if (lines->columns[i] == index)
            return import_bad(lines, "the column \"%s\" is there twice", fact->name);
    // Each fact once: there are fewer of them than there is room.
    lines->columns[lines->column_count++] = (unsigned char)index;
    return IMPORT_LINE_NONE;
}

static enum import_line import_csv_header(struct import_lines *lines, struct str line)
{
    struct buf room;
    struct str name;
    enum import_line result = import_csv_check(lines, line);
    if (result == IMPORT_LINE_BAD)
        return result;
    if (str_find(line, ',') == line.len && str_find(line, ';') < line.len)
        return import_bad(lines, "the columns are separated by commas, not by semicolons");
    buf_init(&room, lines->room, sizeof lines->room);
    do {
        result = import_csv_blanks(lines, line, lines->column_count + 1);
        if (result == IMPORT_LINE_BAD)
            return result;
        if (!import_csv_field(&line, &room, &name))
            return import_bad(lines, "the quotes of the header are wrong");
        result = import_csv_column(lines, name);
    } while (line.ptr && result != IMPORT_LINE_BAD);
    return result;
}

static enum import_line import_csv_set(struct import_lines *lines, json_t *body,
                                       const struct import_fact *fact, struct str value)
{
    struct str word;
    bool yes = str_equal(value, STR("true"));
    switch (fact->kind) {
    case IMPORT_BOOL:
        if (!yes && !str_equal(value, STR("false")))
            return import_bad(lines, "\"%s\" must be true or false", fact->name);
        json_object_set_new(body, fact->name, json_boolean(yes));
        break;
    case IMPORT_TEXTS: {
        json_t *texts = json_array();
        while (str_word(&value, &word))
            json_array_append_new(texts, json_stringn(word.ptr, word.len));
        json_object_set_new(body, fact->name, texts);
        break;
    }
    case IMPORT_TEXT:
    case IMPORT_LIFE:
        json_object_set_new(body, fact->name, json_stringn(value.ptr, value.len));
        break;
    }
    return IMPORT_LINE_FACTS;
}

static enum import_line import_csv_fields(struct import_lines *lines, struct str line,
                                          json_t *body)
{
    struct buf room;
    struct str value;
    size_t count = 0;
    enum import_line result = import_csv_check(lines, line);
    buf_init(&room, lines->room, sizeof lines->room);
    while (result == IMPORT_LINE_FACTS && line.ptr) {
        result = import_csv_blanks(lines, line, count + 1);
        if (result != IMPORT_LINE_FACTS)
            return result;
        if (!import_csv_field(&line, &room, &value))
            return import_bad(lines, "the quotes of field %zu are wrong; a field ends on its "
                              "line", count + 1);
        if (count < lines->column_count && value.len)
            result = import_csv_set(lines, body, &import_facts[lines->columns[count]], value);
        count++;
    }
    if (result == IMPORT_LINE_FACTS && count != lines->column_count)
        return import_bad(lines, "it has %zu fields, the header has %zu", count,
                          lines->column_count);
    return result;
}

static enum import_line import_read_csv(struct import_lines *lines, struct str line,
                                        json_t **ret_body)
{
    json_t *body = json_object();
    enum import_line result = import_csv_fields(lines, line, body);
    if (result == IMPORT_LINE_FACTS)
        *ret_body = body;
    else
        json_decref(body);
    return result;
}

// ---------------------------------------------------------------------------------- lines

// In CSV the blanks at its ends are the fields'.
static enum import_line import_first(struct import_lines *lines, struct str line,
                                     struct str trimmed, json_t **ret_body)
{
    bool list = str_starts_with(trimmed, STR("["));
    bool json = list || str_starts_with(trimmed, STR("{"));
    lines->form = json ? IMPORT_FORM_JSON : IMPORT_FORM_CSV;
    enum import_line result =
        json ? import_read_json(lines, trimmed, ret_body) : import_csv_header(lines, line);
    // A list, or a header that cannot be read, says nothing about the lines behind it.
    lines->bad = result == IMPORT_LINE_BAD && (list || !json);
    return result;
}

static enum import_line import_line_of(struct import_lines *lines, struct str line,
                                       json_t **ret_body)
{
    struct str trimmed = str_trim(line, " \t\r");
    if (trimmed.len == 0)
        return IMPORT_LINE_NONE;
    if (trimmed.len > IMPORT_LINE_MAX)
        return import_bad(lines, "it is longer than %zu bytes", IMPORT_LINE_MAX);
    switch (lines->form) {
    case IMPORT_FORM_UNKNOWN:
        return import_first(lines, line, trimmed, ret_body);
    case IMPORT_FORM_JSON:
        return import_read_json(lines, trimmed, ret_body);
    case IMPORT_FORM_CSV:
        return import_read_csv(lines, line, ret_body);
    }
    return IMPORT_LINE_BAD;
}

enum import_line import_line_read(struct import_lines *lines, struct str line, json_t **ret_body)
{
    json_t *body = NULL;
    // The byte order mark of spreadsheets.
    if (lines->form == IMPORT_FORM_UNKNOWN && str_starts_with(line, STR("\xef\xbb\xbf")))
        line = str_slice(line, 3, line.len);
    if (str_ends_with(line, STR("\r")))
        line.len--;
    enum import_line result = import_line_of(lines, line, &body);
    if (result != IMPORT_LINE_FACTS)
        return result;
    if (json_string_length(json_object_get(body, "client_id")) == 0) {
        json_decref(body);
        return import_bad(lines, "it has no client_id");
    }
    *ret_body = body;
    return result;
}
