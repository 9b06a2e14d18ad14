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

#define ID_CELLS_PAGE (4096 / sizeof(struct id_cell)) // at least one in each page

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
    if (!cells)
        return NULL;
    cells->mask = count - 1;
    // Written to now, in turn: a page that is read before it is written is a page of zeroes first,
    // and taking that away from one thread interrupts all others of the process.
    for (size_t i = 0; i < count; i += ID_CELLS_PAGE)
        atomic_store_explicit(&cells->cell[i].until, 0, memory_order_relaxed);
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

static void id_cells_put(struct id_cells *cells, size_t home, const struct id_entry *entry)
{
    struct id_cell *cell = (struct id_cell *)id_cells_find(cells, home, entry->key);
    int64_t before = atomic_load_explicit(&cell->until, memory_order_relaxed);
    int64_t until = entry->expires_s > 0 ? entry->expires_s : ID_NEVER;
    if (before == 0) {
        atomic_store_explicit(&cell->word[0], entry->key.word[0], memory_order_relaxed);
        atomic_store_explicit(&cell->word[1], entry->key.word[1], memory_order_relaxed);
        cells->used++;
    }
    if (until > before)
        atomic_store_explicit(&cell->until, until, memory_order_release);
}

// Where an id belongs is nearly never in the processor's cache: with many their cells are fetched
// together instead of one after the other.
static void id_cells_put_many(const struct id_set *set, struct id_cells *cells,
                              const struct id_entry *entries, size_t count)
{
    size_t home[ID_SET_MANY];
    for (size_t i = 0; i < count; i++) {
        home[i] = id_set_home(set, entries[i].key);
        __builtin_prefetch(&cells->cell[home[i] & cells->mask], 1);
    }
    for (size_t i = 0; i < count; i++)
        id_cells_put(cells, home[i], &entries[i]);
}

static struct id_key id_cell_key(const struct id_cell *cell)
{
    struct id_key key;
    for (size_t i = 0; i < 2; i++)
        key.word[i] = atomic_load_explicit(&cell->word[i], memory_order_relaxed);
    return key;
}

// What is in the old ones but expired before the second.
static void id_cells_take_over(const struct id_set *set, struct id_cells *cells,
                               const struct id_cells *old, int64_t before_s)
{
    struct id_entry kept[ID_SET_MANY];
    size_t count = 0;
    for (size_t i = 0; i <= old->mask; i++) {
        const struct id_cell *cell = &old->cell[i];
        int64_t until = atomic_load_explicit(&cell->until, memory_order_relaxed);
        if (until <= before_s)
            continue;
        kept[count++] = (struct id_entry){id_cell_key(cell), until};
        if (count == ID_SET_MANY) {
            id_cells_put_many(set, cells, kept, count);
            count = 0;
        }
    }
    id_cells_put_many(set, cells, kept, count);
}

// New cells with room for so many at least, and without what expired before the second. Somewhat
// more room than what is kept needs: the next copy is not due at once.
static struct id_cells *id_set_copy(const struct id_set *set, const struct id_cells *old,
                                    size_t entries, int64_t before_s)
{
    size_t kept = 0;
    for (size_t i = 0; i <= old->mask; i++)
        kept += atomic_load_explicit(&old->cell[i].until, memory_order_relaxed) > before_s;
    size_t room = kept + kept / 2;
    struct id_cells *fresh = id_cells_create(entries > room ? entries : room);
    if (fresh)
        id_cells_take_over(set, fresh, old, before_s);
    return fresh;
}

static void id_set_swap(struct id_set *set, struct id_cells *old, struct id_cells *fresh)
{
    atomic_store_explicit(&set->cells, fresh, memory_order_release);
    atomic_store_explicit(&set->count, fresh->used, memory_order_relaxed);
    epoch_retire(set->epoch, &old->note, free);
}

// Under the lock. NULL without memory: nothing has changed.
static struct id_cells *id_set_grow(struct id_set *set, size_t entries)
{
    struct id_cells *cells = atomic_load_explicit(&set->cells, memory_order_relaxed);
    if (entries * 10 <= (cells->mask + 1) * 7)
        return cells;
    struct id_cells *fresh = id_set_copy(set, cells, entries, 0);
    if (fresh)
        id_set_swap(set, cells, fresh);
    return fresh;
}

enum twoleg_error id_set_reserve(struct id_set *set, size_t entries)
{
    pthread_mutex_lock(&set->lock);
    const struct id_cells *cells = id_set_grow(set, entries);
    pthread_mutex_unlock(&set->lock);
    return cells ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

enum twoleg_error id_set_add_many(struct id_set *set, const struct id_entry *entries, size_t count)
{
    pthread_mutex_lock(&set->lock);
    size_t used = atomic_load_explicit(&set->cells, memory_order_relaxed)->used;
    struct id_cells *cells = id_set_grow(set, used + count);
    if (cells) {
        id_cells_put_many(set, cells, entries, count);
        atomic_store_explicit(&set->count, cells->used, memory_order_relaxed);
    }
    pthread_mutex_unlock(&set->lock);
    return cells ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

enum twoleg_error id_set_add(struct id_set *set, struct id_key key, int64_t expires_s)
{
    return id_set_add_many(set, &(struct id_entry){key, expires_s}, 1);
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
