// SPDX-License-Identifier: Apache-2.0
#include "codec/json_scan.h"

#include <string.h>

#include "codec/utf8.h"

static const struct json_limits json_limits_default = {
    .bytes = 64 * 1024,
    .depth = JSON_DEPTH_MAX,
    .members = JSON_MEMBERS_MAX,
};

#define JSON_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// Eight bytes at once. A subtraction borrows only from a byte that is itself not plain, so the
// answer for all eight together is exact.
static inline bool json_eight_plain(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    uint64_t flags = word | (word - JSON_EACH(0x20)) | ((word ^ JSON_EACH('"')) - JSON_EACH(1)) |
                     ((word ^ JSON_EACH('\\')) - JSON_EACH(1));
    return (flags & JSON_EACH(0x80)) == 0;
}

static inline bool json_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

size_t json_plain_run(const char *text, size_t len)
{
    size_t i = 0;
    while (len - i >= 8 && json_eight_plain(text + i))
        i += 8;
    // The rest once more as the end of eight: its first bytes are known to be plain.
    if (i < len && i >= 8 && len - i < 8 && json_eight_plain(text + len - 8))
        return len;
    while (i < len && json_is_plain((unsigned char)text[i]))
        i++;
    return i;
}

enum twoleg_error json_cursor_init(struct json_cursor *c, struct str text,
                                   const struct json_limits *limits)
{
    c->limits = limits ? *limits : json_limits_default;
    if (c->limits.depth > JSON_DEPTH_MAX)
        c->limits.depth = JSON_DEPTH_MAX;
    if (c->limits.members > JSON_MEMBERS_MAX)
        c->limits.members = JSON_MEMBERS_MAX;
    c->depth = 0;
    if (text.len == 0)
        return TWOLEG_MALFORMED;
    if (text.len > c->limits.bytes)
        return TWOLEG_TOO_LONG;
    c->at = text.ptr;
    c->end = text.ptr + text.len;
    return TWOLEG_NONE;
}

static size_t json_cursor_left(const struct json_cursor *c)
{
    return (size_t)(c->end - c->at);
}

void json_cursor_blank(struct json_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

bool json_cursor_take(struct json_cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte)
        return false;
    c->at++;
    return true;
}

static bool json_hex4(const char *digits, uint32_t *ret_unit)
{
    uint64_t unit;
    bool good = str_to_hex_u64(str_of(digits, 4), &unit);
    if (good)
        *ret_unit = (uint32_t)unit;
    return good;
}

static size_t json_put_utf8(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

// Takes \uXXXX, or the two of a surrogate pair, from *at; 0 for a lone surrogate.
static size_t json_unicode_escape(const char **at, const char *end, char out[4])
{
    uint32_t unit;
    uint32_t low;
    if (end - *at < 6 || !json_hex4(*at + 2, &unit))
        return 0;
    *at += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return json_put_utf8(unit, out);
    if (unit > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
        !json_hex4(*at + 2, &low) || low < 0xdc00 || low > 0xdfff)
        return 0;
    *at += 6;
    return json_put_utf8(0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00)), out);
}

// Takes one escape that starts at *at; gives the number of bytes it stands for, 0 = malformed.
static size_t json_escape(const char **at, const char *end, char out[4])
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    if (end - *at < 2)
        return 0;
    char name = (*at)[1];
    if (name == 'u')
        return json_unicode_escape(at, end, out);
    const char *found = memchr(names, name, sizeof names - 1);
    if (!found)
        return 0;
    *at += 2;
    out[0] = bytes[found - names];
    return 1;
}

// The cursor stands behind the opening quote; afterwards behind the closing one.
static enum twoleg_error json_cursor_string(struct json_cursor *c, struct json_key *ret_string)
{
    const char *start = c->at;
    bool escaped = false;
    char ignored[4];
    for (;;) {
        c->at += json_plain_run(c->at, json_cursor_left(c));
        if (json_cursor_take(c, '"'))
            break;
        if (c->at < c->end && *c->at == '\\') {
            escaped = true;
            if (!json_escape(&c->at, c->end, ignored))
                return TWOLEG_MALFORMED;
            continue;
        }
        // One byte here is a control character; none is bad UTF-8 or the end.
        size_t bytes = utf8_sequence(str_of(c->at, json_cursor_left(c)));
        if (bytes < 2)
            return TWOLEG_MALFORMED;
        c->at += bytes;
    }
    *ret_string = (struct json_key){str_of(start, (size_t)(c->at - 1 - start)), escaped};
    return TWOLEG_NONE;
}

enum twoleg_error json_unescape(struct str raw, bool escaped, struct arena *arena,
                                struct str *ret_text)
{
    if (!escaped) {
        *ret_text = raw;
        return TWOLEG_NONE;
    }
    // An escape is never shorter than what it stands for.
    char *out = arena_alloc(arena, raw.len);
    if (!out)
        return TWOLEG_NO_MEMORY;
    size_t len = 0;
    const char *at = raw.ptr;
    const char *end = raw.ptr + raw.len;
    while (at < end) {
        if (*at == '\\') {
            char bytes[4];
            size_t count = json_escape(&at, end, bytes);
            memcpy(out + len, bytes, count);
            len += count;
        } else {
            out[len++] = *at++;
        }
    }
    *ret_text = str_of(out, len);
    return TWOLEG_NONE;
}

// The next bytes of a string without its escapes: at least one unless it is used up.
static struct str json_key_part(const char **at, const char *end, char bytes[4])
{
    if (*at < end && **at == '\\')
        return str_of(bytes, json_escape(at, end, bytes));
    const char *start = *at;
    if (*at < end)
        (*at)++;
    return str_of(start, (size_t)(*at - start));
}

static bool json_key_equal(const struct json_key *a, const struct json_key *b)
{
    if (!a->escaped && !b->escaped)
        return a->raw.len == b->raw.len && str_equal(a->raw, b->raw);
    const char *a_at = a->raw.ptr;
    const char *b_at = b->raw.ptr;
    struct str left = STR_NONE;
    struct str right = STR_NONE;
    char a_bytes[4];
    char b_bytes[4];
    for (;;) {
        if (left.len == 0)
            left = json_key_part(&a_at, a->raw.ptr + a->raw.len, a_bytes);
        if (right.len == 0)
            right = json_key_part(&b_at, b->raw.ptr + b->raw.len, b_bytes);
        if (left.len == 0 || right.len == 0)
            return left.len == right.len;
        if (left.ptr[0] != right.ptr[0])
            return false;
        left = str_slice(left, 1, left.len);
        right = str_slice(right, 1, right.len);
    }
}

enum twoleg_error json_cursor_key(struct json_cursor *c, struct json_key *keys, unsigned *count)
{
    struct json_key key;
    if (!json_cursor_take(c, '"'))
        return TWOLEG_MALFORMED;
    enum twoleg_error error = json_cursor_string(c, &key);
    if (error)
        return error;
    if (*count >= c->limits.members)
        return TWOLEG_LIMIT;
    for (unsigned i = 0; i < *count; i++)
        if (json_key_equal(&keys[i], &key))
            return TWOLEG_DUPLICATE;
    json_cursor_blank(c);
    if (!json_cursor_take(c, ':'))
        return TWOLEG_MALFORMED;
    json_cursor_blank(c);
    keys[(*count)++] = key;
    return TWOLEG_NONE;
}

static size_t json_digits(struct json_cursor *c)
{
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return (size_t)(c->at - start);
}

// The digits are those of a number without fraction and exponent.
static bool json_integer(struct str digits, bool negative, int64_t *ret_value)
{
    uint64_t value;
    uint64_t largest = (uint64_t)INT64_MAX + negative;
    if (!str_to_u64(digits, &value) || value > largest || (negative && value == 0))
        return false;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static enum twoleg_error json_cursor_number(struct json_cursor *c, struct json_value *ret_value)
{
    const char *start = c->at;
    bool negative = json_cursor_take(c, '-');
    const char *first = c->at;
    if (!json_cursor_take(c, '0') && json_digits(c) == 0)
        return TWOLEG_MALFORMED;
    struct str digits = str_of(first, (size_t)(c->at - first));
    bool whole = true;
    if (json_cursor_take(c, '.')) {
        whole = false;
        if (json_digits(c) == 0)
            return TWOLEG_MALFORMED;
    }
    if (json_cursor_take(c, 'e') || json_cursor_take(c, 'E')) {
        whole = false;
        if (!json_cursor_take(c, '+'))
            json_cursor_take(c, '-');
        if (json_digits(c) == 0)
            return TWOLEG_MALFORMED;
    }
    struct json_value value = {.kind = JSON_KIND_NUMBER,
                               .text = str_of(start, (size_t)(c->at - start))};
    if (value.text.len > JSON_NUMBER_MAX)
        return TWOLEG_TOO_LONG;
    if (whole && json_integer(digits, negative, &value.integer))
        value.kind = JSON_KIND_INTEGER;
    *ret_value = value;
    return TWOLEG_NONE;
}

static enum twoleg_error json_cursor_word(struct json_cursor *c, struct json_value *ret_value)
{
    static const struct {
        struct str word;
        enum json_kind kind;
        bool boolean;
    } words[] = {
        {{"true", 4}, JSON_KIND_BOOL, true},
        {{"false", 5}, JSON_KIND_BOOL, false},
        {{"null", 4}, JSON_KIND_NULL, false},
    };
    struct str rest = str_of(c->at, json_cursor_left(c));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_starts_with(rest, words[i].word))
            continue;
        *ret_value = (struct json_value){.kind = words[i].kind,
                                         .boolean = words[i].boolean,
                                         .text = str_slice(rest, 0, words[i].word.len)};
        c->at += words[i].word.len;
        return TWOLEG_NONE;
    }
    return TWOLEG_MALFORMED;
}

static enum twoleg_error json_cursor_scalar(struct json_cursor *c, struct arena *arena,
                                            struct json_value *ret_value)
{
    if (c->at == c->end)
        return TWOLEG_MALFORMED;
    if (*c->at == '-' || (*c->at >= '0' && *c->at <= '9'))
        return json_cursor_number(c, ret_value);
    if (!json_cursor_take(c, '"'))
        return json_cursor_word(c, ret_value);
    struct json_key string;
    struct str text;
    enum twoleg_error error = json_cursor_string(c, &string);
    if (!error)
        error = json_unescape(string.raw, arena && string.escaped, arena, &text);
    if (!error)
        *ret_value = (struct json_value){.kind = JSON_KIND_STRING, .text = text};
    return error;
}

// What is open at one depth, for a walk without recursion.
struct json_level {
    bool object;
    bool filled;    // an element stands before the cursor
    unsigned count; // keys of an object
};

struct json_walk {
    unsigned depth; // of the walk alone
    struct json_level levels[JSON_DEPTH_MAX];
    struct json_key keys[JSON_DEPTH_MAX][JSON_MEMBERS_MAX];
};

static enum twoleg_error json_walk_value(struct json_walk *walk, struct json_cursor *c)
{
    struct json_value ignored;
    bool object = json_cursor_take(c, '{');
    if (!object && !json_cursor_take(c, '['))
        return json_cursor_scalar(c, NULL, &ignored);
    if (c->depth + walk->depth >= c->limits.depth)
        return TWOLEG_LIMIT;
    walk->levels[walk->depth++] = (struct json_level){.object = object};
    return TWOLEG_NONE;
}

// One element, or the end, of the innermost array or object.
static enum twoleg_error json_walk_step(struct json_walk *walk, struct json_cursor *c)
{
    struct json_level *level = &walk->levels[walk->depth - 1];
    json_cursor_blank(c);
    if (json_cursor_take(c, level->object ? '}' : ']')) {
        walk->depth--;
        return TWOLEG_NONE;
    }
    if (level->filled && !json_cursor_take(c, ','))
        return TWOLEG_MALFORMED;
    level->filled = true;
    json_cursor_blank(c);
    enum twoleg_error error = TWOLEG_NONE;
    if (level->object)
        error = json_cursor_key(c, walk->keys[walk->depth - 1], &level->count);
    return error ? error : json_walk_value(walk, c);
}

// Apart from the scalars, whose calls should not pay for this frame of 24 KiB.
__attribute__((noinline)) static enum twoleg_error json_cursor_nested(struct json_cursor *c,
                                                                      struct json_value *ret_value)
{
    // Not cleared, which would cost more than the walk: only what was written is read.
    struct json_walk walk __attribute__((uninitialized));
    const char *start = c->at;
    walk.depth = 0;
    enum twoleg_error error = json_walk_value(&walk, c);
    while (!error && walk.depth)
        error = json_walk_step(&walk, c);
    if (error)
        return error;
    *ret_value = (struct json_value){.kind = *start == '{' ? JSON_KIND_OBJECT : JSON_KIND_ARRAY,
                                     .text = str_of(start, (size_t)(c->at - start))};
    return TWOLEG_NONE;
}

enum twoleg_error json_cursor_value(struct json_cursor *c, struct arena *arena,
                                    struct json_value *ret_value)
{
    if (c->at < c->end && (*c->at == '{' || *c->at == '['))
        return json_cursor_nested(c, ret_value);
    return json_cursor_scalar(c, arena, ret_value);
}
