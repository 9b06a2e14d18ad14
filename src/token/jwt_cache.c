// SPDX-License-Identifier: Apache-2.0
// Two-way set-associative, of fixed size, for one thread: a newcomer takes the older place of its
// pair. The digest is of bytes that had to pass the keyed tag first, so nobody else chooses them.
#include <stdlib.h>
#include <string.h>

#include "crypto/compare.h"
#include "crypto/hash.h"
#include "token/format.h"

#define JWT_CACHE_SCOPE_MAX 128 // tokens with longer scopes are verified each time

struct jwt_cache_entry {
    struct sha256 digest;
    uint64_t keys; // serial of the key set; 0 = free
    struct token_record record;
    char scope[JWT_CACHE_SCOPE_MAX];
};

struct jwt_cache {
    size_t pairs;
    struct jwt_cache_entry entries[];
};

struct jwt_cache *jwt_cache_create(size_t entries)
{
    struct jwt_cache *cache =
        calloc(1, sizeof *cache + entries * sizeof(struct jwt_cache_entry));
    if (cache)
        cache->pairs = entries / 2;
    return cache;
}

void jwt_cache_destroy(struct jwt_cache *cache)
{
    free(cache);
}

static size_t jwt_cache_at(const struct jwt_cache *cache, const struct sha256 *digest)
{
    uint64_t word;
    memcpy(&word, digest->bytes, sizeof word);
    return 2 * (size_t)(word & (cache->pairs - 1));
}

bool jwt_cache_find(const struct jwt_cache *cache, const struct sha256 *digest, uint64_t keys,
                    struct arena *arena, struct token_record *ret_record)
{
    const struct jwt_cache_entry *entry = &cache->entries[jwt_cache_at(cache, digest)];
    for (size_t i = 0; i < 2; i++, entry++) {
        if (entry->keys != keys ||
            !secret_equal(entry->digest.bytes, digest->bytes, sizeof digest->bytes))
            continue;
        // Copied: the entry may be overwritten by a later token of the same request's answer.
        struct token_record record = entry->record;
        record.scope = arena_copy(arena, str_of(entry->scope, entry->record.scope.len));
        if (!record.scope.ptr)
            return false;
        *ret_record = record;
        return true;
    }
    return false;
}

void jwt_cache_put(struct jwt_cache *cache, const struct sha256 *digest, uint64_t keys,
                   const struct token_record *record)
{
    if (record->scope.len > JWT_CACHE_SCOPE_MAX)
        return;
    struct jwt_cache_entry *pair = &cache->entries[jwt_cache_at(cache, digest)];
    pair[1] = pair[0];
    pair[0].digest = *digest;
    pair[0].keys = keys;
    pair[0].record = *record;
    if (record->scope.len)
        memcpy(pair[0].scope, record->scope.ptr, record->scope.len);
    pair[0].record.scope = STR_NONE;
    pair[0].record.scope.len = record->scope.len;
}
