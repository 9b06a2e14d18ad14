// SPDX-License-Identifier: Apache-2.0
// Standard base64 with padding (RFC 4648 4), for Basic credentials and PEM-like texts. Decoding
// wants the padded form, no blanks or line ends, and no set bits behind the last byte.
#pragma once
#include "base/error.h"
#include "base/str.h"

#define BASE64_BYTES(chars) ((chars) / 4 * 3) // at most

// out holds cap bytes. MALFORMED, or TOO_LONG when cap does not suffice.
TWOLEG_MUST_CHECK
enum twoleg_error base64_decode(struct str text, void *out, size_t cap, size_t *ret_len);
