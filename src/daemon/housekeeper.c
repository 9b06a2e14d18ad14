// SPDX-License-Identifier: Apache-2.0
#include "daemon/housekeeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define FLUSH_SECONDS 5
#define FLUSH_BATCHES 64 // of 1000 notes each
#define PURGE_EVERY 60 // flushes
#define REVOCATION_KEPT_S 86400 // beyond its expiry

struct housekeeper {
    struct server *server;
    struct workers *workers;
    struct env env;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

// One batch of notes; false when there was nothing left, or no memory: what was not taken stays for
// the next time. Statistics: a batch that the store refuses is lost, and the design allows it.
static bool housekeeper_flush_some(struct housekeeper *keeper)
{
    struct usage *usage[WORKERS_MAX];
    size_t count = workers_usage(keeper->workers, usage);
    struct store_batch *batch = store_batch_create(keeper->env.now_us);
    if (!batch)
        return false;
    bool some = usage_flush(usage, count, batch);
    if (some) {
        enum twoleg_error error = store_commit(keeper->server->store, batch);
        (void)error;
    }
    store_batch_destroy(batch);
    return some;
}

// Bounded: under load new notes come while the old ones are written.
static void housekeeper_flush(struct housekeeper *keeper)
{
    for (unsigned i = 0; i < FLUSH_BATCHES && housekeeper_flush_some(keeper); i++)
        ;
}

static void housekeeper_purge(struct housekeeper *keeper)
{
    registry_purge(keeper->server->registry, keeper->env.now_us);
    struct store_batch *batch = store_batch_create(keeper->env.now_us);
    if (!batch)
        return;
    struct store_verb *verb = store_batch_add(batch, VERB_REVOCATIONS_PURGE, STORE_OPERATOR);
    verb->before_s = keeper->env.now_us / SECOND_US - REVOCATION_KEPT_S;
    enum twoleg_error error = store_commit(keeper->server->store, batch);
    (void)error; // what was not purged now is purged later
    store_batch_destroy(batch);
}

// True: it is time to stop.
static bool housekeeper_wait(struct housekeeper *keeper)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FLUSH_SECONDS;
    pthread_mutex_lock(&keeper->lock);
    int woken = 0;
    while (!keeper->stopping && woken == 0)
        woken = pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
    bool stopping = keeper->stopping;
    pthread_mutex_unlock(&keeper->lock);
    return stopping;
}

static void *housekeeper_main(void *context)
{
    struct housekeeper *keeper = context;
    for (unsigned turn = 1; !housekeeper_wait(keeper); turn++) {
        env_tick(&keeper->env);
        housekeeper_flush(keeper);
        if (turn % PURGE_EVERY == 0)
            housekeeper_purge(keeper);
    }
    housekeeper_flush(keeper);
    return NULL;
}

enum twoleg_error housekeeper_start(struct server *server, struct workers *workers,
                                    struct housekeeper **ret_keeper)
{
    struct housekeeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return TWOLEG_NO_MEMORY;
    keeper->server = server;
    keeper->workers = workers;
    env_init(&keeper->env);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&keeper->lock, NULL);
    if (pthread_create(&keeper->thread, NULL, housekeeper_main, keeper) != 0) {
        free(keeper);
        return TWOLEG_NO_MEMORY;
    }
    *ret_keeper = keeper;
    return TWOLEG_NONE;
}

void housekeeper_stop(struct housekeeper *keeper)
{
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
    env_finish(&keeper->env);
    free(keeper);
}
