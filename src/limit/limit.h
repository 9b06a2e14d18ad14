// SPDX-License-Identifier: Apache-2.0
// Rates kept in a table of fixed size, without a lock and without keys: several rows of cells, each
// key has one cell in every row, and the emptiest of them counts. Keys that share a cell can only
// make each other look busier, never reset each other, so flooding the table wins nothing and
// takes no memory.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "base/siphash.h"
#include "codec/rate.h"

#define LIMIT_ROWS 4

struct limit_table;

// `burst` at once, then one each interval (the generic cell rate algorithm). A burst of 0 means no
// limit at all.
struct limit_rate {
    int64_t interval_us;
    uint32_t burst;
};

struct limit_rate limit_rate_of(const struct rate *rate);
// So many times as many, at once and in any time.
struct limit_rate limit_rate_times(const struct limit_rate *rate, uint32_t times);

// cells: of each row, a power of two up to 2^32; their memory is touched as keys come. NULL without
// memory.
struct limit_table *limit_table_create(const struct siphash_key *hash, size_t cells);
void limit_table_destroy(struct limit_table *table); // NULL is fine

// The key of a pair: what `first` is (an address, an id), and a number beside it. Whoever puts
// several kinds of things into one table tells them apart by the number.
uint64_t limit_key(const struct limit_table *table, struct str first, uint64_t second);

// Each rate is counted by itself: whoever is asked for under another one starts anew.

// When is there one again? In so many microseconds from now (a clock that never goes back); 0: now.
int64_t limit_wait(const struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                   int64_t now_us);
// Takes one, whether any is left or not; what is owed is bounded by one burst. No charge is lost,
// however many threads charge at once.
void limit_charge(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                  int64_t now_us);
// One that was taken, and may be given back; zeroed memory is none. The table must outlive it.
struct limit_taken {
    struct limit_table *table;
    uint64_t key;
    struct limit_rate rate;
    int64_t added_us[LIMIT_ROWS]; // what each row really got
};

// Takes one if there is one and returns 0, else as limit_wait. Threads that ask in the same moment
// may all get the last one: one too many for each further thread, and that is charged too.
// ret_taken may be NULL, and is only set when one was taken.
int64_t limit_take(struct limit_table *table, uint64_t key, const struct limit_rate *rate,
                   int64_t now_us, struct limit_taken *ret_taken);
// Gives it back, for what was not done after all: at once, since beside what time gives back anyway
// each that is returned late is one more.
void limit_return(const struct limit_taken *taken);

// A bucket of its own, for what has a place to keep one: nobody else can make it look busy. Zeroed
// memory is a full one. Exact, however many threads take at once.
struct limit_bucket {
    _Atomic int64_t full_at; // as a cell
};

// As limit_take. A rate that is another one than before counts from now on: under it nobody owes
// more than its burst.
int64_t limit_bucket_take(struct limit_bucket *bucket, const struct limit_rate *rate,
                          int64_t now_us);
// Gives back one that was taken at a rate of this interval, as limit_return.
void limit_bucket_return(struct limit_bucket *bucket, int64_t interval_us);
