// SPDX-License-Identifier: Apache-2.0
// What a reference token looks like. Callers that were written for another system may expect its
// tokens' length and letters; nothing else about a token depends on them.
//
// At least 120 bits are drawn at random, whatever the shape. The places that a shape has beyond
// those hold up to 40 keyed bits: a slot, so that the store finds tokens of one moment beside one
// another, and a tag, so that what somebody makes up is refused without a look into the store.
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

enum token_alphabet {
    TOKEN_BASE62, // 0-9 A-Z a-z
    TOKEN_HEX,    // 0-9 a-f
    TOKEN_UUID,   // version 4 (RFC 9562 section 5.4), in lower case
};

struct token_shape {
    enum token_alphabet alphabet;
    size_t length;             // between prefix and suffix; 36 for a UUID
    struct str prefix, suffix; // visible ASCII
    bool checksum;             // the six letters of codec/base62.h behind all
};

// No sealed token and no JWT is as short: the length alone tells a reference token from them.
#define TOKEN_SHAPE_TEXT_MAX 120
#define TOKEN_SHAPE_KEYED_MAX 10 // places beyond the random ones

// tlr_ and 27 letters, of which 2 are the slot and 4 the tag.
extern const struct token_shape token_shape_default;

bool token_shape_equal(const struct token_shape *a, const struct token_shape *b);
// The fewest places of the alphabet that hold 120 random bits.
size_t token_shape_length_min(enum token_alphabet alphabet);
// RANGE: fewer than 120 random bits, or longer than TOKEN_SHAPE_TEXT_MAX; MALFORMED: bytes in the
// prefix or suffix that are not visible ASCII.
enum twoleg_error token_shape_check(const struct token_shape *shape) TWOLEG_MUST_CHECK;
size_t token_shape_size(const struct token_shape *shape); // of the whole text

enum token_place_kind { PLACE_RANDOM, PLACE_SLOT, PLACE_TAG };

// Where which places lie between prefix and suffix.
struct token_layout {
    const char *digits;
    unsigned count; // of the digits of each place
    bool uuid;
    size_t slot_from, tag_from; // what lies before is random
};
struct token_layout token_shape_layout(const struct token_shape *shape);

// One character: one of so many digits.
struct token_place {
    const char *digits;
    unsigned count; // 1: always the same
    enum token_place_kind kind;
};
struct token_place token_place_uuid(size_t at);
static inline struct token_place token_layout_place(const struct token_layout *layout, size_t at)
{
    if (layout->uuid)
        return token_place_uuid(at);
    return (struct token_place){layout->digits, layout->count,
                                at < layout->slot_from  ? PLACE_RANDOM
                                : at < layout->tag_from ? PLACE_SLOT
                                                        : PLACE_TAG};
}
#define TOKEN_SLOTS_MAX 4096
// How many different slots its slot places can say; 1 when it has none.
unsigned token_shape_slots(const struct token_shape *shape);

// Is this a text that a token of the shape could be? It says nothing of the tag.
bool token_shape_fits(const struct token_shape *shape, struct str text);
