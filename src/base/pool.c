// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/env.h"
#include "base/priority.h"

#define POOL_THREADS_MAX 16

// Two, which take turns: for those who have proved who they are, and for those who are to prove it.
// Guessers fill the latter, and the former must not wait behind it.
enum pool_line_kind { POOL_PROVEN, POOL_ASKED, POOL_LINES };

struct pool_line {
    struct pool_job *first, **last;
    size_t count;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct pool_line lines[POOL_LINES];
    enum pool_line_kind turn;
    size_t queue_max;
    int64_t wait_us;
    bool stopping;
    unsigned thread_count;
    pthread_t threads[POOL_THREADS_MAX];
};

// Under the lock.
static struct pool_job *pool_next(struct pool *pool)
{
    enum pool_line_kind other = pool->turn == POOL_ASKED ? POOL_PROVEN : POOL_ASKED;
    enum pool_line_kind kind = pool->lines[pool->turn].first ? pool->turn : other;
    struct pool_line *line = &pool->lines[kind];
    struct pool_job *job = line->first;
    if (!job)
        return NULL;
    line->first = job->next;
    line->last = line->first ? line->last : &line->first;
    line->count--;
    pool->turn = kind == POOL_ASKED ? POOL_PROVEN : POOL_ASKED;
    return job;
}

static struct pool_job *pool_take(struct pool *pool)
{
    struct pool_job *job;
    pthread_mutex_lock(&pool->lock);
    while (!(job = pool_next(pool)) && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *pool_main(void *context)
{
    struct pool *pool = context;
    priority_lower(PRIORITY_FAR_BEHIND);
    struct pool_job *job;
    while ((job = pool_take(pool))) {
        job->late = pool->wait_us && env_mono() - job->queued_us > pool->wait_us;
        job->run(job);
    }
    return NULL;
}

enum twoleg_error pool_create(unsigned threads, size_t queue_max, int64_t wait_us,
                              struct pool **ret_pool)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return TWOLEG_NO_MEMORY;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    for (size_t i = 0; i < POOL_LINES; i++)
        pool->lines[i].last = &pool->lines[i].first;
    pool->queue_max = queue_max;
    pool->wait_us = wait_us;
    threads = threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : threads;
    while (pool->thread_count < threads &&
           pthread_create(&pool->threads[pool->thread_count], NULL, pool_main, pool) == 0)
        pool->thread_count++;
    if (pool->thread_count == 0) {
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
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

// Under the lock. The queue is short, so counting it is cheaper than keeping counts.
static bool pool_has_share(const struct pool *pool, const struct pool_job *job)
{
    size_t owned = 0, asked = 0;
    for (size_t i = 0; i < POOL_LINES; i++)
        for (const struct pool_job *each = pool->lines[i].first; each; each = each->next) {
            owned += job->owner && each->owner == job->owner;
            asked += job->asker && each->asker == job->asker;
        }
    size_t share = pool->queue_max / 4 ? pool->queue_max / 4 : 1;
    return owned < share && asked < share;
}

// Of the queue, those who have proved nothing get three quarters at most.
static bool pool_has_room(const struct pool *pool, const struct pool_job *job)
{
    size_t asked = pool->lines[POOL_ASKED].count;
    size_t most = pool->queue_max - pool->queue_max / 4;
    return pool->lines[POOL_PROVEN].count + asked < pool->queue_max &&
           (!job->asker || asked < most) && pool_has_share(pool, job);
}

enum twoleg_error pool_submit(struct pool *pool, struct pool_job *job)
{
    enum twoleg_error error = TWOLEG_NONE;
    struct pool_line *line = &pool->lines[job->asker ? POOL_ASKED : POOL_PROVEN];
    pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        error = TWOLEG_STOPPING;
    } else if (!pool_has_room(pool, job)) {
        error = TWOLEG_OVERLOADED;
    } else {
        job->next = NULL;
        job->queued_us = env_mono();
        *line->last = job;
        line->last = &job->next;
        line->count++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return error;
}
