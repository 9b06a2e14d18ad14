// SPDX-License-Identifier: Apache-2.0
// A bounded queue between threads: batches to the writer, reads to the readers. Putting never
// blocks; what does not fit is refused at once, so that a slow disk cannot eat the memory.
#pragma once
#include <pthread.h>

#include "base/error.h"
#include "base/str.h"

struct queue_item {
    void *item;
    size_t bytes;
    int64_t put_us; // monotonic
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct queue_item *ring;
    size_t size, head, count;
    size_t bytes, bytes_max;
    bool closed;
};

// A zeroed queue may be finished too.
enum twoleg_error queue_init(struct queue *queue, size_t size, size_t bytes_max) TWOLEG_MUST_CHECK;
void queue_finish(struct queue *queue);

// TWOLEG_STORE_BUSY: full. TWOLEG_STOPPING: closed. One item larger than all bytes together fits
// when it is alone.
enum twoleg_error queue_put(struct queue *queue, void *item, size_t bytes) TWOLEG_MUST_CHECK;
void *queue_take(struct queue *queue); // blocks; NULL once closed and empty
void *queue_try(struct queue *queue);  // NULL when nothing is there
// The first, if it was put in longer ago than that; else NULL.
void *queue_try_old(struct queue *queue, int64_t age_us);
// What is in it is still given out.
void queue_close(struct queue *queue);
bool queue_done(struct queue *queue); // closed and empty: nothing comes any more
