// SPDX-License-Identifier: Apache-2.0
// A set of 16-byte ids, each with the second in which it may be forgotten: the revocations. Readers
// take no lock (but hold the epoch); 24 bytes per cell, at most 7 of 10 cells used.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/epoch.h"
#include "base/error.h"
#include "base/siphash.h"

struct id_cells;

struct id_key {
    uint64_t word[2];
};

struct id_entry {
    struct id_key key;
    int64_t expires_s; // 0: never
};

struct id_set {
    pthread_mutex_t lock; // of the writers
    _Atomic(struct id_cells *) cells;
    struct epoch *epoch;
    struct siphash_key hash;
    _Atomic size_t count;
};

enum twoleg_error id_set_init(struct id_set *set, struct epoch *epoch,
                              const struct siphash_key *hash) TWOLEG_MUST_CHECK;
void id_set_finish(struct id_set *set); // zeroed memory accepted

bool id_set_has(const struct id_set *set, struct id_key key);
// expires_s 0: never. An id that is there keeps the later of both times. NO_MEMORY: not added.
enum twoleg_error id_set_add(struct id_set *set, struct id_key key,
                             int64_t expires_s) TWOLEG_MUST_CHECK;
// The same for up to ID_SET_MANY at once, in a fraction of the time. NO_MEMORY: none was added.
#define ID_SET_MANY ((size_t)64)
enum twoleg_error id_set_add_many(struct id_set *set, const struct id_entry *entries,
                                  size_t count) TWOLEG_MUST_CHECK;
// Room for so many in all, so that a long list does not make the cells grow again and again.
enum twoleg_error id_set_reserve(struct id_set *set, size_t entries) TWOLEG_MUST_CHECK;
// Forgets what expired before the second. Without memory for the copy everything stays.
void id_set_purge(struct id_set *set, int64_t before_s);
