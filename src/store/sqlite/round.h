// SPDX-License-Identifier: Apache-2.0
// One transaction of the writer and what it gathers: the changes to publish and, per batch, the
// rows that were touched. A refused batch is taken out of it again.
#pragma once
#include "store/sqlite/revoked_counts.h"
#include "store/sqlite/statement.h"
#include "store/store.h"

// An application or API that the batch has changed, with its row version from before, so that all
// verbs of one batch are held against the version that their sender saw.
struct round_touched {
    struct round_touched *next;
    uint64_t number;
    uint64_t version;
};

// A look through the applications that hold something, for those that are deleted. After one was,
// two: a token that was on its way then comes behind the first one. One that is under way goes on,
// and is the first: were it begun anew with each change, it might never come to its end.
struct round_sweep {
    unsigned left; // to be made
    int64_t from;  // where the one under way goes on, in the store's order
};
#define ROUND_SWEEPS 2

struct round {
    struct database *database;
    struct arena arena; // texts of the changes; what verbs read
    struct store_change *changes;
    size_t change_count, change_cap;
    // Of the batch that is being run
    int64_t now_us;
    uint64_t sequence;
    struct round_touched *touched;
    struct store_purged purged;
    // Kept over rounds; see verb_revoke.c.
    struct revoked_counts revoked;
    // Likewise; see verb_token.c.
    struct round_sweep tokens; // of those that never expire
    struct round_sweep revocations;
};

void round_init(struct round *round, struct database *database);
void round_clear(struct round *round); // for the next transaction
void round_finish(struct round *round);

// Writes the change into the feed, in this transaction, and notes it for publication. The texts in
// it are copied. sequence is filled in here.
enum twoleg_error round_change(struct round *round,
                               const struct store_change *change) TWOLEG_MUST_CHECK;
// Takes out the changes from the given count on.
void round_undo(struct round *round, size_t change_count);

// Held against the version that the verb expects, and noted: ret_first is true at its first time in
// this batch.
enum twoleg_error round_touch(struct round *round, uint64_t number, uint64_t version,
                              uint64_t expected, bool *ret_first) TWOLEG_MUST_CHECK;
