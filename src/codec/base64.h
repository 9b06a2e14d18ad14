// SPDX-License-Identifier: Apache-2.0
// Standard base64 with padding (RFC 4648 4), for Basic credentials and PEM-like texts. Decoding
// wants the padded form, no blanks or line ends, and no set bits behind the last byte.
#pragma once
#include "base/buf.h"
#include "base/error.h"

#define BASE64_LEN(bytes) (((bytes) + 2) / 3 * 4)
#define BASE64_BYTES(chars) ((chars) / 4 * 3) // at most

void base64_encode(struct buf *out, const void *bytes, size_t len);

// out holds cap bytes. MALFORMED, or TOO_LONG when cap does not suffice.
TWOLEG_MUST_CHECK
enum twoleg_error base64_decode(struct str text, void *out, size_t cap, size_t *ret_len);
