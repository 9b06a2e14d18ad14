// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include <string.h>

struct str str_from(const char *text)
{
    return text ? (struct str){text, strlen(text)} : STR_NONE;
}

struct str str_of(const void *bytes, size_t len)
{
    return (struct str){bytes, len};
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    to = to > s.len ? s.len : to;
    from = from > to ? to : from;
    return (struct str){s.ptr ? s.ptr + from : NULL, to - from};
}

// Sets have two or three bytes: a loop is shorter than a call of strchr.
static bool str_is_in(const char *set, char byte)
{
    for (; *set; set++)
        if (*set == byte)
            return true;
    return false;
}

struct str str_trim(struct str s, const char *set)
{
    size_t from = 0;
    size_t to = s.len;
    while (from < to && str_is_in(set, s.ptr[from]))
        from++;
    while (to > from && str_is_in(set, s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Eight bytes with their ASCII capitals made small. In the seven lower bits of each byte no sum
// carries into the next byte; bit 7 is set where the byte is at least A, or more than Z.
static uint64_t str_lower_8(const char *at)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t low = word & 0x7f * ones;
    uint64_t capital = (low + (0x80 - 'A') * ones) & ~(low + (0x7f - 'Z') * ones) & ~word;
    return word | (capital & 0x80 * ones) >> 2;
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    if (str_equal(a, b)) // nearly always written as we write it
        return true;
    size_t i = 0;
    for (; a.len - i >= 8; i += 8)
        if (str_lower_8(a.ptr + i) != str_lower_8(b.ptr + i))
            return false;
    if (i > 0) // the rest as the end of eight: its first bytes are known to be equal
        return str_lower_8(a.ptr + a.len - 8) == str_lower_8(b.ptr + b.len - 8);
    for (; i < a.len; i++)
        if (str_lower(a.ptr[i]) != str_lower(b.ptr[i]))
            return false;
    return true;
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_equal(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_equal(str_slice(s, s.len - suffix.len, s.len), suffix);
}

int str_compare(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

size_t str_find(struct str s, char byte)
{
    const char *at = s.len ? memchr(s.ptr, byte, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : s.len;
}

bool str_split(struct str *rest, char separator, struct str *ret_part)
{
    if (!rest->ptr)
        return false;
    size_t at = str_find(*rest, separator);
    bool last = at == rest->len;
    *ret_part = str_slice(*rest, 0, at);
    *rest = last ? STR_NONE : str_slice(*rest, at + 1, rest->len);
    return true;
}

bool str_word(struct str *rest, struct str *ret_word)
{
    size_t from = 0;
    while (from < rest->len && rest->ptr[from] == ' ')
        from++;
    struct str tail = str_slice(*rest, from, rest->len);
    if (tail.len == 0)
        return false;
    size_t end = str_find(tail, ' ');
    *ret_word = str_slice(tail, 0, end);
    *rest = str_slice(tail, end, tail.len);
    return true;
}

bool str_has_word(struct str words, struct str word)
{
    size_t at = 0;
    while (word.len && at + word.len <= words.len) {
        struct str rest = str_slice(words, at, words.len);
        bool ends = rest.len == word.len || rest.ptr[word.len] == ' ';
        if (ends && memcmp(rest.ptr, word.ptr, word.len) == 0)
            return true;
        at += str_find(rest, ' ') + 1;
    }
    return false;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0 || s.len > 20)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool str_to_hex_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0 || s.len > 16)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = str_hex_digit(s.ptr[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret_value = value;
    return true;
}
