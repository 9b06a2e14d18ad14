// SPDX-License-Identifier: Apache-2.0
#include "codec/form.h"

#include "codec/percent.h"

void form_reader_init(struct form_reader *r, struct str text, struct arena *arena,
                      unsigned max_pairs)
{
    *r = (struct form_reader){.rest = text, .arena = arena, .left = max_pairs};
}

static enum twoleg_error form_decode(struct form_reader *r, struct str text, struct str *ret_text)
{
    enum twoleg_error error = percent_decode(text, PERCENT_PLUS_BLANK, r->arena, ret_text);
    return error == TWOLEG_MALFORMED ? TWOLEG_PARAMETER_MALFORMED : error;
}

static enum twoleg_error form_pair(struct form_reader *r, struct str pair, struct str *ret_name,
                                   struct str *ret_value)
{
    struct str name;
    if (r->left == 0)
        return TWOLEG_PARAMETER_COUNT;
    r->left--;
    size_t equals = str_find(pair, '=');
    enum twoleg_error error = form_decode(r, str_slice(pair, 0, equals), &name);
    if (!error)
        error = form_decode(r, str_slice(pair, equals + 1, pair.len), ret_value);
    if (!error)
        *ret_name = name;
    return error;
}

bool form_next(struct form_reader *r, struct str *ret_name, struct str *ret_value)
{
    struct str pair;
    if (r->error)
        return false;
    do {
        if (!str_split(&r->rest, '&', &pair))
            return false;
    } while (pair.len == 0);
    r->error = form_pair(r, pair, ret_name, ret_value);
    return !r->error;
}

enum twoleg_error form_reader_error(const struct form_reader *r)
{
    return r->error;
}

void form_encode(struct buf *out, struct str text)
{
    struct str part;
    bool first = true;
    while (str_split(&text, ' ', &part)) {
        if (!first)
            buf_add_char(out, '+');
        percent_encode(out, part);
        first = false;
    }
}

void form_encode_pair(struct buf *out, struct str name, struct str value)
{
    if (out->len)
        buf_add_char(out, '&');
    form_encode(out, name);
    buf_add_char(out, '=');
    form_encode(out, value);
}
