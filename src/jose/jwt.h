// SPDX-License-Identifier: Apache-2.0
// Reads access tokens in JWT form (RFC 9068). Two steps: jwt_read takes a token apart, without any
// key; jwt_verify is the only function that says that it is genuine, and the only way to its
// claims as facts. Between them a caller may look at jwt.unverified to refuse early, never to
// accept. Encrypted, unsigned and MACed tokens do not exist here.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "crypto/sign.h"

#define JWT_MAX 16384 // characters of a token
#define JWT_AUDIENCE_MAX 8
#define JWT_TIME_MAX INT64_C(253402300799) // the last second of the year 9999
#define JWT_TYPE STR("at+jwt")

// Still in base64url; views into the token.
struct jwt_parts {
    struct str header;
    struct str payload;
    struct str signature;
    struct str signed_text; // header.payload: what the signature is over
};

// RFC 7515 4.1, what we use of it.
struct jwt_header {
    const struct sign_algorithm *algorithm;
    struct str kid;
};

// RFC 9068 2.2; times in seconds since 1970. All but nbf, scope and cnf are always there.
struct jwt_claims {
    struct str iss;
    struct str sub;
    struct str client_id;
    struct str jti;
    struct str scope; // STR_NONE when not given
    struct str cnf;   // RFC 7800: the object's JSON text; STR_NONE when the token is not bound
    struct str aud[JWT_AUDIENCE_MAX];
    size_t aud_count; // at least 1
    int64_t exp;
    int64_t iat;
    int64_t nbf; // 0 when not given
};

struct jwt {
    struct jwt_parts parts;
    struct jwt_header header;
    struct jwt_claims unverified;
};

// A key that a kid stands for, in this thread.
struct jwt_key {
    struct str kid;
    struct verifier_ctx *verifier;
};

// TOO_LONG above JWT_MAX, looked at first; MALFORMED unless three parts, none empty. Reads no part.
TWOLEG_MUST_CHECK enum twoleg_error jwt_split(struct str token, struct jwt_parts *ret_parts);

// The protected header. MALFORMED, MISSING (alg, typ or kid), DUPLICATE, TOO_LONG, LIMIT; UNKNOWN:
// alg is not in the table, or typ is not at+jwt; REFUSED: crit, b64, enc or zip is there. jku, x5u,
// jwk and x5c are not looked at: keys come from our own set only.
TWOLEG_MUST_CHECK enum twoleg_error jwt_read_header(struct str header, struct arena *arena,
                                                    struct jwt_header *ret_header);

// The payload. MALFORMED: JSON, or a claim of another type, empty, or with a NUL; MISSING,
// DUPLICATE, TOO_LONG; RANGE: a time below 0 or above JWT_TIME_MAX; LIMIT: too many audiences. Says
// nothing about now, issuer or audience: the gate does. Other claims are ignored.
TWOLEG_MUST_CHECK enum twoleg_error jwt_read_claims(struct str payload, struct arena *arena,
                                                    struct jwt_claims *ret_claims);

// All three. Views point into the token and the arena.
TWOLEG_MUST_CHECK enum twoleg_error jwt_read(struct str token, struct arena *arena,
                                             struct jwt *ret_jwt);

// The header of tokens that we wrote ourselves (struct jws_header of the signing key): a token with
// the very same bytes needs no reading of it. Says no more about the token than reading would.
struct jwt_known_header {
    struct str text; // in base64url
    struct jwt_header header;
};

// As jwt_read; known may be NULL.
TWOLEG_MUST_CHECK enum twoleg_error jwt_read_known(struct str token,
                                                   const struct jwt_known_header *known,
                                                   struct arena *arena, struct jwt *ret_jwt);

// TOKEN_KEY: kid or alg are not the key's; TOKEN_FORGED: the signature is not; NO_MEMORY. On
// success the claims are the signer's words; they lie in jwt.
TWOLEG_MUST_CHECK enum twoleg_error jwt_verify(const struct jwt *jwt, const struct jwt_key *key,
                                               const struct jwt_claims **ret_claims);
