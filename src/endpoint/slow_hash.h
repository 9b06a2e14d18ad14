// SPDX-License-Identifier: Apache-2.0
// Comparisons with a slow hash, on the pool: of a brought secret, of a user's password.
#pragma once
#include "endpoint/limit.h"

// Texts are copied: the request may be gone before it ends.
struct slow_hash {
    uint64_t owner; // the application that it is done for
    const struct secret *secret; // its number, scheme and slow_hash count
    struct str presented;
    struct limit_taken taken; // of a limit, for it; given back when it is not computed
};

// TWOLEG_WAIT: it is under way. Whoever asks has asked its limit first.
enum twoleg_error slow_hash_start(struct http_request *request,
                                  const struct slow_hash *question) TWOLEG_MUST_CHECK;

// What comparisons of this request have found out; it is put into the worker's table, too. An error
// is of one that could not be made.
enum twoleg_error slow_hash_outcomes(struct http_request *request,
                                     const struct slow_outcome **ret_outcomes) TWOLEG_MUST_CHECK;
