// SPDX-License-Identifier: Apache-2.0
// base64url without padding (RFC 4648 5, as in RFC 7515). Every byte string has one spelling:
// padding, blanks, the plain alphabet's + and /, a length of 1 mod 4 and set bits behind the last
// byte are refused (threat C7).
#pragma once
#include "base/buf.h"
#include "base/error.h"

// Characters for so many bytes, and bytes for so many characters.
#define BASE64URL_LEN(bytes) (((bytes)*4 + 2) / 3)
#define BASE64URL_BYTES(chars) ((chars)*3 / 4)

void base64url_encode(struct buf *out, const void *bytes, size_t len);
// Into BASE64URL_LEN(len) bytes of the caller; no NUL behind them.
void base64url_encode_to(char *out, const void *bytes, size_t len);

// out holds cap bytes. MALFORMED, or TOO_LONG when cap does not suffice.
TWOLEG_MUST_CHECK
enum twoleg_error base64url_decode(struct str text, void *out, size_t cap, size_t *ret_len);
