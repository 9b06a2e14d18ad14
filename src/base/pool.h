// SPDX-License-Identifier: Apache-2.0
// Slow work (password hashes, RSA signatures) on a few threads of low priority, bounded: a full
// pool refuses at once instead of queueing into the next minute, and what has waited too long is
// not begun, since whoever asked for it has given up, or soon does.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pool;

// Embedded first in the caller's own struct, which belongs to the pool until run is called; run
// tells whoever waits, and frees.
struct pool_job {
    struct pool_job *next;
    void (*run)(struct pool_job *job);
    // Whom it is done for, and for whose sake it is asked (0 = nobody): no one of either may hold
    // more than a quarter of a queue, so that one victim's guessers do not shut out the others.
    // Jobs with an asker, who has proved nothing yet, have a queue and threads of their own, which
    // stand behind the others: a job without an asker should be a short one.
    uint64_t owner, asker;
    bool late;         // set before run, which then only tells: it is not worth its while any more
    int64_t queued_us; // the pool's own: when it was submitted (env_boot)
};

// So many threads for jobs with an asker, and so many for those without. A job that has waited
// longer than wait_us is late; 0: none ever is. queue_max is of the latter; of jobs with an asker
// three quarters of that may wait.
enum twoleg_error pool_create(unsigned threads, size_t queue_max, int64_t wait_us,
                              struct pool **ret_pool) TWOLEG_MUST_CHECK;
void pool_destroy(struct pool *pool); // runs what is queued first; NULL is fine
// TWOLEG_OVERLOADED when its queue, or the share of owner or asker in it, is full: the job is still
// the caller's.
enum twoleg_error pool_submit(struct pool *pool, struct pool_job *job) TWOLEG_MUST_CHECK;
