// SPDX-License-Identifier: Apache-2.0
#include "registry/id_set.h"

#include <stdlib.h>

#include "base/fault.h"

#define ID_CELLS_FIRST ((size_t)16)
#define ID_NEVER INT64_MAX

// until is written last and read first: 0 = the cell is empty. Cells are never emptied in place; a
// purge makes new ones.
struct id_cell {
    _Atomic uint64_t word[2];
    _Atomic int64_t until;
};

struct id_cells {
    struct epoch_note note;
    size_t mask;
    size_t used; // writers only
    struct id_cell cell[];
};

static struct id_cells *id_cells_create(size_t entries)
{
    size_t count = ID_CELLS_FIRST;
    while (count * 7 < entries * 10)
        count *= 2;
    struct id_cells *cells = NULL;
    if (!fault_here(FAULT_MEMORY))
        cells = calloc(1, sizeof *cells + count * sizeof cells->cell[0]);
    if (cells)
        cells->mask = count - 1;
    return cells;
}

enum twoleg_error id_set_init(struct id_set *set, struct epoch *epoch,
                              const struct siphash_key *hash)
{
    *set = (struct id_set){.epoch = epoch, .hash = *hash};
    struct id_cells *cells = id_cells_create(0);
    if (!cells)
        return TWOLEG_NO_MEMORY;
    pthread_mutex_init(&set->lock, NULL);
    atomic_store(&set->cells, cells);
    return TWOLEG_NONE;
}

void id_set_finish(struct id_set *set)
{
    struct id_cells *cells = atomic_exchange(&set->cells, NULL);
    if (!cells)
        return;
    pthread_mutex_destroy(&set->lock);
    free(cells);
}

static size_t id_set_home(const struct id_set *set, struct id_key key)
{
    return (size_t)siphash(&set->hash, str_of(key.word, sizeof key.word));
}

// The key's cell, or the empty one where it belongs.
static const struct id_cell *id_cells_find(const struct id_cells *cells, size_t home,
                                           struct id_key key)
{
    for (size_t at = home;; at++) {
        const struct id_cell *cell = &cells->cell[at & cells->mask];
        if (atomic_load_explicit(&cell->until, memory_order_acquire) == 0)
            return cell;
        if (atomic_load_explicit(&cell->word[0], memory_order_relaxed) == key.word[0] &&
            atomic_load_explicit(&cell->word[1], memory_order_relaxed) == key.word[1])
            return cell;
    }
}

bool id_set_has(const struct id_set *set, struct id_key key)
{
    const struct id_cells *cells = atomic_load_explicit(&set->cells, memory_order_acquire);
    const struct id_cell *cell = id_cells_find(cells, id_set_home(set, key), key);
    return atomic_load_explicit(&cell->until, memory_order_relaxed) != 0;
}

static void id_cells_put(const struct id_set *set, struct id_cells *cells, struct id_key key,
                         int64_t until)
{
    struct id_cell *cell =
        (struct id_cell *)id_cells_find(cells, id_set_home(set, key), key);
    int64_t before = atomic_load_explicit(&cell->until, memory_order_relaxed);
    if (before == 0) {
        atomic_store_explicit(&cell->word[0], key.word[0], memory_order_relaxed);
        atomic_store_explicit(&cell->word[1], key.word[1], memory_order_relaxed);
        cells->used++;
    }
    if (until > before)
        atomic_store_explicit(&cell->until, until, memory_order_release);
}

// New cells with room for more, and without what expired before the second.
static struct id_cells *id_set_copy(const struct id_set *set, const struct id_cells *old,
                                    size_t more, int64_t before_s)
{
    size_t kept = 0;
    for (size_t i = 0; i <= old->mask; i++)
        kept += atomic_load_explicit(&old->cell[i].until, memory_order_relaxed) > before_s;
    struct id_cells *fresh = id_cells_create((kept + more) * 3 / 2);
    for (size_t i = 0; fresh && i <= old->mask; i++) {
        const struct id_cell *cell = &old->cell[i];
        int64_t until = atomic_load_explicit(&cell->until, memory_order_relaxed);
        struct id_key key = {{atomic_load_explicit(&cell->word[0], memory_order_relaxed),
                              atomic_load_explicit(&cell->word[1], memory_order_relaxed)}};
        if (until > before_s)
            id_cells_put(set, fresh, key, until);
    }
    return fresh;
}

static void id_set_swap(struct id_set *set, struct id_cells *old, struct id_cells *fresh)
{
    atomic_store_explicit(&set->cells, fresh, memory_order_release);
    atomic_store_explicit(&set->count, fresh->used, memory_order_relaxed);
    epoch_retire(set->epoch, &old->note, free);
}

enum twoleg_error id_set_add(struct id_set *set, struct id_key key, int64_t expires_s)
{
    pthread_mutex_lock(&set->lock);
    struct id_cells *cells = atomic_load_explicit(&set->cells, memory_order_relaxed);
    enum twoleg_error error = TWOLEG_NONE;
    if ((cells->used + 1) * 10 > (cells->mask + 1) * 7) {
        struct id_cells *fresh = id_set_copy(set, cells, 1, 0);
        if (fresh)
            id_set_swap(set, cells, fresh);
        else
            error = TWOLEG_NO_MEMORY;
        cells = fresh;
    }
    if (!error) {
        id_cells_put(set, cells, key, expires_s > 0 ? expires_s : ID_NEVER);
        atomic_store_explicit(&set->count, cells->used, memory_order_relaxed);
    }
    pthread_mutex_unlock(&set->lock);
    return error;
}

static bool id_cells_any_before(const struct id_cells *cells, int64_t before_s)
{
    for (size_t i = 0; i <= cells->mask; i++) {
        int64_t until = atomic_load_explicit(&cells->cell[i].until, memory_order_relaxed);
        if (until != 0 && until <= before_s)
            return true;
    }
    return false;
}

void id_set_purge(struct id_set *set, int64_t before_s)
{
    if (before_s <= 0)
        return;
    pthread_mutex_lock(&set->lock);
    struct id_cells *cells = atomic_load_explicit(&set->cells, memory_order_relaxed);
    struct id_cells *fresh = NULL;
    if (id_cells_any_before(cells, before_s))
        fresh = id_set_copy(set, cells, 0, before_s);
    if (fresh)
        id_set_swap(set, cells, fresh);
    pthread_mutex_unlock(&set->lock);
}
