// SPDX-License-Identifier: Apache-2.0
// Rules on scope texts (RFC 6749 section 3.3): words of visible ASCII without " and \.
#pragma once
#include "base/arena.h"
#include "base/error.h"

// Checks each word, drops duplicates, sorts. TWOLEG_SCOPE_MALFORMED, TWOLEG_TOO_LONG,
// TWOLEG_NO_MEMORY. An empty text gives an empty one.
enum twoleg_error scope_normalise(struct arena *arena, struct str text, struct str *ret_scope)
    TWOLEG_MUST_CHECK;
// Every word of part is in whole. Any order.
bool scope_contains(struct str whole, struct str part);
// The words of a that stand in one of the wholes too, in a's order; a itself, uncopied, when all
// do.
enum twoleg_error scope_intersect(struct arena *arena, struct str a, const struct str *wholes,
                                  size_t count, struct str *ret_scope) TWOLEG_MUST_CHECK;
bool scope_word_valid(struct str word);
