// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

void buf_init(struct buf *buf, void *memory, size_t cap)
{
    *buf = (struct buf){.ptr = memory, .cap = cap};
}

void buf_init_arena(struct buf *buf, struct arena *arena, size_t first)
{
    *buf = (struct buf){.arena = arena};
    buf->ptr = arena_alloc(arena, first);
    buf->cap = buf->ptr ? first : 0;
    buf->failed = !buf->ptr;
}

static bool buf_grow(struct buf *buf, size_t need)
{
    if (!buf->arena)
        return false;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need)
        if (__builtin_mul_overflow(cap, (size_t)2, &cap))
            return false;
    char *grown = arena_alloc(buf->arena, cap);
    if (!grown)
        return false;
    if (buf->len)
        memcpy(grown, buf->ptr, buf->len);
    buf->ptr = grown;
    buf->cap = cap;
    return true;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    size_t need;
    if (buf->failed || __builtin_add_overflow(buf->len, len, &need) ||
        (need > buf->cap && !buf_grow(buf, need))) {
        buf->failed = true;
        return NULL;
    }
    char *at = buf->ptr + buf->len;
    buf->len = need;
    return at;
}

void buf_add(struct buf *buf, struct str text)
{
    char *at = text.len ? buf_reserve(buf, text.len) : NULL;
    if (at)
        memcpy(at, text.ptr, text.len);
}

void buf_add_char(struct buf *buf, char c)
{
    char *at = buf_reserve(buf, 1);
    if (at)
        *at = c;
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_add(buf, str_of(digits + at, sizeof digits - at));
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    if (value < 0)
        buf_add_char(buf, '-');
    buf_add_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_add_word(struct buf *buf, struct str word)
{
    if (buf->len)
        buf_add_char(buf, ' ');
    buf_add(buf, word);
}

void buf_add_hex(struct buf *buf, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;
    for (size_t i = 0; i < len; i++) {
        buf_add_char(buf, digits[in[i] >> 4]);
        buf_add_char(buf, digits[in[i] & 15]);
    }
}

void buf_add_be(struct buf *buf, uint64_t value, unsigned bytes)
{
    char *at = buf_reserve(buf, bytes);
    for (unsigned i = 0; at && i < bytes; i++)
        at[i] = (char)(uint8_t)(value >> (8 * (bytes - 1 - i)));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    // vsnprintf writes a NUL behind the text, so one byte more is reserved and given back.
    char *at = len < 0 ? NULL : buf_reserve(buf, (size_t)len + 1);
    if (at) {
        vsnprintf(at, (size_t)len + 1, format, again);
        buf->len--;
    } else {
        buf->failed = true;
    }
    va_end(again);
}

struct str buf_str(const struct buf *buf)
{
    return buf->failed ? STR_NONE : str_of(buf->ptr, buf->len);
}
