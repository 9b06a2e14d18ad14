// SPDX-License-Identifier: Apache-2.0
// An open-addressing table of pointers, found by a 64-bit key that lies inside each entry. Readers
// take no lock (but hold the epoch); writers are serialised by their own lock.
#pragma once
#include <stdatomic.h>

#include "base/epoch.h"
#include "base/error.h"

struct pointer_cells;

struct pointer_table {
    _Atomic(struct pointer_cells *) cells;
    size_t key_offset; // of the uint64_t key in an entry
    size_t live;       // entries; writers only
    size_t used;       // cells that are not empty: entries and removed ones
};

enum twoleg_error pointer_table_init(struct pointer_table *table,
                                     size_t key_offset) TWOLEG_MUST_CHECK;
void pointer_table_finish(struct pointer_table *table); // the entries are the caller's

// All entries of one key, one after the other: keys need not be unique.
struct pointer_search {
    const struct pointer_cells *cells;
    size_t key_offset;
    uint64_t key;
    size_t at;
    size_t left; // cells not looked at yet
};
struct pointer_search pointer_table_search(const struct pointer_table *table, uint64_t key);
void *pointer_search_next(struct pointer_search *search); // NULL: no more
void *pointer_table_find(const struct pointer_table *table, uint64_t key);

// The entry is whole before it is added: readers see it at once. NO_MEMORY: nothing changed.
enum twoleg_error pointer_table_add(struct pointer_table *table, struct epoch *epoch,
                                    void *entry) TWOLEG_MUST_CHECK;
// No new reader finds it; it is the caller's to retire. An entry that is not there is no error.
void pointer_table_remove(struct pointer_table *table, const void *entry);

// Every entry, for writers: *at starts with 0; NULL at the end.
void *pointer_table_each(const struct pointer_table *table, size_t *at);
