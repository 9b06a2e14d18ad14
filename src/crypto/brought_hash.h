// SPDX-License-Identifier: Apache-2.0
// Secrets that other systems have hashed slowly, in the texts that those systems wrote: Argon2 and
// PBKDF2 as PHC strings, Django's PBKDF2, bcrypt as crypt(3) has it. What a hash may cost is
// bounded, since whoever brings one decides what each attempt costs us. Runs on the pool.
#pragma once
#include "base/env.h"
#include "crypto/hash.h"
#include "crypto/password.h"

// The numbers are stored: see enum secret_scheme of model/application.h.
enum brought_hash {
    BROUGHT_ARGON2ID = 1,
    BROUGHT_ARGON2ID_SHA256 = 2, // Argon2id of the SHA-256 of the secret, in lower-case hex
    BROUGHT_ARGON2I = 3,
    BROUGHT_BCRYPT = 4, // $2a$, $2b$, $2y$
    BROUGHT_PBKDF2 = 5, // with SHA-256
};

#define BROUGHT_MAX 256 // bytes of a text
#define BROUGHT_BCRYPT_COST_MAX 14
#define BROUGHT_ROUNDS_MIN 1000 // of PBKDF2: with fewer it is hardly slower than SHA-256
#define BROUGHT_ROUNDS_MAX 2000000

// What kind of hash the text is, whole and affordable. Else MALFORMED, or RANGE where it would cost
// too much or too little; ret_problem gets words for a person, which never repeat the hash.
TWOLEG_MUST_CHECK enum twoleg_error brought_hash_read(struct str text,
                                                      enum brought_hash *ret_kind,
                                                      const char **ret_problem);
// The text starts like one of these hashes, whether it is a good one or not.
bool brought_hash_is_like(struct str text);

// Compares in constant time. SECRET_WRONG; MALFORMED: no text of this kind (brought_hash_read);
// NO_MEMORY. bcrypt looks at the first 72 bytes only, as it did where the hash was made.
TWOLEG_MUST_CHECK enum twoleg_error brought_hash_verify(enum brought_hash kind, struct str hash,
                                                        struct str presented);
// The same with the SHA-256 in place of the secret, for BROUGHT_ARGON2ID_SHA256.
TWOLEG_MUST_CHECK enum twoleg_error brought_hash_verify_sha256(struct str hash,
                                                               const struct sha256 *digest);
// Makes such a hash. As password_hash.
TWOLEG_MUST_CHECK enum twoleg_error brought_hash_make_sha256(struct env *env,
                                                             const struct sha256 *digest,
                                                             struct password_hash *ret_hash);
