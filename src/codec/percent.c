// SPDX-License-Identifier: Apache-2.0
#include "codec/percent.h"

#include <string.h>

#define PERCENT_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// Eight bytes at once: is any of them NUL, '%' or '+'? Most texts have none, and credentials are on
// every request's path. A borrow comes only from a byte that is one, so the answer is exact.
static bool percent_eight_plain(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t percent = word ^ PERCENT_EACH('%');
    uint64_t plus = word ^ PERCENT_EACH('+');
    uint64_t found = ((word - PERCENT_EACH(1)) & ~word) | ((percent - PERCENT_EACH(1)) & ~percent) |
                     ((plus - PERCENT_EACH(1)) & ~plus);
    return (found & PERCENT_EACH(0x80)) == 0;
}

static size_t percent_plain_run(struct str text)
{
    size_t run = 0;
    while (text.len - run >= 8 && percent_eight_plain(text.ptr + run))
        run += 8;
    // The rest once more as the end of eight: its first bytes are known to be plain.
    if (run >= 8 && text.len - run < 8 && percent_eight_plain(text.ptr + text.len - 8))
        return text.len;
    return run;
}

// Checks the whole text; *ret_len = bytes after decoding.
static bool percent_measure(struct str text, enum percent_plus plus, size_t *ret_len,
                            bool *ret_changed)
{
    size_t len = percent_plain_run(text);
    bool changed = false;
    for (size_t i = len; i < text.len; i++, len++) {
        char c = text.ptr[i];
        if (c == '\0')
            return false;
        if (c == '+' && plus == PERCENT_PLUS_BLANK)
            changed = true;
        if (c != '%')
            continue;
        if (text.len - i < 3)
            return false;
        int high = str_hex_digit(text.ptr[i + 1]);
        int low = str_hex_digit(text.ptr[i + 2]);
        if (high < 0 || low < 0 || (high | low) == 0)
            return false;
        changed = true;
        i += 2;
    }
    *ret_len = len;
    *ret_changed = changed;
    return true;
}

enum twoleg_error percent_decode(struct str text, enum percent_plus plus, struct arena *arena,
                                 struct str *ret_text)
{
    size_t len;
    bool changed;
    if (!percent_measure(text, plus, &len, &changed))
        return TWOLEG_MALFORMED;
    if (!changed) {
        *ret_text = text;
        return TWOLEG_NONE;
    }
    char *out = arena_alloc(arena, len);
    if (!out)
        return TWOLEG_NO_MEMORY;
    const char *in = text.ptr;
    for (size_t i = 0; i < len; i++, in++) {
        if (*in == '%') {
            out[i] = (char)(str_hex_digit(in[1]) << 4 | str_hex_digit(in[2]));
            in += 2;
        } else {
            out[i] = *in == '+' && plus == PERCENT_PLUS_BLANK ? ' ' : *in;
        }
    }
    *ret_text = str_of(out, len);
    return TWOLEG_NONE;
}

enum twoleg_error percent_decode_or_raw(struct str text, enum percent_plus plus,
                                        struct arena *arena, struct str *ret_text)
{
    enum twoleg_error error = percent_decode(text, plus, arena, ret_text);
    if (error != TWOLEG_MALFORMED)
        return error;
    *ret_text = text;
    return TWOLEG_NONE;
}

static bool percent_is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (percent_is_unreserved(text.ptr[i])) {
            buf_add_char(out, text.ptr[i]);
        } else {
            char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
            buf_add(out, str_of(escape, sizeof escape));
        }
    }
}
