// SPDX-License-Identifier: Apache-2.0
#include "store/queue.h"

#include <stdlib.h>

#include "base/env.h"
#include "base/fault.h"

enum twoleg_error queue_init(struct queue *queue, size_t size, size_t bytes_max)
{
    *queue = (struct queue){.size = size ? size : 1, .bytes_max = bytes_max};
    struct queue_item *rings =
        fault_here(FAULT_MEMORY) ? NULL : calloc(queue->size * QUEUE_LINES, sizeof *rings);
    if (!rings)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < QUEUE_LINES; i++)
        queue->lines[i].ring = rings + i * queue->size;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    return TWOLEG_NONE;
}

void queue_finish(struct queue *queue)
{
    if (!queue->lines[0].ring)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    free(queue->lines[0].ring); // and what follows it
    *queue = (struct queue){0};
}

enum twoleg_error queue_put(struct queue *queue, enum queue_place place, void *item, size_t bytes)
{
    struct queue_line *line = &queue->lines[place];
    enum twoleg_error error = TWOLEG_NONE;
    pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        error = TWOLEG_STOPPING;
    } else if (line->count == queue->size ||
               (line->count && line->bytes + bytes > queue->bytes_max)) {
        error = TWOLEG_STORE_BUSY;
    } else {
        size_t at = (line->head + line->count) % queue->size;
        line->ring[at] = (struct queue_item){item, bytes, env_mono()};
        line->count++;
        line->bytes += bytes;
    }
    pthread_mutex_unlock(&queue->lock);
    // Not before: who wakes up at once, on this core, would find the lock held and sleep again.
    if (!error)
        pthread_cond_signal(&queue->filled);
    return error;
}

static void *queue_pop(struct queue *queue, enum queue_place place)
{
    struct queue_line *line = &queue->lines[place];
    if (!line->count)
        return NULL;
    struct queue_item taken = line->ring[line->head];
    line->head = (line->head + 1) % queue->size;
    line->count--;
    line->bytes -= taken.bytes;
    return taken.item;
}

static bool queue_is_empty(const struct queue *queue)
{
    return !queue->lines[QUEUE_FIRST].count && !queue->lines[QUEUE_SECOND].count;
}

void *queue_take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue_is_empty(queue) && !queue->closed)
        pthread_cond_wait(&queue->filled, &queue->lock);
    void *item = queue_pop(queue, QUEUE_FIRST);
    if (!item)
        item = queue_pop(queue, QUEUE_SECOND);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_try(struct queue *queue, enum queue_place place)
{
    pthread_mutex_lock(&queue->lock);
    void *item = queue_pop(queue, place);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_try_old(struct queue *queue, int64_t age_us)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    int64_t oldest_us = env_mono() - age_us;
    for (enum queue_place place = 0; place < QUEUE_LINES && !item; place++) {
        const struct queue_line *line = &queue->lines[place];
        if (line->count && line->ring[line->head].put_us < oldest_us)
            item = queue_pop(queue, place);
    }
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
    bool done = queue->closed && queue_is_empty(queue);
    pthread_mutex_unlock(&queue->lock);
    return done;
}
