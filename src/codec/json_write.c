// SPDX-License-Identifier: Apache-2.0
#include "codec/json_write.h"

#include <string.h>

#include "codec/json_scan.h"
#include "codec/utf8.h"

void json_writer_init(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

static void json_value_begin(struct json_writer *w)
{
    if (w->comma)
        buf_add_char(w->out, ',');
    w->comma = true;
}

static void json_open(struct json_writer *w, char bracket)
{
    json_value_begin(w);
    buf_add_char(w->out, bracket);
    w->comma = false;
    if (w->depth++ >= JSON_WRITE_DEPTH)
        w->out->failed = true;
}

static void json_close(struct json_writer *w, char bracket)
{
    if (w->depth == 0) {
        w->out->failed = true;
        return;
    }
    w->depth--;
    buf_add_char(w->out, bracket);
    w->comma = true;
}

void json_object_begin(struct json_writer *w)
{
    json_open(w, '{');
}

void json_object_end(struct json_writer *w)
{
    json_close(w, '}');
}

void json_array_begin(struct json_writer *w)
{
    json_open(w, '[');
}

void json_array_end(struct json_writer *w)
{
    json_close(w, ']');
}

// Writes what stands for the byte or sequence at the start of the text; gives its length there.
static size_t json_put_special(struct buf *out, struct str text)
{
    static const char names[] = "\"\\bfnrt";
    static const char bytes[] = "\"\\\b\f\n\r\t";
    size_t len = utf8_sequence(text);
    if (len == 0) {
        buf_add(out, STR("\xef\xbf\xbd"));
        return 1;
    }
    if (len > 1) {
        buf_add(out, str_slice(text, 0, len));
        return len;
    }
    const char *found = memchr(bytes, text.ptr[0], sizeof bytes - 1);
    if (found) {
        char escape[2] = {'\\', names[found - bytes]};
        buf_add(out, str_of(escape, sizeof escape));
    } else {
        buf_add(out, STR("\\u00"));
        buf_add_hex(out, text.ptr, 1);
    }
    return 1;
}

void json_escape(struct buf *out, struct str text)
{
    while (text.len) {
        size_t plain = json_plain_run(text.ptr, text.len);
        buf_add(out, str_slice(text, 0, plain));
        text = str_slice(text, plain, text.len);
        if (text.len)
            text = str_slice(text, json_put_special(out, text), text.len);
    }
}

// Comma, quotes and plain text take one reservation: nearly all strings of an answer are plain.
static void json_put_quoted(struct json_writer *w, struct str text, bool key)
{
    bool comma = w->comma;
    w->comma = !key;
    if (text.len == 0 || json_plain_run(text.ptr, text.len) == text.len) {
        char *at = buf_reserve(w->out, text.len + 2 + comma + key);
        if (!at)
            return;
        if (comma)
            *at++ = ',';
        *at++ = '"';
        if (text.len)
            memcpy(at, text.ptr, text.len);
        at += text.len;
        *at++ = '"';
        if (key)
            *at = ':';
        return;
    }
    buf_add(w->out, comma ? STR(",\"") : STR("\""));
    json_escape(w->out, text);
    buf_add(w->out, key ? STR("\":") : STR("\""));
}

void json_key(struct json_writer *w, struct str key)
{
    json_put_quoted(w, key, true);
}

void json_str(struct json_writer *w, struct str text)
{
    json_put_quoted(w, text, false);
}

void json_u64(struct json_writer *w, uint64_t value)
{
    json_value_begin(w);
    buf_add_u64(w->out, value);
}

void json_i64(struct json_writer *w, int64_t value)
{
    json_value_begin(w);
    buf_add_i64(w->out, value);
}

void json_raw(struct json_writer *w, struct str value)
{
    json_value_begin(w);
    buf_add(w->out, value);
}

void json_bool(struct json_writer *w, bool value)
{
    json_raw(w, value ? STR("true") : STR("false"));
}

void json_nil(struct json_writer *w)
{
    json_raw(w, STR("null"));
}

void json_key_str(struct json_writer *w, struct str key, struct str text)
{
    json_key(w, key);
    json_str(w, text);
}

void json_key_u64(struct json_writer *w, struct str key, uint64_t value)
{
    json_key(w, key);
    json_u64(w, value);
}

void json_key_i64(struct json_writer *w, struct str key, int64_t value)
{
    json_key(w, key);
    json_i64(w, value);
}

void json_key_bool(struct json_writer *w, struct str key, bool value)
{
    json_key(w, key);
    json_bool(w, value);
}

void json_key_nil(struct json_writer *w, struct str key)
{
    json_key(w, key);
    json_nil(w);
}

void json_key_raw(struct json_writer *w, struct str key, struct str value)
{
    json_key(w, key);
    json_raw(w, value);
}
