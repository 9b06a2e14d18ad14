// SPDX-License-Identifier: Apache-2.0
// Where the row of a reference token lies: see schema/003.sql.
#pragma once
#include "store/store.h"

#define TOKEN_PLACE_BITS 39 // below those of the bucket
#define TOKEN_HASH_BITS 27  // below those of the slot
_Static_assert(TOKEN_SLOTS_MAX == 1 << (TOKEN_PLACE_BITS - TOKEN_HASH_BITS), "a slot has 12 bits");
#define TOKEN_BUCKET_S 1024
#define TOKEN_BUCKETS (((int64_t)1 << 24) - 1) // up to the year 2514

struct database;
// The row of a key, but for its id. NOT_FOUND.
enum twoleg_error token_search(struct database *database, const struct store_token_key *key,
                               struct arena *arena, struct token_record *record) TWOLEG_MUST_CHECK;
// The row of the one token, and where it lies. NOT_FOUND.
enum twoleg_error token_search_sole(struct database *database, uint64_t application,
                                    uint64_t subject, struct arena *arena,
                                    struct store_token_sole *sole,
                                    int64_t *ret_place) TWOLEG_MUST_CHECK;

static inline int64_t token_place(int64_t bucket, const struct store_token_key *key)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < sizeof bits; i++)
        bits = bits << 8 | key->hash.bytes[i];
    return bucket << TOKEN_PLACE_BITS | (int64_t)key->slot << TOKEN_HASH_BITS |
           (int64_t)(bits >> (32 - TOKEN_HASH_BITS));
}
