// SPDX-License-Identifier: Apache-2.0
// Argon2id (RFC 9106) for secrets that a person may have chosen. 19 MiB and about 19 ms each: runs
// on the pool, never on a worker's loop.
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"

#define PASSWORD_MAX 1024
// The PHC text "$argon2id$v=19$m=19456,t=2,p=1$salt$hash" and its NUL always fit.
#define PASSWORD_HASH_SIZE 128

struct password_hash {
    char text[PASSWORD_HASH_SIZE]; // NUL-terminated
};

// RANGE: empty or longer than PASSWORD_MAX. NO_RANDOM, NO_MEMORY.
TWOLEG_MUST_CHECK enum twoleg_error password_hash(struct env *env, struct str password,
                                                  struct password_hash *ret_hash);

// Compares in constant time. SECRET_WRONG; MALFORMED: not an Argon2id hash in PHC form, or one that
// asks for more than 64 MiB or 16 passes (it would be a way to exhaust us); NO_MEMORY.
TWOLEG_MUST_CHECK enum twoleg_error password_verify(struct str hash, struct str password);
