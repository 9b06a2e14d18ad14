// SPDX-License-Identifier: Apache-2.0
// Comparisons with a slow hash, on the pool: of a brought secret, of a user's password. One that is
// under way serves all who ask for the same meanwhile: what comes to all workers at once, as after
// a restart, is compared once and takes as much from the limits as one that comes alone.
#pragma once
#include "endpoint/limit.h"

// Those of the server that are under way, and what came of earlier ones.
struct slow_hashes;
struct slow_hashes *slow_hashes_create(struct env *env); // NULL: memory, or no randomness
void slow_hashes_destroy(struct slow_hashes *hashes);    // after the pool and the workers

// Texts are copied: the request may be gone before it ends.
struct slow_hash {
    struct endpoint_guess guess;
    const struct secret *secret; // its number, scheme and slow_hash count
    struct str presented;
};

struct slow_secret_cache *slow_hashes_known(const struct slow_hashes *hashes);
// What it is remembered by.
struct sha256 slow_hash_digest(const struct http_request *request,
                               const struct slow_hash *question);

// TWOLEG_WAIT: it is under way. Else as endpoint_limit_guess, or what keeps it from being begun.
enum twoleg_error slow_hash_start(struct http_request *request, const struct slow_hash *question,
                                  int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// What comparisons of this request have found out. An error is of one that could not be made.
enum twoleg_error slow_hash_outcomes(struct http_request *request,
                                     const struct slow_outcome **ret_outcomes) TWOLEG_MUST_CHECK;

// Whoever presented the client's secret (or the user's password) is let in: what comparisons of
// this request took from the limits of guesses is given back, and what an earlier one took of what
// was presented, if its asker had gone. digest: NULL if no slow hash has matched.
void slow_hash_right(struct http_request *request, bool of_user, const struct sha256 *digest);
