// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <string.h>

enum http_refusal http_target_split(struct str target, struct str *ret_path, struct str *ret_query,
                                    struct str *ret_authority)
{
    struct str rest = target, host = STR_NONE;
    if (target.len == 0 || str_find(target, '#') != target.len)
        return HTTP_REFUSAL_TARGET;
    if (target.ptr[0] != '/' && !str_equal(target, STR("*"))) {
        struct str scheme = str_slice(target, 0, str_find(target, ':'));
        if (!str_equal_nocase(scheme, STR("http")) && !str_equal_nocase(scheme, STR("https")))
            return HTTP_REFUSAL_TARGET;
        rest = str_slice(target, scheme.len, target.len);
        if (!str_starts_with(rest, STR("://")))
            return HTTP_REFUSAL_TARGET;
        rest = str_slice(rest, 3, rest.len);
        size_t authority = 0;
        while (authority < rest.len && rest.ptr[authority] != '/' && rest.ptr[authority] != '?')
            authority++;
        if (authority == 0)
            return HTTP_REFUSAL_TARGET;
        host = str_slice(rest, 0, authority);
        rest = str_slice(rest, authority, rest.len);
    }
    size_t mark = str_find(rest, '?');
    *ret_path = mark == 0 ? STR("/") : str_of(rest.ptr, mark);
    *ret_authority = host;
    *ret_query = mark < rest.len ? str_of(rest.ptr + mark + 1, rest.len - mark - 1) : STR_NONE;
    return HTTP_REFUSAL_NONE;
}

static bool target_percent_is_plain(struct str path, size_t at)
{
    if (path.len - at < 3)
        return false;
    int high = str_hex_digit(path.ptr[at + 1]);
    int low = str_hex_digit(path.ptr[at + 2]);
    if (high < 0 || low < 0)
        return false;
    int byte = high * 16 + low;
    return byte != 0 && byte != '.' && byte != '/' && byte != '\\' && byte != '%';
}

static bool target_segment_is_plain(struct str segment)
{
    return segment.len > 0 && !str_equal(segment, STR(".")) && !str_equal(segment, STR(".."));
}

bool http_path_is_canonical(struct str path)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    size_t from = 1;
    for (size_t i = 1; i < path.len; i++) {
        if (path.ptr[i] == '%' && !target_percent_is_plain(path, i))
            return false;
        if (path.ptr[i] != '/')
            continue;
        if (!target_segment_is_plain(str_of(path.ptr + from, i - from)))
            return false;
        from = i + 1;
    }
    // A last empty segment is a trailing slash: it has one spelling, so the route table decides.
    return from == path.len || target_segment_is_plain(str_of(path.ptr + from, path.len - from));
}
