// SPDX-License-Identifier: Apache-2.0
// Memory of one request (or one command): slabs of 4 KiB from a pool, chained up to a cap, given
// back all at once. Nothing in an arena outlives the request.
#pragma once
#include <stddef.h>

#include "base/str.h"

#define ARENA_SLAB_SIZE ((size_t)4096)
#define ARENA_REQUEST_CAP ((size_t)128 * 1024)

struct arena_slab;

// Free slabs of one thread. A pool is not shared between threads.
struct arena_pool {
    struct arena_slab *free;
    size_t free_count;
    size_t keep; // free slabs kept; more are returned to the system
    size_t released; // bytes given back to malloc; the pool's owner sets it back
};

void arena_pool_init(struct arena_pool *pool, size_t keep);
void arena_pool_finish(struct arena_pool *pool);

struct arena {
    struct arena_pool *pool; // NULL: slabs come from malloc and go back to free
    struct arena_slab *slabs;
    char *at;
    size_t left;
    size_t total;
    size_t cap;
    bool wipe;    // zero every slab before it is given back (it held a secret)
    bool refused; // the cap or the system's memory refused an allocation
};

void arena_init(struct arena *arena, struct arena_pool *pool, size_t cap);
void arena_finish(struct arena *arena); // frees all; the arena can be used again

// Gives one allocation back before the end. Only what was larger than a slab has memory of its own;
// of anything smaller nothing happens.
void arena_drop(struct arena *arena, const void *at);

// Of the newest allocation no more than this is kept: what is allocated next stands right behind.
// False, and nothing done, where it has a slab of its own.
bool arena_shrink(struct arena *arena, const void *newest, size_t size);

// Aligned to 16 bytes; NULL at the cap or when the system has no more. Not zeroed.
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
// count * size, refused on overflow; zeroed.
void *arena_array(struct arena *arena, size_t count, size_t size);
// A copy with a NUL behind it; STR_NONE when it does not fit.
struct str arena_copy(struct arena *arena, struct str text);
