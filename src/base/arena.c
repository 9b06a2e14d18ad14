// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

struct arena_slab {
    struct arena_slab *next;
    size_t size; // of the bytes behind this head
    alignas(16) char bytes[];
};

#define ARENA_SLAB_ROOM (ARENA_SLAB_SIZE - sizeof(struct arena_slab))

void arena_pool_init(struct arena_pool *pool, size_t keep)
{
    *pool = (struct arena_pool){.keep = keep};
}

void arena_pool_finish(struct arena_pool *pool)
{
    while (pool->free) {
        struct arena_slab *slab = pool->free;
        pool->free = slab->next;
        free(slab);
    }
    pool->free_count = 0;
}

static struct arena_slab *arena_slab_take(struct arena_pool *pool, size_t room)
{
    if (pool && pool->free && room == ARENA_SLAB_ROOM) {
        struct arena_slab *slab = pool->free;
        pool->free = slab->next;
        pool->free_count--;
        return slab;
    }
    size_t size;
    if (fault_here(FAULT_MEMORY) || __builtin_add_overflow(sizeof(struct arena_slab), room, &size))
        return NULL;
    struct arena_slab *slab = malloc(size);
    if (slab)
        slab->size = room;
    return slab;
}

static void arena_slab_give(struct arena_pool *pool, struct arena_slab *slab)
{
    if (!pool || slab->size != ARENA_SLAB_ROOM || pool->free_count >= pool->keep) {
        if (pool)
            pool->released += slab->size;
        free(slab);
        return;
    }
    slab->next = pool->free;
    pool->free = slab;
    pool->free_count++;
}

void arena_init(struct arena *arena, struct arena_pool *pool, size_t cap)
{
    *arena = (struct arena){.pool = pool, .cap = cap};
}

void arena_finish(struct arena *arena)
{
    size_t untouched = arena->left; // of the newest slab, which comes first
    while (arena->slabs) {
        struct arena_slab *slab = arena->slabs;
        arena->slabs = slab->next;
        if (arena->wipe)
            explicit_bzero(slab->bytes, slab->size - untouched);
        untouched = 0;
        arena_slab_give(arena->pool, slab);
    }
    arena_init(arena, arena->pool, arena->cap);
}

static bool arena_extend(struct arena *arena, size_t size)
{
    size_t room = size > ARENA_SLAB_ROOM ? size : ARENA_SLAB_ROOM;
    if (room > arena->cap - arena->total)
        return false;
    struct arena_slab *slab = arena_slab_take(arena->pool, room);
    if (!slab)
        return false;
    slab->next = arena->slabs;
    arena->slabs = slab;
    arena->at = slab->bytes;
    arena->left = slab->size;
    arena->total += slab->size;
    return true;
}

// What is larger than a slab stands alone, behind the newest slab: the rest of that stays in use.
static void *arena_alloc_own(struct arena *arena, size_t size)
{
    struct arena_slab *newest = arena->slabs;
    char *at = arena->at;
    size_t left = arena->left;
    if (!arena_extend(arena, size))
        return NULL;
    struct arena_slab *own = arena->slabs;
    if (newest) {
        own->next = newest->next;
        newest->next = own;
        arena->slabs = newest;
    }
    arena->at = at;
    arena->left = left;
    return own->bytes;
}

void arena_drop(struct arena *arena, const void *at)
{
    struct arena_slab **link = &arena->slabs;
    while (*link && (*link)->bytes != at)
        link = &(*link)->next;
    struct arena_slab *slab = *link;
    if (!slab || slab->size <= ARENA_SLAB_ROOM)
        return;
    *link = slab->next;
    arena->total -= slab->size;
    if (arena->wipe)
        explicit_bzero(slab->bytes, slab->size);
    arena_slab_give(arena->pool, slab);
}

static size_t arena_round(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

bool arena_shrink(struct arena *arena, const void *newest, size_t size)
{
    const char *start = newest;
    struct arena_slab *slab = arena->slabs;
    if (!slab || start < slab->bytes || start >= arena->at)
        return false;
    size_t had = (size_t)(arena->at - start);
    size_t back = had - arena_round(size);
    arena->at -= back;
    arena->left += back;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded;
    // Of no bytes too: a fresh arena has no place to point to, and NULL would mean no memory.
    bool overflow = __builtin_add_overflow(size ? size : 1, (size_t)15, &rounded);
    rounded &= ~(size_t)15;
    if (!overflow && rounded > ARENA_SLAB_ROOM && rounded <= arena->cap) {
        void *own = arena_alloc_own(arena, rounded);
        arena->refused |= !own;
        return own;
    }
    if (overflow ||
        (rounded > arena->left && (rounded > arena->cap || !arena_extend(arena, rounded)))) {
        arena->refused = true;
        return NULL;
    }
    char *at = arena->at;
    arena->at += rounded;
    arena->left -= rounded;
    return at;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    void *at = arena_alloc(arena, size);
    return at ? memset(at, 0, size) : NULL;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        arena->refused = true;
        return NULL;
    }
    return arena_zalloc(arena, bytes);
}

struct str arena_copy(struct arena *arena, struct str text)
{
    char *at = text.len == SIZE_MAX ? NULL : arena_alloc(arena, text.len + 1);
    if (!at)
        return STR_NONE;
    if (text.len)
        memcpy(at, text.ptr, text.len);
    at[text.len] = '\0';
    return str_of(at, text.len);
}
