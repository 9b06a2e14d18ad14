// SPDX-License-Identifier: Apache-2.0
// Public keys as JSON: JWK (RFC 7517), the members of RFC 7518 6, and thumbprints (RFC 7638).
#pragma once
#include "base/arena.h"
#include "codec/json_write.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

#define JWK_TEXT_MAX 8192 // bytes of one JWK that is read
#define JWK_KID_SIZE 43   // base64url of a SHA-256

struct jwk {
    const struct sign_algorithm *algorithm;
    struct public_key key; // as written: whether it is a key, verify_key_create says
    struct str kid;        // STR_NONE when not given
};

// The kid of our keys: base64url of the thumbprint. Not NUL-terminated.
struct jwk_kid {
    char text[JWK_KID_SIZE];
};

struct jwk_kid jwk_kid(const struct sign_algorithm *algorithm, const struct public_key *key);

// One JSON object: the members of the type, use, alg, kid. What is wrong sticks to the buffer.
void jwk_write(struct json_writer *json, const struct jwk *jwk);

// Reads a public key for signatures. Needs kty and the members of a row of ours, at full length;
// alg, use and key_ops must fit if they are there; kid must be text; others are ignored. MALFORMED,
// MISSING (also alg, where the type has more than one row: a key is for one algorithm), DUPLICATE,
// TOO_LONG, LIMIT; UNKNOWN: another type, curve or algorithm; REFUSED: a private or symmetric key,
// or one that is not for signatures. Views point into text or the arena.
TWOLEG_MUST_CHECK enum twoleg_error jwk_read(struct str text, struct arena *arena,
                                             struct jwk *ret_jwk);

struct jwk_member {
    struct str name;
    struct str value;
};

// RFC 7638 3 for any key type: the required members with their text values. MALFORMED when the
// names do not stand in lexicographic order, each once, or a text would need an escape in JSON.
TWOLEG_MUST_CHECK enum twoleg_error jwk_thumbprint(const struct jwk_member *members, size_t count,
                                                   struct sha256 *ret_thumbprint);
