// SPDX-License-Identifier: Apache-2.0
// Signatures. Keys are shared and immutable; a signer or a checker belongs to one thread and has
// its own copy of the key and one context, so that a signature costs neither locks nor fetches.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define SIGNATURE_MAX 512     // RSA with 4096 bits is the longest that a row may ever have
#define SIGN_KEY_DER_MAX 4096 // PKCS#8, all rows
#define EC_COORDINATE_SIZE 32

// A row of the table in crypto/algorithm.c. A key belongs to one row for its whole life, and the
// row is what names the algorithm: never a header that came from outside.
struct sign_algorithm {
    struct str name;          // RFC 7518 3.1 "alg"
    struct str key_type;      // RFC 7518 6.1 "kty"
    struct str curve;         // RFC 7518 6.2.1.1 "crv"
    const char *group;        // the library's name of the curve
    const uint8_t *order;     // of the curve's group, big-endian, coordinate_len bytes
    size_t coordinate_len;    // bytes of x, y, r, s
    size_t signature_len;     // of the JWS signature; no other length is a signature
    bool slow;                // signs on the pool, not on the worker's loop
};

// NULL when the name (exact bytes) is not in the table: "none" and HS256 are not and never will be.
const struct sign_algorithm *sign_algorithm_find(struct str name);
const struct sign_algorithm *sign_algorithm_es256(void);

// The public key as RFC 7518 6.2.1 has it: the affine coordinates, big-endian, full length.
struct ec_point {
    uint8_t x[EC_COORDINATE_SIZE];
    uint8_t y[EC_COORDINATE_SIZE];
};

struct signature {
    size_t len;
    uint8_t bytes[SIGNATURE_MAX];
};

// --- Private keys
struct sign_key;

TWOLEG_MUST_CHECK enum twoleg_error sign_key_create(const struct sign_algorithm *algorithm,
                                                    struct sign_key **ret_key);
// MALFORMED: not the PKCS#8 of exactly one private key of the algorithm's type and curve, or its
// parts do not belong together.
TWOLEG_MUST_CHECK enum twoleg_error sign_key_from_der(const struct sign_algorithm *algorithm,
                                                      struct str der, struct sign_key **ret_key);
// Appends the private key as PKCS#8, unencrypted: the caller seals and wipes it at once.
TWOLEG_MUST_CHECK enum twoleg_error sign_key_to_der(const struct sign_key *key, struct buf *out);
struct ec_point sign_key_point(const struct sign_key *key);
void sign_key_free(struct sign_key **key); // wipes; NULL and a NULL key accepted

// --- Public keys
struct verify_key;

// MALFORMED: no point of the curve (also the one at infinity).
TWOLEG_MUST_CHECK enum twoleg_error verify_key_from_point(const struct sign_algorithm *algorithm,
                                                          const struct ec_point *point,
                                                          struct verify_key **ret_key);
const struct sign_algorithm *verify_key_algorithm(const struct verify_key *key);
struct ec_point verify_key_point(const struct verify_key *key);
void verify_key_free(struct verify_key **key);

// --- One thread's use of a key. Independent of the key after create.
struct signer;

TWOLEG_MUST_CHECK enum twoleg_error signer_create(const struct sign_key *key,
                                                  struct signer **ret_signer);
const struct sign_algorithm *signer_algorithm(const struct signer *signer);
// The JWS signature of the message (RFC 7518 3.4: r and s, not DER). NO_RANDOM or INTERNAL: the
// library refused, nothing was signed.
TWOLEG_MUST_CHECK enum twoleg_error signer_sign(struct signer *signer, struct str message,
                                                struct signature *ret_signature);
void signer_free(struct signer **signer);

struct verifier_ctx;

TWOLEG_MUST_CHECK enum twoleg_error verifier_create(const struct verify_key *key,
                                                    struct verifier_ctx **ret_verifier);
const struct sign_algorithm *verifier_algorithm(const struct verifier_ctx *verifier);
// TOKEN_FORGED unless the signature is one of this key over the message: of exactly the row's
// length, r and s both in 1..n-1. For every signature (r, s) of ECDSA (r, n-s) is one as well;
// RFC 7518 accepts both and so do we: nothing of ours may identify a token by its signature.
TWOLEG_MUST_CHECK enum twoleg_error verifier_check(struct verifier_ctx *verifier,
                                                   struct str message, struct str signature);
void verifier_free(struct verifier_ctx **verifier);
