// SPDX-License-Identifier: Apache-2.0
#include "codec/basic.h"

#include <string.h>

#include "codec/base64.h"

#define BASIC_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// Eight bytes at once: is any of them below 0x20, or 0x7f? A borrow comes only from a byte that is
// one, so the answer is exact.
static bool basic_eight_plain(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t delete = word ^ BASIC_EACH(0x7f);
    uint64_t found = ((word - BASIC_EACH(0x20)) & ~word) | ((delete - BASIC_EACH(1)) & ~delete);
    return (found & BASIC_EACH(0x80)) == 0;
}

static bool basic_has_control(struct str text)
{
    size_t i = 0;
    while (text.len - i >= 8 && basic_eight_plain(text.ptr + i))
        i += 8;
    for (; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static struct str basic_trim_end(struct str text)
{
    static const struct str white = {" \t\r\n", 4};
    while (text.len && str_find(white, text.ptr[text.len - 1]) < white.len)
        text.len--;
    return text;
}

static enum twoleg_error basic_read(struct str header, bool trim, struct arena *arena,
                                    struct str *ret_id, struct str *ret_secret)
{
    size_t blank = str_find(header, ' ');
    if (!str_equal_nocase(str_slice(header, 0, blank), STR("Basic")))
        return TWOLEG_CLIENT_MISSING;
    struct str text = str_trim(str_slice(header, blank, header.len), " ");
    if (text.len == 0)
        return TWOLEG_CLIENT_MALFORMED;
    size_t len;
    char *memory = arena_alloc(arena, BASE64_BYTES(text.len) + 1);
    if (!memory)
        return TWOLEG_NO_MEMORY;
    if (base64_decode(text, memory, BASE64_BYTES(text.len), &len))
        return TWOLEG_CLIENT_MALFORMED;
    struct str pair = str_of(memory, len);
    if (trim)
        pair = basic_trim_end(pair);
    size_t colon = str_find(pair, ':');
    if (colon == 0 || colon == pair.len || basic_has_control(pair))
        return TWOLEG_CLIENT_MALFORMED;
    *ret_id = str_slice(pair, 0, colon);
    *ret_secret = str_slice(pair, colon + 1, pair.len);
    return TWOLEG_NONE;
}

enum twoleg_error basic_parse(struct str header, struct arena *arena, struct str *ret_id,
                              struct str *ret_secret)
{
    return basic_read(header, false, arena, ret_id, ret_secret);
}

enum twoleg_error basic_parse_trimmed(struct str header, struct arena *arena, struct str *ret_id,
                                      struct str *ret_secret)
{
    return basic_read(header, true, arena, ret_id, ret_secret);
}
