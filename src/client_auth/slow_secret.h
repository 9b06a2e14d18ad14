// SPDX-License-Identifier: Apache-2.0
// Secrets under a slow hash (brought and short): compared on the pool, and the outcome is kept for
// a while in a small table of the server, so that not every request pays for it. The table holds
// keyed digests under a key that lives in this process only, never a secret.
#pragma once
#include <stdbool.h>

#include "base/env.h"
#include "codec/address.h"
#include "crypto/mac.h"
#include "model/application.h"

// Any thread, without a lock: what is lost to two that write in the same moment is compared again.
struct slow_secret_cache;

enum slow_secret_known { SLOW_UNKNOWN, SLOW_MATCHES, SLOW_DIFFERS };

// One comparison that this request has waited for. The table may have lost it again: two outcomes
// of one request can fall into one place, and would drive each other out for ever.
struct slow_outcome {
    const struct slow_outcome *next;
    struct sha256 digest;
    bool matches;
};

struct slow_secret_cache *slow_secret_cache_create(struct env *env); // NULL: memory, randomness
void slow_secret_cache_destroy(struct slow_secret_cache *cache);
// The digest binds the stored hash too: a changed secret is another entry. So is one from another
// network: else a guesser there would be told, at no cost, what is known of who uses it here.
struct sha256 slow_secret_digest(const struct slow_secret_cache *cache,
                                 const struct secret *secret, const struct address *network,
                                 struct str presented);
enum slow_secret_known slow_secret_find(const struct slow_secret_cache *cache,
                                        const struct sha256 *digest);
// Of what this request has waited for alone.
enum slow_secret_known slow_outcome_find(const struct slow_outcome *outcomes,
                                         const struct sha256 *digest);
void slow_secret_put(struct slow_secret_cache *cache, const struct sha256 *digest, bool matches);
