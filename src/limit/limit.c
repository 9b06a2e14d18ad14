// SPDX-License-Identifier: Apache-2.0
#include "limit/limit.h"

#include <stdlib.h>

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

struct limit_rate limit_rate_times(const struct limit_rate *rate, uint32_t times)
{
    uint64_t burst = (uint64_t)rate->burst * times;
    return (struct limit_rate){(rate->interval_us + times - 1) / times,
                               burst < UINT32_MAX ? (uint32_t)burst : UINT32_MAX};
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
// or a clock that is read a moment later: it is never lowered. Returns how much was added to what
// was owed.
static int64_t limit_add(_Atomic int64_t *cell, int64_t interval_us, int64_t most, int64_t now_us)
{
    int64_t before = atomic_load_explicit(cell, memory_order_relaxed);
    int64_t owed, after;
    do {
        owed = before > now_us ? before : now_us;
        after = owed + interval_us;
        after = after < most ? after : most;
        if (after <= before)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(cell, &before, after, memory_order_relaxed,
                                                    memory_order_relaxed));
    return after - owed;
}

// Every row gets every charge. To raise only the emptiest cells would make shared cells look less
// busy, but threads that charge in the same moment would then overwrite each other's charge.
static void limit_charge_rows(struct limit_taken *taken, int64_t now_us)
{
    const struct limit_rate *rate = &taken->rate;
    int64_t most = now_us + rate->interval_us * (int64_t)rate->burst;
    uint64_t place = limit_place(taken->key, rate);
    for (unsigned row = 0; row < LIMIT_ROWS; row++)
        taken->added_us[row] = limit_add(&taken->table->cells[limit_cell(taken->table, place, row)],
                                         rate->interval_us, most, now_us);
}

void limit_charge(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                  int64_t now_us)
{
    struct limit_taken taken = {table, key, *rate, {0}};
    if (rate->burst)
        limit_charge_rows(&taken, now_us);
}

int64_t limit_take(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                   int64_t now_us, struct limit_taken *ret_taken)
{
    int64_t wait_us = limit_wait(table, key, rate, now_us);
    struct limit_taken taken = {table, key, *rate, {0}};
    if (wait_us)
        return wait_us;
    if (rate->burst)
        limit_charge_rows(&taken, now_us);
    if (ret_taken)
        *ret_taken = taken;
    return 0;
}

// What time has given back meanwhile is given back once more: whoever returns it late, after the
// bucket was full again, wins one. A cell that stood at its most for another key's sake got less,
// or nothing, and gives back no more.
void limit_return(const struct limit_taken *taken)
{
    if (!taken->table)
        return;
    uint64_t place = limit_place(taken->key, &taken->rate);
    for (unsigned row = 0; row < LIMIT_ROWS; row++)
        atomic_fetch_sub_explicit(&taken->table->cells[limit_cell(taken->table, place, row)],
                                  taken->added_us[row], memory_order_relaxed);
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

void limit_bucket_return(struct limit_bucket *bucket, int64_t interval_us)
{
    atomic_fetch_sub_explicit(&bucket->full_at, interval_us, memory_order_relaxed);
}
