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
#define OKP_KEY_SIZE 32
#define PUBLIC_MEMBER_MAX 512 // the modulus of RSA with 4096 bits

enum sign_kind {
    SIGN_EC,      // RFC 7518 3.4
    SIGN_OKP,     // RFC 8037 3.1
    SIGN_RSA,     // RFC 7518 3.3: PKCS#1 v1.5
    SIGN_RSA_PSS, // RFC 7518 3.5
};

// A row of the table in crypto/algorithm.c. A key belongs to one row for its whole life, and the
// row is what names the algorithm: never a header that came from outside.
struct sign_algorithm {
    struct str name;         // RFC 7518 3.1 "alg"
    struct str key_type;     // RFC 7518 6.1 "kty"
    struct str curve;        // RFC 7518 6.2.1.1 and RFC 8037 2 "crv"; none for RSA
    struct str first;        // the JWK's name of the public key's first member: x or n
    struct str second;       // and of its second one: y or e; none for OKP
    enum sign_kind kind;
    const char *group;       // EC: the library's name of the curve
    const uint8_t *order;    // EC: of the curve's group, big-endian, coordinate_len bytes
    size_t coordinate_len;   // EC, OKP: bytes of each member; no other length is a key
    size_t signature_len;    // of the JWS signature; 0: it is as long as the key's modulus
    bool slow;               // signs on the pool, not on the worker's loop
};

// NULL when the name (exact bytes) is not in the table: "none" and HS256 are not and never will be.
const struct sign_algorithm *sign_algorithm_find(struct str name);
const struct sign_algorithm *sign_algorithm_es256(void);
// The rows by their number from 0; NULL behind the last one.
const struct sign_algorithm *sign_algorithm_at(size_t number);

// The public key as RFC 7518 6 and RFC 8037 2 have it. EC: x and y, big-endian, full length; OKP: x
// as RFC 8032 encodes it; RSA: n and e, big-endian, without leading zeros.
struct public_member {
    size_t len;
    uint8_t bytes[PUBLIC_MEMBER_MAX];
};

struct public_key {
    struct public_member first, second;
};

struct signature {
    size_t len;
    uint8_t bytes[SIGNATURE_MAX];
};

// --- Private keys
struct sign_key;

TWOLEG_MUST_CHECK enum twoleg_error sign_key_create(const struct sign_algorithm *algorithm,
                                                    struct sign_key **ret_key);
// MALFORMED: not the PKCS#8 of exactly one private key of the algorithm's type and curve, its parts
// do not belong together, or verify_key_create would refuse the public half.
TWOLEG_MUST_CHECK enum twoleg_error sign_key_from_der(const struct sign_algorithm *algorithm,
                                                      struct str der, struct sign_key **ret_key);
// Appends the private key as PKCS#8, unencrypted: the caller seals and wipes it at once.
TWOLEG_MUST_CHECK enum twoleg_error sign_key_to_der(const struct sign_key *key, struct buf *out);
const struct public_key *sign_key_public(const struct sign_key *key);
void sign_key_free(struct sign_key **key); // wipes; NULL and a NULL key accepted

// --- Public keys
struct verify_key;

// MALFORMED. EC: no point of the curve (also the one at infinity). Ed25519: not the one encoding of
// a point of the large group, so none of small order. RSA: a modulus that is even or not of 2048 to
// 4096 bits, an exponent that is even, below 65537 or above 32 bits (FIPS 186-5 A.1.1 has the lower
// bound; nobody uses another exponent than 65537), or a member with leading zeros.
TWOLEG_MUST_CHECK enum twoleg_error verify_key_create(const struct sign_algorithm *algorithm,
                                                      const struct public_key *public_key,
                                                      struct verify_key **ret_key);
const struct sign_algorithm *verify_key_algorithm(const struct verify_key *key);
const struct public_key *verify_key_public(const struct verify_key *key);
void verify_key_free(struct verify_key **key);

// --- One thread's use of a key, which may be freed after create. A signer of a slow row shares the
// private numbers with its key and with other signers of it, which is safe (the library locks what
// it must) and makes create cheap enough for each signature; all others have a copy.
struct signer;

TWOLEG_MUST_CHECK enum twoleg_error signer_create(const struct sign_key *key,
                                                  struct signer **ret_signer);
size_t signer_signature_len(const struct signer *signer); // bytes of each of its signatures
// The JWS signature of the message. NO_RANDOM or INTERNAL: the library refused, nothing was signed.
TWOLEG_MUST_CHECK enum twoleg_error signer_sign(struct signer *signer, struct str message,
                                                struct signature *ret_signature);
void signer_free(struct signer **signer);

struct verifier_ctx;

TWOLEG_MUST_CHECK enum twoleg_error verifier_create(const struct verify_key *key,
                                                    struct verifier_ctx **ret_verifier);
const struct sign_algorithm *verifier_algorithm(const struct verifier_ctx *verifier);
// TOKEN_FORGED unless the signature is one of this key over the message, and of exactly its length;
// NO_MEMORY: that cannot be told.
// EC: r and s both in 1..n-1. For every signature (r, s) of ECDSA (r, n-s) is one as well; RFC 7518
// accepts both and so do we: nothing of ours may identify a token by its signature. Ed25519: s
// below the group's order, so that there is no second spelling. PS256: a salt of 32 bytes.
TWOLEG_MUST_CHECK enum twoleg_error verifier_check(struct verifier_ctx *verifier,
                                                   struct str message, struct str signature);
void verifier_free(struct verifier_ctx **verifier);
