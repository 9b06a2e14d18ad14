// SPDX-License-Identifier: Apache-2.0
#include "codec/json_read.h"

void json_reader_init(struct json_reader *r, struct str text, struct arena *arena,
                      const struct json_limits *limits)
{
    r->arena = arena;
    r->ended = false;
    r->count = 0;
    r->error = json_cursor_init(&r->cursor, text, limits);
    if (r->error)
        return;
    json_cursor_blank(&r->cursor);
    if (!json_cursor_take(&r->cursor, '{'))
        r->error = TWOLEG_MALFORMED;
    else if (r->cursor.limits.depth < 1)
        r->error = TWOLEG_LIMIT;
    r->cursor.depth = 1;
}

static enum twoleg_error json_reader_end(struct json_reader *r)
{
    json_cursor_blank(&r->cursor);
    r->ended = true;
    return r->cursor.at == r->cursor.end ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

static enum twoleg_error json_reader_member(struct json_reader *r, struct str *ret_key,
                                            struct json_value *ret_value)
{
    struct json_cursor *c = &r->cursor;
    if (r->count > 0 && !json_cursor_take(c, ','))
        return TWOLEG_MALFORMED;
    json_cursor_blank(c);
    struct str key;
    enum twoleg_error error = json_cursor_key(c, r->keys, &r->count);
    if (error)
        return error;
    const struct json_key *last = &r->keys[r->count - 1];
    error = json_unescape(last->raw, last->escaped, r->arena, &key);
    if (!error)
        error = json_cursor_value(c, r->arena, ret_value);
    if (!error)
        *ret_key = key;
    return error;
}

bool json_next_member(struct json_reader *r, struct str *ret_key, struct json_value *ret_value)
{
    if (r->error || r->ended)
        return false;
    json_cursor_blank(&r->cursor);
    if (json_cursor_take(&r->cursor, '}')) {
        r->error = json_reader_end(r);
        return false;
    }
    r->error = json_reader_member(r, ret_key, ret_value);
    return !r->error;
}

enum twoleg_error json_reader_error(const struct json_reader *r)
{
    if (r->error)
        return r->error;
    return r->ended ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

bool json_array_next(struct str *rest, struct arena *arena, struct json_value *ret_value)
{
    static const struct json_limits limits = {
        .bytes = SIZE_MAX, .depth = JSON_DEPTH_MAX, .members = JSON_MEMBERS_MAX};
    struct json_cursor c;
    if (json_cursor_init(&c, *rest, &limits))
        return false;
    // What is left behind an element starts with a comma, a blank or the end: never with [.
    bool first = json_cursor_take(&c, '[');
    json_cursor_blank(&c);
    if (json_cursor_take(&c, ']')) {
        *rest = STR_NONE;
        return false;
    }
    if (!first && !json_cursor_take(&c, ','))
        return false;
    json_cursor_blank(&c);
    if (json_cursor_value(&c, arena, ret_value))
        return false;
    *rest = str_of(c.at, (size_t)(c.end - c.at));
    return true;
}

enum twoleg_error json_check(struct str text, const struct json_limits *limits)
{
    struct json_cursor c;
    struct json_value ignored;
    enum twoleg_error error = json_cursor_init(&c, text, limits);
    if (error)
        return error;
    json_cursor_blank(&c);
    error = json_cursor_value(&c, NULL, &ignored);
    if (error)
        return error;
    json_cursor_blank(&c);
    return c.at == c.end ? TWOLEG_NONE : TWOLEG_MALFORMED;
}
