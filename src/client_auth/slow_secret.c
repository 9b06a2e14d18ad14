// SPDX-License-Identifier: Apache-2.0
#include "client_auth/slow_secret.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/compare.h"
#include "crypto/wipe.h"

// Powers of two. Who is right is remembered as long as there is room: all who ask, if they are not
// more than some ten thousand; their memory is touched as they come.
#define SLOW_MATCHES_PLACES 16384
#define SLOW_DIFFERS_PLACES 1024
// With one, fifty digests had two of one place every fourth time, and the older was forgotten.
#define SLOW_WAYS 4

// A digest, readable while it is written: what is half of one and half of another is nobody's.
struct slow_way {
    _Atomic uint64_t words[sizeof(struct sha256) / sizeof(uint64_t)];
};
#define SLOW_WORDS (sizeof(struct slow_way) / sizeof(uint64_t))

// The latest stands first.
struct slow_place {
    struct slow_way ways[SLOW_WAYS];
};

// Matches and differences apart: whoever guesses fills the one table, and those who are known stay
// known in the other.
struct slow_secret_cache {
    struct mac_key key;
    struct slow_place matches[SLOW_MATCHES_PLACES], differs[SLOW_DIFFERS_PLACES];
};

struct slow_secret_cache *slow_secret_cache_create(struct env *env)
{
    uint8_t key[32];
    struct slow_secret_cache *cache = calloc(1, sizeof *cache);
    bool made = cache && env_random(env, key, sizeof key) &&
                mac_key_init(&cache->key, key, sizeof key) == TWOLEG_NONE;
    wipe(key, sizeof key);
    if (made)
        return cache;
    free(cache);
    return NULL;
}

void slow_secret_cache_destroy(struct slow_secret_cache *cache)
{
    if (cache)
        wipe(cache, sizeof *cache);
    free(cache);
}

struct sha256 slow_secret_digest(const struct slow_secret_cache *cache,
                                 const struct secret *secret, const struct address *network,
                                 struct str presented)
{
    struct mac_state state;
    mac_begin(&state, &cache->key);
    mac_add_u64(&state, secret->number);
    mac_add_u64(&state, secret->slow_hash.len);
    mac_add(&state, secret->slow_hash);
    mac_add_u64(&state, network->family);
    mac_add(&state, str_of(network->bytes, sizeof network->bytes));
    mac_add(&state, presented);
    return mac_end(&state);
}

static size_t slow_secret_at(const struct sha256 *digest, size_t places)
{
    uint32_t word;
    memcpy(&word, digest->bytes, sizeof word);
    return word & (places - 1);
}

static struct sha256 slow_way_read(const struct slow_way *way)
{
    struct sha256 digest;
    for (size_t i = 0; i < SLOW_WORDS; i++) {
        uint64_t word = atomic_load_explicit(&way->words[i], memory_order_relaxed);
        memcpy(digest.bytes + i * sizeof word, &word, sizeof word);
    }
    return digest;
}

static void slow_way_write(struct slow_way *way, const struct sha256 *digest)
{
    for (size_t i = 0; i < SLOW_WORDS; i++) {
        uint64_t word;
        memcpy(&word, digest->bytes + i * sizeof word, sizeof word);
        atomic_store_explicit(&way->words[i], word, memory_order_relaxed);
    }
}

static bool slow_place_has(const struct slow_place *place, const struct sha256 *digest)
{
    bool has = false;
    for (size_t i = 0; i < SLOW_WAYS; i++) {
        struct sha256 kept = slow_way_read(&place->ways[i]);
        has |= secret_equal(kept.bytes, digest->bytes, sizeof digest->bytes);
    }
    return has;
}

static void slow_place_put(struct slow_place *place, const struct sha256 *digest)
{
    if (slow_place_has(place, digest))
        return;
    for (size_t i = SLOW_WAYS - 1; i > 0; i--) {
        struct sha256 older = slow_way_read(&place->ways[i - 1]);
        slow_way_write(&place->ways[i], &older);
    }
    slow_way_write(&place->ways[0], digest);
}

enum slow_secret_known slow_secret_find(const struct slow_secret_cache *cache,
                                        const struct sha256 *digest)
{
    size_t match = slow_secret_at(digest, SLOW_MATCHES_PLACES);
    size_t difference = slow_secret_at(digest, SLOW_DIFFERS_PLACES);
    bool matches = slow_place_has(&cache->matches[match], digest);
    bool differs = slow_place_has(&cache->differs[difference], digest);
    return matches ? SLOW_MATCHES : differs ? SLOW_DIFFERS : SLOW_UNKNOWN;
}

enum slow_secret_known slow_outcome_find(const struct slow_outcome *outcomes,
                                         const struct sha256 *digest)
{
    for (const struct slow_outcome *each = outcomes; each; each = each->next)
        if (secret_equal(each->digest.bytes, digest->bytes, sizeof digest->bytes))
            return each->matches ? SLOW_MATCHES : SLOW_DIFFERS;
    return SLOW_UNKNOWN;
}

void slow_secret_put(struct slow_secret_cache *cache, const struct sha256 *digest, bool matches)
{
    size_t match = slow_secret_at(digest, SLOW_MATCHES_PLACES);
    size_t difference = slow_secret_at(digest, SLOW_DIFFERS_PLACES);
    slow_place_put(matches ? &cache->matches[match] : &cache->differs[difference], digest);
}
