// SPDX-License-Identifier: Apache-2.0
// What reading tokens has found: JWTs that were verified, rows of reference tokens. Eight-way
// set-associative, of fixed size, for one thread: a newcomer takes the oldest place of its set. A
// mark, made in a third of the time of a digest, tells whether a digest is worth making: what is
// forged is told apart by the mark, what is seen by mark and digest.
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/siphash.h"
#include "crypto/compare.h"
#include "crypto/hash.h"
#include "token/format.h"

#define TOKEN_CACHE_SCOPE_MAX 256 // tokens with longer scopes are read each time
#define TOKEN_CACHE_WAYS 8

struct token_cache_entry {
    struct sha256 digest;
    uint64_t keys; // serial of the key set, or TOKEN_CACHE_ROW; 0 = free
    struct token_record record;
    char scope[TOKEN_CACHE_SCOPE_MAX];
};

struct token_cache_set {
    uint64_t marks[TOKEN_CACHE_WAYS]; // keyed hash of each whole token: which entries to look at
    size_t next;                    // where the next newcomer goes
    struct token_cache_entry entries[TOKEN_CACHE_WAYS];
};

struct token_cache {
    struct siphash_key key;
    size_t count; // of sets, a power of two
    struct token_cache_set sets[];
};

struct token_cache *token_cache_create(size_t entries)
{
    size_t count = entries > TOKEN_CACHE_WAYS ? entries / TOKEN_CACHE_WAYS : 1;
    struct token_cache *cache = calloc(1, sizeof *cache + count * sizeof(struct token_cache_set));
    if (!cache)
        return NULL;
    struct env env;
    env_init(&env);
    bool random = env_random(&env, &cache->key, sizeof cache->key);
    env_finish(&env);
    cache->count = count;
    if (random)
        return cache;
    free(cache);
    return NULL;
}

void token_cache_destroy(struct token_cache *cache)
{
    free(cache);
}

bool token_cache_find(const struct token_cache *cache, struct str text, uint64_t keys,
                    struct arena *arena, struct token_record *ret_record)
{
    uint64_t mark = siphash(&cache->key, text);
    const struct token_cache_set *set = &cache->sets[mark & (cache->count - 1)];
    for (size_t i = 0; i < TOKEN_CACHE_WAYS; i++) {
        const struct token_cache_entry *entry = &set->entries[i];
        if (set->marks[i] != mark || entry->keys != keys)
            continue;
        struct sha256 digest = sha256(text);
        if (!secret_equal(entry->digest.bytes, digest.bytes, sizeof digest.bytes))
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

void token_cache_put(struct token_cache *cache, struct str text, uint64_t keys,
                   const struct token_record *record)
{
    if (record->scope.len > TOKEN_CACHE_SCOPE_MAX)
        return;
    uint64_t mark = siphash(&cache->key, text);
    struct token_cache_set *set = &cache->sets[mark & (cache->count - 1)];
    size_t at = set->next++ % TOKEN_CACHE_WAYS;
    struct token_cache_entry *entry = &set->entries[at];
    set->marks[at] = mark;
    entry->digest = sha256(text);
    entry->keys = keys;
    entry->record = *record;
    if (record->scope.len)
        memcpy(entry->scope, record->scope.ptr, record->scope.len);
    entry->record.scope = STR_NONE;
    entry->record.scope.len = record->scope.len;
}
