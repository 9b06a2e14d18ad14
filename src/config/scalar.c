// SPDX-License-Identifier: Apache-2.0
// The types of single values: one reader and one writer each, in one table.
#include <string.h>

#include "base/env.h"
#include "codec/duration.h"
#include "codec/rate.h"
#include "codec/utf8.h"
#include "config/schema.h"

#define SCHEMA_UNIX_PATH_MAX 107 // sun_path without its NUL

struct scalar_input {
    const struct schema_context *context;
    const struct schema_row *row;
    struct str text;
    const char **problem;
};

static enum twoleg_error scalar_refuse(const struct scalar_input *in, enum twoleg_error error,
                                       const char *problem)
{
    *in->problem = problem;
    return error;
}

static enum twoleg_error scalar_keep(const struct scalar_input *in, struct str text,
                                     struct str *ret_text)
{
    struct str copy = arena_copy(in->context->arena, text);
    if (!copy.ptr)
        return scalar_refuse(in, TWOLEG_NO_MEMORY, "does not fit into memory");
    *ret_text = copy;
    return TWOLEG_NONE;
}

static enum twoleg_error scalar_read_bool(const struct scalar_input *in, void *ret_value)
{
    bool yes = str_equal(in->text, STR("true"));
    if (!yes && !str_equal(in->text, STR("false")))
        return scalar_refuse(in, TWOLEG_MALFORMED, "is neither true nor false");
    *(bool *)ret_value = yes;
    return TWOLEG_NONE;
}

typedef enum twoleg_error scalar_number(const struct scalar_input *in, struct str text,
                                        int64_t *ret_number);

// The limits are written like values, so that table, message and manual show one spelling.
static enum twoleg_error scalar_read_range(const struct scalar_input *in, scalar_number *parse,
                                           void *ret_value)
{
    int64_t value;
    int64_t limit;
    enum twoleg_error error = parse(in, in->text, &value);
    if (error)
        return error;
    const struct schema_row *row = in->row;
    bool never = row->type == SCHEMA_DURATION && value == TIME_NEVER;
    if (row->min && !parse(in, str_from(row->min), &limit) && value < limit)
        return scalar_refuse(in, TWOLEG_RANGE, "is too small");
    if (row->max && !never && !parse(in, str_from(row->max), &limit) && value > limit)
        return scalar_refuse(in, TWOLEG_RANGE, "is too large");
    *(int64_t *)ret_value = value;
    return TWOLEG_NONE;
}

static enum twoleg_error scalar_parse_integer(const struct scalar_input *in, struct str text,
                                              int64_t *ret_number)
{
    uint64_t value = 0;
    bool digits = text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        digits = digits && text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (!digits)
        return scalar_refuse(in, TWOLEG_MALFORMED, "is not a whole number");
    if (!str_to_u64(text, &value) || value > INT64_MAX)
        return scalar_refuse(in, TWOLEG_RANGE, "is too large");
    *ret_number = (int64_t)value;
    return TWOLEG_NONE;
}

static enum twoleg_error scalar_parse_duration(const struct scalar_input *in, struct str text,
                                               int64_t *ret_number)
{
    bool may_be_never = in->row->shape && in->row->shape->never;
    enum twoleg_error error = duration_parse(text, may_be_never, ret_number);
    if (error == TWOLEG_RANGE && str_equal(text, STR("never")))
        return scalar_refuse(in, error, "is not allowed here");
    if (error == TWOLEG_RANGE)
        return scalar_refuse(in, error, "is too large");
    return error ? scalar_refuse(in, error, "is not a duration such as 90s, 15m, 1h or 7d") : error;
}

static enum twoleg_error scalar_read_integer(const struct scalar_input *in, void *ret_value)
{
    return scalar_read_range(in, scalar_parse_integer, ret_value);
}

static enum twoleg_error scalar_read_duration(const struct scalar_input *in, void *ret_value)
{
    return scalar_read_range(in, scalar_parse_duration, ret_value);
}

static enum twoleg_error scalar_read_rate(const struct scalar_input *in, void *ret_value)
{
    enum twoleg_error error = rate_parse(in->text, ret_value);
    if (error == TWOLEG_RANGE)
        return scalar_refuse(in, error, "is out of range: 1 to 1000000 in 1s to 1d, and above "
                             "10000 a second only what comes every so many whole microseconds");
    return error ? scalar_refuse(in, error, "is not a rate such as 100/1m, 100/1m:20 or none")
                 : error;
}

static enum twoleg_error scalar_check_len(const struct scalar_input *in)
{
    uint64_t limit;
    if (in->row->min && str_to_u64(str_from(in->row->min), &limit) && in->text.len < limit)
        return scalar_refuse(in, TWOLEG_RANGE, in->text.len ? "is too short" : "is empty");
    if (in->row->max && str_to_u64(str_from(in->row->max), &limit) && in->text.len > limit)
        return scalar_refuse(in, TWOLEG_RANGE, "is too long");
    return TWOLEG_NONE;
}

// Also what YAML takes for a control or a line end in UTF-8 (U+0080 to U+009F, U+2028, U+2029,
// U+FFFE, U+FFFF): what is shown must load again.
static bool scalar_has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        struct str rest = str_slice(text, i, text.len);
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ||
            (str_starts_with(rest, STR("\xc2")) && rest.len > 1 &&
             (unsigned char)rest.ptr[1] < 0xa0) ||
            str_starts_with(rest, STR("\xe2\x80\xa8")) ||
            str_starts_with(rest, STR("\xe2\x80\xa9")) ||
            str_starts_with(rest, STR("\xef\xbf\xbe")) ||
            str_starts_with(rest, STR("\xef\xbf\xbf")))
            return true;
    }
    return false;
}

static enum twoleg_error scalar_read_text(const struct scalar_input *in, void *ret_value)
{
    enum twoleg_error error = scalar_check_len(in);
    if (error)
        return error;
    if (!utf8_valid(in->text))
        return scalar_refuse(in, TWOLEG_MALFORMED, "is not UTF-8");
    if (scalar_has_control(in->text))
        return scalar_refuse(in, TWOLEG_MALFORMED, "has a control character");
    const char *allowed = in->row->shape ? in->row->shape->characters : NULL;
    for (size_t i = 0; allowed && i < in->text.len; i++)
        if (!strchr(allowed, in->text.ptr[i]))
            return scalar_refuse(in, TWOLEG_MALFORMED,
                                 in->row->shape->characters_fault
                                     ? in->row->shape->characters_fault
                                     : "has a character that is not allowed");
    return scalar_keep(in, in->text, ret_value);
}

static bool scalar_host_is_good(struct str host)
{
    struct address address;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        return !address_parse(str_slice(host, 1, host.len - 1), &address) &&
               str_find(host, ':') < host.len;
    for (size_t i = 0; i < host.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_", host.ptr[i]) || !host.ptr[i])
            return false;
    return host.len > 0 && host.ptr[0] != '.' && host.ptr[0] != '-';
}

static bool scalar_authority_is_good(struct str authority)
{
    size_t host_end = authority.len;
    while (host_end > 0 && authority.ptr[host_end - 1] >= '0' && authority.ptr[host_end - 1] <= '9')
        host_end--;
    if (host_end == 0 || authority.ptr[host_end - 1] != ':')
        return scalar_host_is_good(authority); // no port; `host:` fails there by its colon
    uint64_t port;
    struct str digits = str_slice(authority, host_end, authority.len);
    return str_to_u64(digits, &port) && port <= 65535 &&
           scalar_host_is_good(str_slice(authority, 0, host_end - 1));
}

static enum twoleg_error scalar_read_url(const struct scalar_input *in, void *ret_value)
{
    enum twoleg_error error = scalar_check_len(in);
    if (error)
        return error;
    size_t scheme = str_starts_with(in->text, STR("https://"))  ? 8
                    : str_starts_with(in->text, STR("http://")) ? 7
                                                                : 0;
    if (!scheme)
        return scalar_refuse(in, TWOLEG_MALFORMED, "does not start with https:// or http://");
    struct str rest = str_slice(in->text, scheme, in->text.len);
    size_t path = str_find(rest, '/');
    if (!scalar_authority_is_good(str_slice(rest, 0, path)))
        return scalar_refuse(in, TWOLEG_MALFORMED, "has no good host name (lower case) and port");
    for (size_t i = path; i < rest.len; i++) {
        if (rest.ptr[i] == '?' || rest.ptr[i] == '#')
            return scalar_refuse(in, TWOLEG_MALFORMED, "has a query or fragment");
        if (rest.ptr[i] <= ' ' || rest.ptr[i] > '~' || strchr("\"<>\\^`{|}", rest.ptr[i]))
            return scalar_refuse(in, TWOLEG_MALFORMED, "has a character that no URL has");
    }
    return scalar_keep(in, in->text, ret_value);
}

// prefix + path, with the folder before a path that is relative.
static enum twoleg_error scalar_keep_path(const struct scalar_input *in, struct str prefix,
                                          struct str path, struct str *ret_text)
{
    struct str folder = in->context->folder;
    struct buf text;
    buf_init_arena(&text, in->context->arena, prefix.len + folder.len + path.len + 2);
    buf_add(&text, prefix);
    if (folder.len && (!path.len || path.ptr[0] != '/')) {
        buf_add(&text, folder);
        buf_add(&text, str_ends_with(folder, STR("/")) ? STR("") : STR("/"));
    }
    buf_add(&text, path);
    buf_add_char(&text, '\0');
    if (text.failed)
        return scalar_refuse(in, TWOLEG_NO_MEMORY, "does not fit into memory");
    *ret_text = str_of(text.ptr, text.len - 1);
    return TWOLEG_NONE;
}

static enum twoleg_error scalar_read_path(const struct scalar_input *in, void *ret_value)
{
    enum twoleg_error error = scalar_check_len(in);
    if (error)
        return error;
    if (scalar_has_control(in->text))
        return scalar_refuse(in, TWOLEG_MALFORMED, "has a control character");
    return scalar_keep_path(in, STR_NONE, in->text, ret_value);
}

static enum twoleg_error scalar_read_word(const struct scalar_input *in, void *ret_value)
{
    int word = schema_word_find(in->row->shape, in->text);
    if (word < 0)
        return scalar_refuse(in, TWOLEG_UNKNOWN, "is not one of its words");
    *(unsigned *)ret_value = (unsigned)word;
    return TWOLEG_NONE;
}

static enum twoleg_error scalar_read_unix(const struct scalar_input *in, void *ret_value)
{
    struct schema_endpoint endpoint = {.address = {.family = ADDRESS_LOCAL}};
    struct str path = str_slice(in->text, 5, in->text.len);
    if (!path.len || scalar_has_control(path))
        return scalar_refuse(in, TWOLEG_MALFORMED, "has no good path");
    enum twoleg_error error = scalar_keep_path(in, STR("unix:"), path, &endpoint.text);
    if (error)
        return error;
    endpoint.path = str_slice(endpoint.text, 5, endpoint.text.len);
    if (endpoint.path.len > SCHEMA_UNIX_PATH_MAX)
        return scalar_refuse(in, TWOLEG_RANGE, "is too long: a socket's path has 107 bytes");
    *(struct schema_endpoint *)ret_value = endpoint;
    return TWOLEG_NONE;
}

static enum twoleg_error scalar_read_endpoint(const struct scalar_input *in, void *ret_value)
{
    if (str_starts_with(in->text, STR("unix:")))
        return scalar_read_unix(in, ret_value);
    struct schema_endpoint endpoint = {.path = STR_NONE};
    enum twoleg_error error = address_parse_port(in->text, &endpoint.address);
    if (error == TWOLEG_RANGE)
        return scalar_refuse(in, error, "has a port above 65535");
    if (error)
        return scalar_refuse(in, error, "is no listening address");
    error = scalar_keep(in, in->text, &endpoint.text);
    if (!error)
        *(struct schema_endpoint *)ret_value = endpoint;
    return error;
}

static enum twoleg_error scalar_read_cidr(const struct scalar_input *in, void *ret_value)
{
    enum twoleg_error error = cidr_parse(in->text, ret_value);
    if (error == TWOLEG_RANGE)
        return scalar_refuse(in, error, "has too many bits, or bits set behind its prefix");
    return error ? scalar_refuse(in, error, "is no address or prefix") : TWOLEG_NONE;
}

typedef enum twoleg_error scalar_reader(const struct scalar_input *in, void *ret_value);

static scalar_reader *const scalar_readers[SCHEMA_TYPES] = {
    [SCHEMA_BOOL] = scalar_read_bool,         [SCHEMA_INTEGER] = scalar_read_integer,
    [SCHEMA_DURATION] = scalar_read_duration, [SCHEMA_RATE] = scalar_read_rate,
    [SCHEMA_TEXT] = scalar_read_text,         [SCHEMA_URL] = scalar_read_url,
    [SCHEMA_PATH] = scalar_read_path,         [SCHEMA_WORD] = scalar_read_word,
    [SCHEMA_ENDPOINT] = scalar_read_endpoint, [SCHEMA_CIDR] = scalar_read_cidr,
};

enum twoleg_error schema_scalar_read(const struct schema_context *context,
                                     const struct schema_row *row, struct str text, void *ret_value,
                                     const char **ret_problem)
{
    struct scalar_input in = {context, row, text, ret_problem};
    return scalar_readers[row->type](&in, ret_value);
}

// Words that YAML 1.1 or 1.2 readers take for something else than a text.
static bool scalar_is_special(struct str text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "never"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal_nocase(text, str_from(words[i])))
            return true;
    return false;
}

static bool scalar_is_plain(struct str text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_./:+-";
    if (!text.len || scalar_is_special(text) || strchr(":+-.", text.ptr[0]) ||
        text.ptr[text.len - 1] == ':')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr(safe, text.ptr[i]))
            return false;
    return true;
}

static void scalar_write_text(struct str text, struct buf *out)
{
    if (scalar_is_plain(text)) {
        buf_add(out, text);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, text.ptr[i]);
    }
    buf_add_char(out, '"');
}

static void scalar_write_cidr(const struct cidr *cidr, struct buf *out)
{
    char memory[ADDRESS_TEXT_MAX + 8];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    cidr_format(&text, cidr);
    out->failed = out->failed || text.failed;
    scalar_write_text(buf_str(&text), out); // `::1/128` needs its quotes
}

void schema_scalar_write(const struct schema_row *row, const void *value, struct buf *out)
{
    switch (row->type) {
    case SCHEMA_BOOL:
        buf_add(out, *(const bool *)value ? STR("true") : STR("false"));
        return;
    case SCHEMA_INTEGER:
        buf_add_i64(out, *(const int64_t *)value);
        return;
    case SCHEMA_DURATION:
        duration_format(out, *(const int64_t *)value);
        return;
    case SCHEMA_RATE:
        rate_format(out, value);
        return;
    case SCHEMA_TEXT:
    case SCHEMA_URL:
    case SCHEMA_PATH:
        scalar_write_text(*(const struct str *)value, out);
        return;
    case SCHEMA_WORD:
        buf_add(out, str_from(row->shape->words[*(const unsigned *)value]));
        return;
    case SCHEMA_ENDPOINT:
        scalar_write_text(((const struct schema_endpoint *)value)->text, out);
        return;
    case SCHEMA_CIDR:
        scalar_write_cidr(value, out);
        return;
    case SCHEMA_LIST:
    case SCHEMA_WORDS:
    case SCHEMA_OBJECT:
    case SCHEMA_TYPES:
        break;
    }
    out->failed = true; // the caller asks for single values only
}
