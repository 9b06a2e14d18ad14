// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POOL_THREADS_MAX 16
#define POOL_NICE 10 // behind the loops, ahead of nothing

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct pool_job *first, **last;
    size_t queued, queue_max;
    bool stopping;
    unsigned thread_count;
    pthread_t threads[POOL_THREADS_MAX];
};

static struct pool_job *pool_take(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    struct pool_job *job = pool->first;
    if (job) {
        pool->first = job->next;
        pool->last = pool->first ? pool->last : &pool->first;
        pool->queued--;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *pool_main(void *context)
{
    struct pool *pool = context;
    // Linux keeps the nice value by thread. Where it may not be changed the pool works as well.
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), POOL_NICE);
    struct pool_job *job;
    while ((job = pool_take(pool)))
        job->run(job);
    return NULL;
}

enum twoleg_error pool_create(unsigned threads, size_t queue_max, struct pool **ret_pool)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return TWOLEG_NO_MEMORY;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->last = &pool->first;
    pool->queue_max = queue_max;
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
    for (const struct pool_job *each = pool->first; each; each = each->next) {
        owned += job->owner && each->owner == job->owner;
        asked += job->asker && each->asker == job->asker;
    }
    size_t share = pool->queue_max / 4 ? pool->queue_max / 4 : 1;
    return owned < share && asked < share;
}

enum twoleg_error pool_submit(struct pool *pool, struct pool_job *job)
{
    enum twoleg_error error = TWOLEG_NONE;
    pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        error = TWOLEG_STOPPING;
    } else if (pool->queued >= pool->queue_max || !pool_has_share(pool, job)) {
        error = TWOLEG_OVERLOADED;
    } else {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->queued++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return error;
}
