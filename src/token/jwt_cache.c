// SPDX-License-Identifier: Apache-2.0
// Eight-way set-associative, of fixed size, for one thread: a newcomer takes the oldest place of
// its set. The digest is of bytes that had to pass the keyed tag first: nobody else chooses them.
#include <stdlib.h>
#include <string.h>

#include "crypto/compare.h"
#include "crypto/hash.h"
#include "token/format.h"

#define JWT_CACHE_SCOPE_MAX 128 // tokens with longer scopes are verified each time
#define JWT_CACHE_WAYS 8

struct jwt_cache_entry {
    struct sha256 digest;
    uint64_t keys; // serial of the key set; 0 = free
    struct token_record record;
    char scope[JWT_CACHE_SCOPE_MAX];
};

struct jwt_cache_set {
    uint64_t first[JWT_CACHE_WAYS]; // eight bytes of each digest: which entries to look at
    size_t next;                    // where the next newcomer goes
    struct jwt_cache_entry entries[JWT_CACHE_WAYS];
};

struct jwt_cache {
    size_t count; // of sets, a power of two
    struct jwt_cache_set sets[];
};

struct jwt_cache *jwt_cache_create(size_t entries)
{
    size_t count = entries > JWT_CACHE_WAYS ? entries / JWT_CACHE_WAYS : 1;
    struct jwt_cache *cache = calloc(1, sizeof *cache + count * sizeof(struct jwt_cache_set));
    if (cache)
        cache->count = count;
    return cache;
}

void jwt_cache_destroy(struct jwt_cache *cache)
{
    free(cache);
}

static uint64_t jwt_cache_first(const struct sha256 *digest)
{
    uint64_t first;
    memcpy(&first, digest->bytes, sizeof first);
    return first;
}

bool jwt_cache_find(const struct jwt_cache *cache, const struct sha256 *digest, uint64_t keys,
                    struct arena *arena, struct token_record *ret_record)
{
    uint64_t first = jwt_cache_first(digest);
    const struct jwt_cache_set *set = &cache->sets[first & (cache->count - 1)];
    for (size_t i = 0; i < JWT_CACHE_WAYS; i++) {
        const struct jwt_cache_entry *entry = &set->entries[i];
        if (set->first[i] != first || entry->keys != keys ||
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
    uint64_t first = jwt_cache_first(digest);
    struct jwt_cache_set *set = &cache->sets[first & (cache->count - 1)];
    size_t at = set->next++ % JWT_CACHE_WAYS;
    struct jwt_cache_entry *entry = &set->entries[at];
    set->first[at] = first;
    entry->digest = *digest;
    entry->keys = keys;
    entry->record = *record;
    if (record->scope.len)
        memcpy(entry->scope, record->scope.ptr, record->scope.len);
    entry->record.scope = STR_NONE;
    entry->record.scope.len = record->scope.len;
}
