// SPDX-License-Identifier: Apache-2.0
#include "daemon/housekeeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/fault.h"
#include "base/log.h"
#include "crypto/wipe.h"
#include "daemon/purge.h"
#include "keyring/change.h"

#define FLUSH_EVERY 5    // turns of a second each
#define FLUSH_BATCHES 64 // of 1000 notes each
#define PURGE_KEEP_TURNS 600 // the purges' notes are written so often, and at the end
#define PURGE_SETTING STR("purge")
#define TOKENS_SETTING STR("purge_tokens")
#define TOKENS_PACE_US (600 * SECOND_US) // how often expired reference tokens are looked for
#define FAILURE_AGAIN_US (60 * SECOND_US)
#define WAIT_MAX_US (10 * SECOND_US) // nobody waits longer for the store

struct housekeeper {
    struct server *server;
    struct workers *workers;
    const struct notify *notify;
    struct env env;
    struct purge purge;
    struct purge tokens; // likewise, of reference tokens
    enum env_clock clock; // as the log has it
    bool store_stopped;   // likewise
    uint64_t failures;    // of commits, likewise
    enum store_failure failure; // of the last of them
    int64_t failure_again_us;   // when it may be said again (monotonic)
    bool locked;          // all keys so far, likewise
    pthread_t thread;
    pthread_t keys; // a thread for them alone: to make an RSA key takes a second or so
    struct env keys_env;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

// Batches that the store has; they may outlive the housekeeper.
static atomic_uint housekeeper_under_way;
static atomic_bool housekeeper_purging;
// What a purge has left that was cut short: it is gone on with, and not a day later. 0: nothing.
static atomic_int housekeeper_left;
static _Atomic int64_t housekeeper_left_before_s;

static void housekeeper_done(struct store_batch *batch)
{
    store_batch_destroy(batch);
    atomic_fetch_sub(&housekeeper_under_way, 1);
}

// Not waited for: a disk that hangs must not keep this thread from its other work. What the store
// refuses is lost (statistics, which the design allows) or comes again (a purge).
static void housekeeper_submit(struct housekeeper *keeper, struct store_batch *batch)
{
    batch->done = housekeeper_done;
    atomic_fetch_add(&housekeeper_under_way, 1);
    if (store_submit(keeper->server->store, batch) != TWOLEG_NONE)
        housekeeper_done(batch);
}

// One batch of notes; false when there was nothing left, or no memory: what was not taken stays for
// the next time.
static bool housekeeper_flush_some(struct housekeeper *keeper)
{
    struct usage *usage[WORKERS_MAX];
    size_t count = workers_usage(keeper->workers, usage);
    struct store_batch *batch = store_batch_create(keeper->env.now_us);
    if (!batch)
        return false;
    bool some = usage_flush(usage, count, batch);
    if (some)
        housekeeper_submit(keeper, batch);
    else
        store_batch_destroy(batch);
    return some;
}

// Bounded: under load new notes come while the old ones are written.
static void housekeeper_flush(struct housekeeper *keeper)
{
    for (unsigned i = 0; i < FLUSH_BATCHES && housekeeper_flush_some(keeper); i++)
        ;
}

// What an earlier life has noted. Whatever is wrong with it, the first look makes a new one.
static void housekeeper_recall(struct housekeeper *keeper, struct str setting,
                               struct purge *purge)
{
    struct arena arena;
    struct str text;
    arena_init(&arena, NULL, ARENA_SLAB_SIZE);
    struct store_reader *reader = store_reader_borrow(keeper->server->store);
    if (store_setting(reader, setting, &arena, &text) == TWOLEG_NONE)
        purge_read(purge, &keeper->env, text);
    store_reader_return(keeper->server->store);
    arena_finish(&arena);
}

static void housekeeper_keep(struct housekeeper *keeper, struct str setting,
                             const struct purge *purge)
{
    char memory[PURGE_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    purge_write(purge, &keeper->env, &text);
    struct store_batch *batch = text.len ? store_batch_create(keeper->env.now_us) : NULL;
    if (!batch)
        return;
    struct store_verb *verb = store_batch_add(batch, VERB_SETTING_SET, STORE_OPERATOR);
    verb->setting.name = setting;
    verb->setting.value = store_batch_copy(batch, buf_str(&text));
    housekeeper_submit(keeper, batch);
}

static void housekeeper_keep_purges(struct housekeeper *keeper)
{
    housekeeper_keep(keeper, PURGE_SETTING, &keeper->purge);
    housekeeper_keep(keeper, TOKENS_SETTING, &keeper->tokens);
}

static void housekeeper_leave(const struct store_batch *batch)
{
    atomic_store(&housekeeper_left_before_s, batch->verbs->before_s);
    atomic_store(&housekeeper_left, (int)batch->verbs->kind);
}

// A slice is away: the next one goes behind all that came meanwhile, so that no request waits for
// more than one. On the store's thread.
static void housekeeper_purged(struct store_batch *batch)
{
    struct store *store = batch->context;
    bool more = batch->result == TWOLEG_NONE && batch->purged.more;
    if (more && store_submit(store, batch) == TWOLEG_NONE)
        return;
    if (more || batch->result)
        housekeeper_leave(batch);
    store_batch_destroy(batch);
    atomic_store(&housekeeper_purging, false);
}

static void housekeeper_purge_rows(struct housekeeper *keeper, enum store_verb_kind kind,
                                   int64_t before_s)
{
    struct store_batch *batch = store_batch_create(keeper->env.now_us);
    if (!batch)
        return;
    struct store_verb *verb = store_batch_add(batch, kind, STORE_OPERATOR);
    verb->before_s = before_s;
    batch->done = housekeeper_purged;
    batch->context = keeper->server->store;
    atomic_store(&housekeeper_purging, true);
    if (store_submit(keeper->server->store, batch) == TWOLEG_NONE)
        return;
    housekeeper_leave(batch);
    store_batch_destroy(batch);
    atomic_store(&housekeeper_purging, false);
}

// One at a time: the other is due still when this one has ended.
static void housekeeper_purge(struct housekeeper *keeper)
{
    int64_t before_s;
    if (atomic_load(&housekeeper_purging))
        return;
    int left = atomic_exchange(&housekeeper_left, 0);
    if (left) {
        before_s = atomic_load(&housekeeper_left_before_s);
        housekeeper_purge_rows(keeper, (enum store_verb_kind)left, before_s);
    } else if (purge_due(&keeper->purge, &keeper->env, &before_s)) {
        registry_purge(keeper->server->registry, before_s);
        housekeeper_purge_rows(keeper, VERB_REVOCATIONS_PURGE, before_s);
    } else if (purge_due(&keeper->tokens, &keeper->env, &before_s)) {
        housekeeper_purge_rows(keeper, VERB_TOKENS_PURGE, before_s);
    }
}

// Once for each time that the wall clock goes wrong or is right again.
static void housekeeper_note_clock(struct housekeeper *keeper)
{
    static const char *const words[] = {
        [ENV_CLOCK_GOOD] = "right",
        [ENV_CLOCK_AHEAD] = "ahead_not_believed",
        [ENV_CLOCK_BEHIND] = "behind_nothing_issued",
    };
    struct env_clock_state state = env_clock_state(&keeper->env);
    if (state.clock == keeper->clock)
        return;
    keeper->clock = state.clock;
    int64_t off_us = state.off_us < 0 ? -state.off_us : state.off_us;
    struct log_line line;
    log_begin(&line, state.clock ? LOG_WARNING : LOG_INFO, keeper->env.now_us, "clock");
    log_word(&line, "state", words[state.clock]);
    log_u64(&line, "off_seconds", (uint64_t)(off_us / SECOND_US));
    log_end(&line);
}

// Nobody may have changed anything since, and nobody else would say so then.
static void housekeeper_note_store(struct housekeeper *keeper)
{
    const struct store *store = keeper->server->store;
    if (keeper->store_stopped || !store_stopped(store))
        return;
    keeper->store_stopped = true;
    struct log_line line;
    log_begin(&line, LOG_ERROR, keeper->env.now_us, "store_stopped");
    log_word(&line, "why", store_damaged(store) ? "damaged" : "write_failed");
    log_end(&line);
}

// A cause that goes on is said once a minute.
static void housekeeper_note_failures(struct housekeeper *keeper)
{
    struct store_failures now = store_failures(keeper->server->store);
    uint64_t all = 0;
    for (size_t i = 0; i < STORE_FAILURES; i++)
        all += now.counts[i];
    bool again = now.last == keeper->failure && keeper->env.mono_us < keeper->failure_again_us;
    if (all == keeper->failures || again)
        return;
    struct log_line line;
    log_begin(&line, LOG_ERROR, keeper->env.now_us, "store_failed");
    log_word(&line, "why", store_failure_word(now.last));
    log_u64(&line, "commits", all - keeper->failures);
    log_str(&line, "reason", str_from(store_failure_text(now.last)));
    log_end(&line);
    keeper->failures = all;
    keeper->failure = now.last;
    keeper->failure_again_us = keeper->env.mono_us + FAILURE_AGAIN_US;
}

// Keys that came since the start may be those that the limit does not hold.
static void housekeeper_note_locks(struct housekeeper *keeper)
{
    if (!keeper->locked || secret_memory_is_locked())
        return;
    keeper->locked = false;
    struct log_line line;
    log_begin(&line, LOG_WARNING, keeper->env.now_us, "keys_not_locked");
    log_end(&line);
}

// Only while every worker's loop turns: one that hangs serves nobody, and a restart helps.
static void housekeeper_say_alive(struct housekeeper *keeper)
{
    if (keeper->notify->watchdog_us && workers_answer(keeper->workers))
        notify_say(keeper->notify, "WATCHDOG=1");
}

// What went wrong a moment ago may go well now; until it does, everything is refused.
static void housekeeper_mend(struct housekeeper *keeper)
{
    struct server *server = keeper->server;
    registry_mend(server->registry);
    keyring_mend(server->keyring);
    store_give_up(server->store);
    registry_give_up(server->registry, WAIT_MAX_US);
    // What was replaced while a worker looked at it, private keys among it, and is let go by now.
    epoch_collect(server->turns);
}

// True: it is time to stop.
static bool housekeeper_wait(struct housekeeper *keeper)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
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
    housekeeper_recall(keeper, PURGE_SETTING, &keeper->purge);
    housekeeper_recall(keeper, TOKENS_SETTING, &keeper->tokens);
    store_count_tokens(keeper->server->store);
    for (unsigned turn = 1; !housekeeper_wait(keeper); turn++) {
        stop_point("housekeeper.turn");
        env_tick(&keeper->env);
        housekeeper_say_alive(keeper);
        housekeeper_note_clock(keeper);
        housekeeper_note_store(keeper);
        housekeeper_note_failures(keeper);
        housekeeper_note_locks(keeper);
        housekeeper_mend(keeper);
        housekeeper_purge(keeper);
        if (turn % PURGE_KEEP_TURNS == 0)
            housekeeper_keep_purges(keeper);
        if (turn % FLUSH_EVERY == 0 && atomic_load(&housekeeper_under_way) == 0)
            housekeeper_flush(keeper);
    }
    housekeeper_flush(keeper);
    housekeeper_keep_purges(keeper);
    return NULL;
}

static void *housekeeper_turn_keys(void *context)
{
    struct housekeeper *keeper = context;
    while (!housekeeper_wait(keeper)) {
        stop_point("keys.turn");
        env_tick(&keeper->keys_env);
        keyring_turn(keeper->server->keyring, &keeper->keys_env);
    }
    return NULL;
}

// Ends the threads that have begun; with both, the housekeeper.
static void housekeeper_end(struct housekeeper *keeper, unsigned threads)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    pthread_cond_broadcast(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    if (threads > 0)
        pthread_join(keeper->thread, NULL);
    if (threads > 1)
        pthread_join(keeper->keys, NULL);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
    env_finish(&keeper->env);
    env_finish(&keeper->keys_env);
    free(keeper);
}

enum twoleg_error housekeeper_start(struct server *server, struct workers *workers,
                                    const struct notify *notify,
                                    struct housekeeper **ret_keeper)
{
    struct housekeeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return TWOLEG_NO_MEMORY;
    keeper->server = server;
    keeper->workers = workers;
    keeper->notify = notify;
    keeper->locked = secret_memory_is_locked();
    keeper->tokens.pace_us = TOKENS_PACE_US;
    env_init(&keeper->env);
    env_init(&keeper->keys_env);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&keeper->lock, NULL);
    unsigned threads = 0;
    if (pthread_create(&keeper->thread, NULL, housekeeper_main, keeper) == 0)
        threads++;
    if (threads && pthread_create(&keeper->keys, NULL, housekeeper_turn_keys, keeper) == 0)
        threads++;
    if (threads < 2) {
        housekeeper_end(keeper, threads);
        return TWOLEG_NO_MEMORY;
    }
    *ret_keeper = keeper;
    return TWOLEG_NONE;
}

void housekeeper_stop(struct housekeeper *keeper)
{
    if (keeper)
        housekeeper_end(keeper, 2);
}
