// SPDX-License-Identifier: Apache-2.0
// Writes compact JWS (RFC 7515 7.1) with one fixed header per key.
#pragma once
#include "base/buf.h"
#include "crypto/sign.h"

#define JWS_HEADER_MAX 512

// base64url of {"alg":...,"typ":...,"kid":...}, built once per key.
struct jws_header {
    size_t len;
    char text[JWS_HEADER_MAX];
};

// TOO_LONG when it does not fit.
TWOLEG_MUST_CHECK enum twoleg_error jws_header_init(struct jws_header *header,
                                                    const struct sign_algorithm *algorithm,
                                                    struct str type, struct str kid);

// Characters of the whole for a payload and a signature of so many bytes.
size_t jws_size(const struct jws_header *header, size_t signature_len, size_t payload_len);

// Appends header.payload.signature. The header must be of the signer's key. TOO_LONG when out has
// no room (its error sticks); else what signer_sign says, and out's content is as before.
TWOLEG_MUST_CHECK enum twoleg_error jws_write(const struct jws_header *header,
                                              struct signer *signer, struct str payload,
                                              struct buf *out);
