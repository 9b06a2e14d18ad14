// SPDX-License-Identifier: Apache-2.0
// The two spellings of an ECDSA signature: r and s of fixed length (JWS, RFC 7518 3.4) and the DER
// sequence that libraries want (RFC 3279 2.2.3). For coordinates of up to 66 bytes (P-521).
#pragma once
#include <stdbool.h>

#include "base/str.h"

#define ECDSA_COORDINATE_MAX 66
#define ECDSA_DER_MAX (2 * (ECDSA_COORDINATE_MAX + 3) + 3)

// r || s of coordinate_len bytes each, from strict DER: shortest lengths, no negative number, no
// superfluous zero, no byte behind. False otherwise, or when a number is too long.
bool ecdsa_raw_from_der(struct str der, size_t coordinate_len, uint8_t *ret_raw);

// Writes the DER of r || s and gives its length. The numbers may be anything but too long.
size_t ecdsa_der_from_raw(const uint8_t *raw, size_t coordinate_len,
                          uint8_t ret_der[ECDSA_DER_MAX]);
