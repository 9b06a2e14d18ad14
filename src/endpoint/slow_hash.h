// SPDX-License-Identifier: Apache-2.0
// Comparisons with a slow hash, on the pool: of a brought secret, of a user's password.
#pragma once
#include "endpoint/limit.h"

// Texts are copied: the request may be gone before it ends.
struct slow_hash {
    struct endpoint_guess guess;
    const struct secret *secret; // its number, scheme and slow_hash count
    struct str presented;
};

// What it is remembered by.
struct sha256 slow_hash_digest(const struct http_request *request,
                               const struct slow_hash *question);

// TWOLEG_WAIT: it is under way. Else as endpoint_limit_guess, or what keeps it from being begun.
enum twoleg_error slow_hash_start(struct http_request *request, const struct slow_hash *question,
                                  int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// What comparisons of this request have found out; it is put into the worker's table, too. An error
// is of one that could not be made.
enum twoleg_error slow_hash_outcomes(struct http_request *request,
                                     const struct slow_outcome **ret_outcomes) TWOLEG_MUST_CHECK;

// Whoever presented the client's secret (or the user's password) is let in: what comparisons of
// this request took from the limits of guesses is given back.
void slow_hash_right(struct http_request *request, bool of_user);
