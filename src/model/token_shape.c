// SPDX-License-Identifier: Apache-2.0
#include "model/token_shape.h"

#include <string.h>

#include "codec/base62.h"
#include "codec/utf8.h"

const struct token_shape token_shape_default = {
    .alphabet = TOKEN_BASE62, .length = 27, .prefix = {"tlr_", 4}, .checksum = true};

// The fewest places that hold 120 bits; those of a slot of up to 12 bits; the most of a tag. Both
// together are at most 40 bits.
static const struct {
    const char *digits;
    unsigned count;
    size_t random, slot, tag;
    unsigned slots;
} token_alphabets[] = {
    [TOKEN_BASE62] = {base62_digits, 62, 21, 2, 4, 62 * 62},
    [TOKEN_HEX] = {"0123456789abcdef", 16, 30, 3, 7, 4096},
    [TOKEN_UUID] = {"0123456789abcdef", 16, 30, 0, 1, 1},
};

#define TOKEN_UUID_LENGTH 36

size_t token_shape_size(const struct token_shape *shape)
{
    return shape->prefix.len + shape->length + shape->suffix.len +
           (shape->checksum ? CREDENTIAL_CHECKSUM_LEN : 0);
}

size_t token_shape_length_min(enum token_alphabet alphabet)
{
    return alphabet == TOKEN_UUID ? TOKEN_UUID_LENGTH : token_alphabets[alphabet].random;
}

bool token_shape_equal(const struct token_shape *a, const struct token_shape *b)
{
    return a->alphabet == b->alphabet && a->length == b->length && a->checksum == b->checksum &&
           str_equal(a->prefix, b->prefix) && str_equal(a->suffix, b->suffix);
}

enum twoleg_error token_shape_check(const struct token_shape *shape)
{
    bool uuid = shape->alphabet == TOKEN_UUID;
    if (shape->length < token_alphabets[shape->alphabet].random ||
        (uuid && shape->length != TOKEN_UUID_LENGTH))
        return TWOLEG_RANGE;
    // Each apart first: their sum could be anything.
    if (shape->length > TOKEN_SHAPE_TEXT_MAX || shape->prefix.len > TOKEN_SHAPE_TEXT_MAX ||
        shape->suffix.len > TOKEN_SHAPE_TEXT_MAX ||
        token_shape_size(shape) > TOKEN_SHAPE_TEXT_MAX)
        return TWOLEG_RANGE;
    if ((shape->prefix.len && !text_is_visible_ascii(shape->prefix)) ||
        (shape->suffix.len && !text_is_visible_ascii(shape->suffix)))
        return TWOLEG_MALFORMED;
    return TWOLEG_NONE;
}

// xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx: the two free bits of v are what is left beyond 120.
struct token_place token_place_uuid(size_t at)
{
    switch (at) {
    case 8:
    case 13:
    case 18:
    case 23:
        return (struct token_place){"-", 1, PLACE_RANDOM};
    case 14:
        return (struct token_place){"4", 1, PLACE_RANDOM};
    case 19:
        return (struct token_place){"89ab", 4, PLACE_TAG};
    default:
        return (struct token_place){token_alphabets[TOKEN_UUID].digits, 16, PLACE_RANDOM};
    }
}

// A few places more are a tag: a slot is for whoever has room for both.
static size_t token_shape_slot_places(const struct token_shape *shape)
{
    size_t beyond = shape->length - token_alphabets[shape->alphabet].random;
    size_t slot = token_alphabets[shape->alphabet].slot;
    return beyond >= 2 * slot ? slot : 0;
}

unsigned token_shape_slots(const struct token_shape *shape)
{
    return token_shape_slot_places(shape) ? token_alphabets[shape->alphabet].slots : 1;
}

struct token_layout token_shape_layout(const struct token_shape *shape)
{
    size_t slot = token_shape_slot_places(shape);
    size_t tag = shape->length - token_alphabets[shape->alphabet].random - slot;
    if (tag > token_alphabets[shape->alphabet].tag)
        tag = token_alphabets[shape->alphabet].tag;
    bool uuid = shape->alphabet == TOKEN_UUID;
    return (struct token_layout){.digits = token_alphabets[shape->alphabet].digits,
                                 .count = token_alphabets[shape->alphabet].count,
                                 .uuid = uuid,
                                 .slot_from = uuid ? 0 : shape->length - tag - slot,
                                 .tag_from = shape->length - tag};
}

bool token_shape_fits(const struct token_shape *shape, struct str text)
{
    if (text.len != token_shape_size(shape) || !str_starts_with(text, shape->prefix))
        return false;
    const char *body = text.ptr + shape->prefix.len;
    struct token_layout layout = token_shape_layout(shape);
    for (size_t i = 0; i < shape->length; i++) {
        struct token_place place = token_layout_place(&layout, i);
        if (!memchr(place.digits, body[i], place.count))
            return false;
    }
    if (memcmp(body + shape->length, shape->suffix.ptr ? shape->suffix.ptr : "",
               shape->suffix.len) != 0)
        return false;
    return !shape->checksum || credential_checksum_ok(text);
}
