// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/env.h"
#include "base/priority.h"

#define POOL_THREADS_MAX 16

// Each has threads of its own: for those who have proved who they are, and for those who are to
// prove it. Guessers keep the latter busy, with an imported hash for more than a second each, and
// the former must not wait behind it.
enum pool_line_kind { POOL_PROVEN, POOL_ASKED, POOL_LINES };

struct pool_line {
    struct pool *pool;
    pthread_cond_t work;
    struct pool_job *first, **last;
    size_t count;
    unsigned thread_count;
    pthread_t threads[POOL_THREADS_MAX];
};

struct pool {
    pthread_mutex_t lock;
    struct pool_line lines[POOL_LINES];
    size_t queue_max;
    int64_t wait_us;
    bool stopping;
};

static struct pool_job *pool_take(struct pool_line *line)
{
    struct pool *pool = line->pool;
    pthread_mutex_lock(&pool->lock);
    while (!line->first && !pool->stopping)
        pthread_cond_wait(&line->work, &pool->lock);
    struct pool_job *job = line->first;
    if (job) {
        line->first = job->next;
        line->last = line->first ? line->last : &line->first;
        line->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *pool_main(void *context)
{
    struct pool_line *line = context;
    int64_t wait_us = line->pool->wait_us;
    bool asked = line == &line->pool->lines[POOL_ASKED];
    priority_lower(asked ? PRIORITY_LAST : PRIORITY_FAR_BEHIND);
    struct pool_job *job;
    while ((job = pool_take(line))) {
        job->late = wait_us && env_boot() - job->queued_us > wait_us;
        job->run(job);
        // While nobody wakes up, Linux asks whose turn it is at its tick only, 4 ms apart: a worker
        // that was overtaken in the middle of its work would wait for that.
        sched_yield();
    }
    return NULL;
}

static void pool_start_line(struct pool *pool, struct pool_line *line, unsigned threads)
{
    line->pool = pool;
    line->last = &line->first;
    pthread_cond_init(&line->work, NULL);
    while (line->thread_count < threads &&
           pthread_create(&line->threads[line->thread_count], NULL, pool_main, line) == 0)
        line->thread_count++;
}

enum twoleg_error pool_create(unsigned threads, size_t queue_max, int64_t wait_us,
                              struct pool **ret_pool)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return TWOLEG_NO_MEMORY;
    pthread_mutex_init(&pool->lock, NULL);
    pool->queue_max = queue_max;
    pool->wait_us = wait_us;
    threads = threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : threads;
    for (size_t i = 0; i < POOL_LINES; i++)
        pool_start_line(pool, &pool->lines[i], threads);
    if (!pool->lines[POOL_PROVEN].thread_count || !pool->lines[POOL_ASKED].thread_count) {
        pool_destroy(pool);
        return TWOLEG_NO_MEMORY;
    }
    *ret_pool = pool;
    return TWOLEG_NONE;
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    for (size_t i = 0; i < POOL_LINES; i++)
        pthread_cond_broadcast(&pool->lines[i].work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < POOL_LINES; i++) {
        for (unsigned k = 0; k < pool->lines[i].thread_count; k++)
            pthread_join(pool->lines[i].threads[k], NULL);
        pthread_cond_destroy(&pool->lines[i].work);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

// Under the lock. A line is short, so counting it is cheaper than keeping counts. The other line is
// not looked at: whose secret is guessed at has a share of its own once it has proved who it is.
static bool pool_has_share(const struct pool_line *line, const struct pool_job *job)
{
    size_t owned = 0, asked = 0;
    for (const struct pool_job *each = line->first; each; each = each->next) {
        owned += job->owner && each->owner == job->owner;
        asked += job->asker && each->asker == job->asker;
    }
    size_t share = line->pool->queue_max / 4 ? line->pool->queue_max / 4 : 1;
    return owned < share && asked < share;
}

// Neither line takes a place of the other's. That of those who have proved nothing is shorter by a
// quarter, since what waits there is longer.
static bool pool_has_room(const struct pool_line *line, const struct pool_job *job)
{
    size_t most = line->pool->queue_max;
    return line->count < (job->asker ? most - most / 4 : most) && pool_has_share(line, job);
}

enum twoleg_error pool_submit(struct pool *pool, struct pool_job *job)
{
    enum twoleg_error error = TWOLEG_NONE;
    struct pool_line *line = &pool->lines[job->asker ? POOL_ASKED : POOL_PROVEN];
    pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        error = TWOLEG_STOPPING;
    } else if (!pool_has_room(line, job)) {
        error = TWOLEG_OVERLOADED;
    } else {
        job->next = NULL;
        job->queued_us = env_boot();
        *line->last = job;
        line->last = &job->next;
        line->count++;
        pthread_cond_signal(&line->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return error;
}
