// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986 2.1).
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum percent_plus {
    PERCENT_PLUS_KEPT,  // RFC 3986
    PERCENT_PLUS_BLANK, // forms: + is a blank
};

// One pass. Without anything to decode the result is the text itself, else it lies in the arena.
// MALFORMED for a % without two hex digits and for NUL, decoded or plain; NO_MEMORY.
TWOLEG_MUST_CHECK
enum twoleg_error percent_decode(struct str text, enum percent_plus plus, struct arena *arena,
                                 struct str *ret_text);

// As above, but a malformed text is given back as it is (Basic credentials of clients that do not
// encode). NO_MEMORY is the only error.
TWOLEG_MUST_CHECK
enum twoleg_error percent_decode_or_raw(struct str text, enum percent_plus plus,
                                        struct arena *arena, struct str *ret_text);

// All but unreserved characters (RFC 3986 2.3) as %XX, upper case.
void percent_encode(struct buf *out, struct str text);
