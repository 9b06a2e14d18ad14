// SPDX-License-Identifier: Apache-2.0
#include "limit/limit.h"

#include <stdlib.h>

#define LIMIT_ROWS 4

// A cell holds the time at which its bucket will be full again (microseconds); a time that has
// passed means full.
struct limit_table {
    struct siphash_key hash;
    size_t mask;
    _Atomic int64_t cells[];
};

struct limit_rate limit_rate_of(const struct rate *rate)
{
    if (rate->count == 0)
        return (struct limit_rate){0, 0};
    return (struct limit_rate){rate->period_us / rate->count, rate->burst};
}

struct limit_table *limit_table_create(const struct siphash_key *hash, size_t cells)
{
    struct limit_table *table =
        calloc(1, sizeof *table + LIMIT_ROWS * cells * sizeof table->cells[0]);
    if (!table)
        return NULL;
    table->hash = *hash;
    table->mask = cells - 1;
    return table;
}

void limit_table_destroy(struct limit_table *table)
{
    free(table);
}

uint64_t limit_key(const struct limit_table *table, struct str first, uint64_t second)
{
    // The hash of a text that no text of another length can be taken for, bound to the number.
    uint64_t words[2] = {siphash(&table->hash, first), second};
    return siphash(&table->hash, str_of(words, sizeof words));
}

// Another rate has other cells: what was charged under a rate that a reload replaced says nothing
// under the new one, which starts anew. Rates come from nobody outside: no keyed hash is needed.
static uint64_t limit_place(uint64_t key, const struct limit_rate *rate)
{
    return key ^ ((uint64_t)rate->interval_us * UINT64_C(0x9e3779b97f4a7c15) +
                  rate->burst * UINT64_C(0xc2b2ae3d27d4eb4f));
}

// One hash gives the place in every row (Kirsch, Mitzenmacher: two halves, combined linearly).
static size_t limit_cell(const struct limit_table *table, uint64_t key, unsigned row)
{
    size_t step = (size_t)(key >> 32) | 1;
    size_t at = ((size_t)(uint32_t)key + row * step) & table->mask;
    return row * (table->mask + 1) + at;
}

int64_t limit_wait(const struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                   int64_t now_us)
{
    if (rate->burst == 0)
        return 0;
    int64_t full_at = INT64_MAX;
    uint64_t place = limit_place(key, rate);
    for (unsigned row = 0; row < LIMIT_ROWS; row++) {
        int64_t at = atomic_load_explicit(&table->cells[limit_cell(table, place, row)],
                                          memory_order_relaxed);
        full_at = at < full_at ? at : full_at;
    }
    int64_t wait_us = full_at - now_us - rate->interval_us * (int64_t)(rate->burst - 1);
    return wait_us > 0 ? wait_us : 0;
}

// Adds one interval, up to `most`. A cell that stands above it is another key's, with another rate
// or a clock that is read a moment later: it is never lowered.
static void limit_add(_Atomic int64_t *cell, int64_t interval_us, int64_t most, int64_t now_us)
{
    int64_t before = atomic_load_explicit(cell, memory_order_relaxed);
    int64_t after;
    do {
        after = (before > now_us ? before : now_us) + interval_us;
        after = after < most ? after : most;
        if (after <= before)
            return;
    } while (!atomic_compare_exchange_weak_explicit(cell, &before, after, memory_order_relaxed,
                                                    memory_order_relaxed));
}

// Every row gets every charge. To raise only the emptiest cells would make shared cells look less
// busy, but threads that charge in the same moment would then overwrite each other's charge.
void limit_charge(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                  int64_t now_us)
{
    if (rate->burst == 0)
        return;
    int64_t most = now_us + rate->interval_us * (int64_t)rate->burst;
    uint64_t place = limit_place(key, rate);
    for (unsigned row = 0; row < LIMIT_ROWS; row++)
        limit_add(&table->cells[limit_cell(table, place, row)], rate->interval_us, most, now_us);
}

int64_t limit_take(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                   int64_t now_us)
{
    int64_t wait_us = limit_wait(table, key, rate, now_us);
    if (wait_us == 0)
        limit_charge(table, key, rate, now_us);
    return wait_us;
}

// A time that has passed means full already, so nobody wins by what is returned late. A cell that
// stood at its most for others' sake loses an interval that it did not get: of one row, not of all.
void limit_return(struct limit_table *table, uint64_t key, const struct limit_rate *rate)
{
    if (rate->burst == 0)
        return;
    uint64_t place = limit_place(key, rate);
    for (unsigned row = 0; row < LIMIT_ROWS; row++)
        atomic_fetch_sub_explicit(&table->cells[limit_cell(table, place, row)],
                                  rate->interval_us, memory_order_relaxed);
}

int64_t limit_bucket_take(struct limit_bucket *bucket, const struct limit_rate *rate,
                          int64_t now_us)
{
    if (rate->burst == 0)
        return 0;
    int64_t most = now_us + rate->interval_us * (int64_t)rate->burst;
    int64_t before = atomic_load_explicit(&bucket->full_at, memory_order_relaxed);
    int64_t after, wait_us;
    do {
        int64_t full_at = before > now_us ? before : now_us;
        full_at = full_at < most ? full_at : most; // what a slower rate has left
        wait_us = full_at + rate->interval_us - most;
        after = wait_us > 0 ? full_at : full_at + rate->interval_us;
    } while (after != before &&
             !atomic_compare_exchange_weak_explicit(&bucket->full_at, &before, after,
                                                    memory_order_relaxed, memory_order_relaxed));
    return wait_us > 0 ? wait_us : 0;
}
