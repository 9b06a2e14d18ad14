// SPDX-License-Identifier: Apache-2.0
#include "registry/pointer_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define CELLS_FIRST ((size_t)64)

struct pointer_cells {
    struct epoch_note note;
    size_t mask;
    _Atomic(void *) cell[];
};

// Stands where an entry was: a search goes on behind it.
static char pointer_removed;

static struct pointer_cells *pointer_cells_create(size_t count)
{
    struct pointer_cells *cells = NULL;
    if (!fault_here(FAULT_MEMORY))
        cells = calloc(1, sizeof *cells + count * sizeof cells->cell[0]);
    if (cells)
        cells->mask = count - 1;
    return cells;
}

enum twoleg_error pointer_table_init(struct pointer_table *table, size_t key_offset)
{
    *table = (struct pointer_table){.key_offset = key_offset};
    struct pointer_cells *cells = pointer_cells_create(CELLS_FIRST);
    if (!cells)
        return TWOLEG_NO_MEMORY;
    atomic_store_explicit(&table->cells, cells, memory_order_release);
    return TWOLEG_NONE;
}

void pointer_table_finish(struct pointer_table *table)
{
    free(atomic_exchange(&table->cells, NULL));
}

static uint64_t pointer_key(const void *entry, size_t key_offset)
{
    uint64_t key;
    memcpy(&key, (const char *)entry + key_offset, sizeof key);
    return key;
}

// Keys are random numbers or keyed hashes, but small numbers occur too: the multiplication spreads
// them (Knuth, multiplicative hashing), and the upper half holds the well-mixed bits.
static size_t pointer_home(uint64_t key)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

struct pointer_search pointer_table_search(const struct pointer_table *table, uint64_t key)
{
    const struct pointer_cells *cells = atomic_load_explicit(&table->cells, memory_order_acquire);
    return (struct pointer_search){.cells = cells,
                                   .key_offset = table->key_offset,
                                   .key = key,
                                   .at = pointer_home(key),
                                   .left = cells->mask + 1};
}

void *pointer_search_next(struct pointer_search *search)
{
    while (search->left > 0) {
        search->left--;
        size_t at = search->at++ & search->cells->mask;
        void *entry = atomic_load_explicit(&search->cells->cell[at], memory_order_acquire);
        if (!entry)
            return NULL;
        if (entry != &pointer_removed && pointer_key(entry, search->key_offset) == search->key)
            return entry;
    }
    return NULL;
}

void *pointer_table_find(const struct pointer_table *table, uint64_t key)
{
    struct pointer_search search = pointer_table_search(table, key);
    return pointer_search_next(&search);
}

static void pointer_cells_put(struct pointer_cells *cells, uint64_t key, void *entry)
{
    size_t at = pointer_home(key) & cells->mask;
    while (atomic_load_explicit(&cells->cell[at], memory_order_relaxed))
        at = (at + 1) & cells->mask;
    atomic_store_explicit(&cells->cell[at], entry, memory_order_release);
}

// Replaces the cells by ones at most half full, without the removed ones.
static enum twoleg_error pointer_table_grow(struct pointer_table *table, struct epoch *epoch)
{
    size_t count = CELLS_FIRST;
    while (count < (table->live + 1) * 2)
        count *= 2;
    struct pointer_cells *fresh = pointer_cells_create(count);
    if (!fresh)
        return TWOLEG_NO_MEMORY;
    size_t at = 0;
    for (void *entry; (entry = pointer_table_each(table, &at));)
        pointer_cells_put(fresh, pointer_key(entry, table->key_offset), entry);
    struct pointer_cells *old = atomic_load_explicit(&table->cells, memory_order_relaxed);
    atomic_store_explicit(&table->cells, fresh, memory_order_release);
    table->used = table->live;
    epoch_retire(epoch, &old->note, free);
    return TWOLEG_NONE;
}

enum twoleg_error pointer_table_add(struct pointer_table *table, struct epoch *epoch, void *entry)
{
    struct pointer_cells *cells = atomic_load_explicit(&table->cells, memory_order_relaxed);
    if ((table->used + 1) * 10 > (cells->mask + 1) * 7) {
        enum twoleg_error error = pointer_table_grow(table, epoch);
        if (error)
            return error;
        cells = atomic_load_explicit(&table->cells, memory_order_relaxed);
    }
    pointer_cells_put(cells, pointer_key(entry, table->key_offset), entry);
    table->live++;
    table->used++;
    return TWOLEG_NONE;
}

void pointer_table_remove(struct pointer_table *table, const void *entry)
{
    struct pointer_cells *cells = atomic_load_explicit(&table->cells, memory_order_relaxed);
    size_t at = pointer_home(pointer_key(entry, table->key_offset)) & cells->mask;
    for (size_t i = 0; i <= cells->mask; i++, at = (at + 1) & cells->mask) {
        const void *each = atomic_load_explicit(&cells->cell[at], memory_order_relaxed);
        if (!each)
            return;
        if (each != entry)
            continue;
        atomic_store_explicit(&cells->cell[at], &pointer_removed, memory_order_release);
        table->live--;
        return;
    }
}

void *pointer_table_each(const struct pointer_table *table, size_t *at)
{
    const struct pointer_cells *cells = atomic_load_explicit(&table->cells, memory_order_acquire);
    while (cells && *at <= cells->mask) {
        void *entry = atomic_load_explicit(&cells->cell[(*at)++], memory_order_relaxed);
        if (entry && entry != &pointer_removed)
            return entry;
    }
    return NULL;
}
