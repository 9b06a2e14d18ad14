// SPDX-License-Identifier: Apache-2.0
#include "store/queue.h"

#include <stdlib.h>

#include "base/env.h"
#include "base/fault.h"

enum twoleg_error queue_init(struct queue *queue, size_t size, size_t bytes_max)
{
    *queue = (struct queue){.size = size ? size : 1, .bytes_max = bytes_max};
    queue->ring = fault_here(FAULT_MEMORY) ? NULL : calloc(queue->size, sizeof *queue->ring);
    if (!queue->ring)
        return TWOLEG_NO_MEMORY;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    return TWOLEG_NONE;
}

void queue_finish(struct queue *queue)
{
    if (!queue->ring)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    free(queue->ring);
    queue->ring = NULL;
}

enum twoleg_error queue_put(struct queue *queue, void *item, size_t bytes)
{
    enum twoleg_error error = TWOLEG_NONE;
    pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        error = TWOLEG_STOPPING;
    } else if (queue->count == queue->size ||
               (queue->count && queue->bytes + bytes > queue->bytes_max)) {
        error = TWOLEG_STORE_BUSY;
    } else {
        size_t at = (queue->head + queue->count) % queue->size;
        queue->ring[at] = (struct queue_item){item, bytes, env_mono()};
        queue->count++;
        queue->bytes += bytes;
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->lock);
    return error;
}

static void *queue_pop(struct queue *queue)
{
    if (!queue->count)
        return NULL;
    struct queue_item taken = queue->ring[queue->head];
    queue->head = (queue->head + 1) % queue->size;
    queue->count--;
    queue->bytes -= taken.bytes;
    return taken.item;
}

void *queue_take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->count && !queue->closed)
        pthread_cond_wait(&queue->filled, &queue->lock);
    void *item = queue_pop(queue);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_try(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    void *item = queue_pop(queue);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_try_old(struct queue *queue, int64_t age_us)
{
    pthread_mutex_lock(&queue->lock);
    bool old = queue->count && queue->ring[queue->head].put_us < env_mono() - age_us;
    void *item = old ? queue_pop(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_done(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool done = queue->closed && !queue->count;
    pthread_mutex_unlock(&queue->lock);
    return done;
}
