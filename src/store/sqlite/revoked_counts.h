// SPDX-License-Identifier: Apache-2.0
// How many revocations applications have, so that each one's are counted once and not for each that
// is added. What the counts may be wrong by is said in verb_revoke.c.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct revoked_count {
    uint64_t application, generation; // which the counts are of; 0: none yet
    int64_t live, kept;               // negative: not counted
    int64_t counted_s;                // when live was
};

// Places; when most are taken all are counted again.
#define REVOKED_COUNTS_MAX ((size_t)1 << 16)

struct revoked_counts {
    struct revoked_count *items; // open addressing; application 0: free
    size_t size, used;
    struct revoked_count single; // of one for which there was no memory
};

// The application's, not counted yet when it is new here. Good until the next call. Never fails:
// of those for which there is no memory one is remembered, the one that was asked for last.
struct revoked_count *revoked_counts_find(struct revoked_counts *counts, uint64_t application);
// As after a restart. Gives the memory back.
void revoked_counts_clear(struct revoked_counts *counts);
