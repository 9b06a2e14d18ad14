// SPDX-License-Identifier: Apache-2.0
// A bounded queue between threads: batches to the writer, reads to the readers. Putting never
// blocks; what does not fit is refused at once, so that a slow disk cannot eat the memory. It has
// two lines of the same room: what stands in the first one does not wait for the second.
#pragma once
#include <pthread.h>

#include "base/error.h"
#include "base/str.h"

enum queue_place { QUEUE_FIRST, QUEUE_SECOND, QUEUE_LINES };

struct queue_item {
    void *item;
    size_t bytes;
    int64_t put_us; // monotonic
};

struct queue_line {
    struct queue_item *ring;
    size_t head, count;
    size_t bytes;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct queue_line lines[QUEUE_LINES];
    size_t size, bytes_max; // of each line
    bool closed;
};

// A zeroed queue may be finished too.
enum twoleg_error queue_init(struct queue *queue, size_t size, size_t bytes_max) TWOLEG_MUST_CHECK;
void queue_finish(struct queue *queue);

// TWOLEG_STORE_BUSY: full. TWOLEG_STOPPING: closed. One item larger than all bytes together fits
// when it is alone in its line.
enum twoleg_error queue_put(struct queue *queue, enum queue_place place, void *item,
                            size_t bytes) TWOLEG_MUST_CHECK;
void *queue_take(struct queue *queue); // blocks; NULL once closed and empty
void *queue_try(struct queue *queue, enum queue_place place); // NULL when nothing is there
// One that was put in longer ago than that; else NULL.
void *queue_try_old(struct queue *queue, int64_t age_us);
// What is in it is still given out.
void queue_close(struct queue *queue);
bool queue_done(struct queue *queue); // closed and empty: nothing comes any more
