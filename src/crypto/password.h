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
#define PASSWORD_BROUGHT_MAX 256 // bytes of a text that was made elsewhere

// What one may cost that was made elsewhere: it would be a way to exhaust us.
#define PASSWORD_MEMORY_KIB_MAX ((uint64_t)256 * 1024)
#define PASSWORD_PASSES_MAX 16
#define PASSWORD_LANES_MAX 16
#define PASSWORD_WORK_KIB_MAX ((uint64_t)1024 * 1024) // memory times passes
// What all hashes together may hold at a time; whoever comes with one more waits for its turn.
#define PASSWORD_MEMORY_KIB_ALL ((uint64_t)1024 * 1024)

struct password_hash {
    char text[PASSWORD_HASH_SIZE]; // NUL-terminated
};

// RANGE: empty or longer than PASSWORD_MAX. NO_RANDOM, NO_MEMORY.
TWOLEG_MUST_CHECK enum twoleg_error password_hash(struct env *env, struct str password,
                                                  struct password_hash *ret_hash);

struct password_cost {
    bool is_id; // Argon2id, else Argon2i
    uint64_t memory_kib, passes, lanes;
};

// MALFORMED: not a whole Argon2id or Argon2i hash (version 19) in PHC form; RANGE: it costs more
// than the bounds above.
TWOLEG_MUST_CHECK enum twoleg_error password_cost_read(struct str hash,
                                                       struct password_cost *ret_cost);

// Compares in constant time. SECRET_WRONG; MALFORMED: a hash that password_cost_read refuses;
// NO_MEMORY.
TWOLEG_MUST_CHECK enum twoleg_error password_verify(struct str hash, struct str password);

// A hash that no password is known to match, at the same cost as password_hash's: for whoever asks
// for somebody who is not there.
struct str password_nobodys(void);
