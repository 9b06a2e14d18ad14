// SPDX-License-Identifier: Apache-2.0
#include "codec/utf8.h"

#include <string.h>

static bool utf8_between(char byte, unsigned low, unsigned high)
{
    unsigned char value = (unsigned char)byte;
    return value >= low && value <= high;
}

// The table of RFC 3629 4: what the second byte may be depends on the first, which is where
// overlong forms, surrogates and what lies above U+10FFFF are excluded.
static const struct {
    unsigned char first_low, first_high, second_low, second_high;
    unsigned char len;
} utf8_rows[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t utf8_sequence(struct str text)
{
    if (text.len == 0)
        return 0;
    if ((unsigned char)text.ptr[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof utf8_rows / sizeof *utf8_rows; i++) {
        if (!utf8_between(text.ptr[0], utf8_rows[i].first_low, utf8_rows[i].first_high))
            continue;
        size_t len = utf8_rows[i].len;
        if (text.len < len ||
            !utf8_between(text.ptr[1], utf8_rows[i].second_low, utf8_rows[i].second_high))
            return 0;
        for (size_t k = 2; k < len; k++)
            if (!utf8_between(text.ptr[k], 0x80, 0xbf))
                return 0;
        return len;
    }
    return 0;
}

bool utf8_valid(struct str text)
{
    while (text.len) {
        size_t len = utf8_sequence(text);
        if (len == 0)
            return false;
        text = str_slice(text, len, text.len);
    }
    return true;
}

#define TEXT_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// Eight bytes at once: none has its top bit, is under 0x21 or is 0x7f. A borrow comes only from a
// byte that is itself refused, so the answer for all eight together is exact.
static bool text_eight_visible(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    uint64_t flags = word | (word - TEXT_EACH(0x21)) | (word + TEXT_EACH(1));
    return (flags & TEXT_EACH(0x80)) == 0;
}

bool text_is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    return utf8_valid(text);
}

bool text_is_visible_ascii(struct str text)
{
    size_t i = 0;
    for (; text.len - i >= 8; i += 8)
        if (!text_eight_visible(text.ptr + i))
            return false;
    for (; i < text.len; i++)
        if (!utf8_between(text.ptr[i], 0x21, 0x7e))
            return false;
    return text.len > 0;
}

bool text_is_scope_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            return false;
    return text_is_visible_ascii(text);
}
