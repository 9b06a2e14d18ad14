// SPDX-License-Identifier: Apache-2.0
#include "codec/bearer.h"

#include "codec/utf8.h"

static bool bearer_has(const struct bearer_schemes *schemes, struct str name)
{
    for (size_t i = 0; i < schemes->count; i++)
        if (str_equal_nocase(schemes->names[i], name))
            return true;
    return false;
}

enum twoleg_error bearer_parse(struct str header, const struct bearer_schemes *schemes,
                               struct str *ret_token)
{
    size_t blank = str_find(header, ' ');
    struct str name = str_slice(header, 0, blank);
    bool bare = header.len && blank == header.len && bearer_has(schemes, BEARER_BARE);
    if (!bare && (str_equal_nocase(name, BEARER_BARE) || !bearer_has(schemes, name)))
        return TWOLEG_TOKEN_ABSENT;
    struct str token = bare ? header : str_slice(header, blank + 1, header.len);
    if (!schemes->one_blank)
        token = str_trim(token, " ");
    if (!text_is_visible_ascii(token))
        return TWOLEG_TOKEN_MALFORMED;
    *ret_token = token;
    return TWOLEG_NONE;
}
