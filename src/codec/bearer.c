// SPDX-License-Identifier: Apache-2.0
#include "codec/bearer.h"

#include "codec/utf8.h"

enum twoleg_error bearer_parse(struct str header, struct str *ret_token)
{
    size_t blank = str_find(header, ' ');
    if (!str_equal_nocase(str_slice(header, 0, blank), STR("Bearer")))
        return TWOLEG_TOKEN_ABSENT;
    struct str token = str_slice(header, blank + 1, header.len);
    if (!text_is_visible_ascii(token))
        return TWOLEG_TOKEN_MALFORMED;
    *ret_token = token;
    return TWOLEG_NONE;
}
