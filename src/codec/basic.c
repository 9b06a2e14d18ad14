// SPDX-License-Identifier: Apache-2.0
#include "codec/basic.h"

#include "codec/base64.h"

static bool basic_has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

enum twoleg_error basic_parse(struct str header, struct arena *arena, struct str *ret_id,
                              struct str *ret_secret)
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
    size_t colon = str_find(pair, ':');
    if (colon == 0 || colon == pair.len || basic_has_control(pair))
        return TWOLEG_CLIENT_MALFORMED;
    *ret_id = str_slice(pair, 0, colon);
    *ret_secret = str_slice(pair, colon + 1, pair.len);
    return TWOLEG_NONE;
}
