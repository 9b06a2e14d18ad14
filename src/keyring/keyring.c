// SPDX-License-Identifier: Apache-2.0
#include "keyring/keyring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "crypto/wipe.h"
#include "keyring/before.h"
#include "keyring/first.h"
#include "keyring/inside.h"
#include "keyring/make.h"
#include "keyring/reason.h"

#define CLAIM_WAIT_S 5

enum twoleg_error keyring_read_rows(struct keyring *keyring, struct arena *arena,
                                    struct store_key **ret_keys, size_t *ret_count)
{
    struct store_reader *reader = store_reader_borrow(keyring->store);
    enum twoleg_error error = store_keys(reader, arena, ret_keys, ret_count);
    store_reader_return(keyring->store);
    return error;
}

// While the master key changes, the one or the other opens them: all, as one batch re-wraps them.
static enum twoleg_error keyring_unwrap(struct keyring *keyring, const struct store_key *keys,
                                        size_t count, struct keyring_body **ret_body,
                                        char reason[static 512])
{
    char other[512];
    struct master *master = &keyring->master;
    uint64_t serial = keyring->serial + 1;
    enum twoleg_error error = keyring_body_create(master, keys, count, serial, ret_body, reason);
    if (error != TWOLEG_REFUSED || !master->has_next)
        return error;
    master_swap(master);
    if (keyring_body_create(master, keys, count, serial, ret_body, other) == TWOLEG_NONE)
        return TWOLEG_NONE;
    master_swap(master);
    return error;
}

// Reads the keys from the store and unwraps them as the next set.
static enum twoleg_error keyring_read(struct keyring *keyring, struct keyring_body **ret_body,
                                      char reason[static 512])
{
    struct arena arena;
    struct store_key *keys;
    size_t count;
    arena_init(&arena, NULL, KEYS_READ_MAX);
    enum twoleg_error error = keyring_read_rows(keyring, &arena, &keys, &count);
    if (error)
        reason_set(reason, error, "the store's keys cannot be read: %s",
                   twoleg_error_text(error));
    else
        error = keyring_unwrap(keyring, keys, count, ret_body, reason);
    arena_finish(&arena);
    if (!error)
        keyring->serial++;
    return error;
}

static enum twoleg_error keyring_has_rows(struct keyring *keyring, bool *ret_has,
                                          char reason[static 512])
{
    struct arena arena;
    struct store_key *keys;
    size_t count;
    arena_init(&arena, NULL, KEYS_READ_MAX);
    enum twoleg_error error = keyring_read_rows(keyring, &arena, &keys, &count);
    arena_finish(&arena);
    if (error)
        return reason_set(reason, error, "the store's keys cannot be read: %s",
                          twoleg_error_text(error));
    *ret_has = count > 0;
    return TWOLEG_NONE;
}

static enum twoleg_error keyring_miss_given(const struct master *master, char reason[static 512])
{
    return reason_set(reason, TWOLEG_REFUSED,
                      "there is no master key %s: put %d random bytes there, mode 0600",
                      master->path, MASTER_SIZE);
}

enum twoleg_error keyring_check_master_key(const char *path, char ret_reason[static 512])
{
    const struct keyring_settings settings = {.master_key_file = path};
    struct master master;
    enum twoleg_error error = master_init(&master, &settings, ret_reason);
    if (!error)
        error = master_read(&master, ret_reason);
    if (error == TWOLEG_NOT_FOUND)
        error = keyring_miss_given(&master, ret_reason);
    master_finish(&master);
    return error;
}

// A master key is made only where a store has no keys and nobody has named a file.
static enum twoleg_error keyring_master(struct keyring *keyring, bool has_rows, struct env *env,
                                        char reason[static 512], char notice[static 512])
{
    struct master *master = &keyring->master;
    master_sweep(master);
    enum twoleg_error error = master_read(master, reason);
    if (error != TWOLEG_NOT_FOUND)
        return error;
    if (has_rows)
        return reason_set(reason, TWOLEG_REFUSED,
                          "there is no master key %s, and the store cannot be used without its "
                          "own: put it back, or name it as master_key_file in "
                          "the configuration",
                          master->path);
    if (master->given)
        return keyring_miss_given(master, reason);
    error = master_make(master, env, reason);
    if (error)
        return error;
    reason_set(notice, TWOLEG_NONE,
               "created the master key %s: keep a copy of it in a safe place, apart from the "
               "backups, which do not hold it and are of no use without it",
               master->path);
    return TWOLEG_NONE;
}

// The first set; nobody else reads it yet, so that a first one of two can go at once.
static enum twoleg_error keyring_read_first(struct keyring *keyring, struct env *env,
                                            char reason[static 512])
{
    struct keyring_body *body;
    bool changed = false;
    enum twoleg_error error = keyring_read(keyring, &body, reason);
    if (error)
        return error;
    atomic_store(&keyring->body, body);
    error = keyring_replace_gone(keyring, env, &changed, reason);
    if (!error && changed) {
        error = keyring_read(keyring, &body, reason);
        if (!error)
            keyring_body_destroy(atomic_exchange(&keyring->body, body));
    }
    return error;
}

static enum twoleg_error keyring_open(struct keyring *keyring,
                                      const struct keyring_settings *settings,
                                      char reason[static 512], char notice[static 512])
{
    bool has_rows = false;
    enum twoleg_error error = master_init(&keyring->master, settings, reason);
    if (!error)
        error = keyring_has_rows(keyring, &has_rows, reason);
    if (!error)
        error = keyring_master(keyring, has_rows, settings->env, reason, notice);
    if (error)
        return error;
    if (!has_rows) {
        error = keyring_make_first(keyring->store, keyring->master.bytes, settings->env);
        // Another server was first: its keys are read below, and they open if the master key is
        // the same.
        if (error && error != TWOLEG_CONFLICT)
            return reason_set(reason, error, "the first keys cannot be stored: %s",
                              twoleg_error_text(error));
    }
    master_read_next(&keyring->master);
    error = keyring_read_first(keyring, settings->env, reason);
    if (error == TWOLEG_REFUSED)
        before_explain(keyring, settings->folder, reason);
    if (error)
        return error;
    // What a change of the master key left when it was cut short.
    error = master_place(&keyring->master, settings->env->now_us, reason);
    master_forget_next(&keyring->master);
    return error ? error : keyring_settle(keyring, &settings->rotation, settings->env, reason);
}

enum twoleg_error keyring_create(const struct keyring_settings *settings,
                                 struct keyring **ret_keyring, char ret_reason[static 512],
                                 char ret_notice[static 512])
{
    ret_reason[0] = '\0';
    ret_notice[0] = '\0';
    struct keyring *keyring = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *keyring);
    if (!keyring)
        return reason_set(ret_reason, TWOLEG_NO_MEMORY, "no memory for the keys");
    keyring->store = settings->store;
    keyring->epoch = settings->epoch;
    pthread_mutex_init(&keyring->lock, NULL);
    pthread_mutex_init(&keyring->change_lock, NULL);
    pthread_mutex_init(&keyring->rules_lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&keyring->change_over, &clock);
    pthread_condattr_destroy(&clock);
    enum twoleg_error error = keyring_open(keyring, settings, ret_reason, ret_notice);
    if (error) {
        keyring_destroy(keyring);
        return error;
    }
    *ret_keyring = keyring;
    return TWOLEG_NONE;
}

void keyring_destroy(struct keyring *keyring)
{
    if (!keyring)
        return;
    keyring_body_destroy(atomic_load(&keyring->body));
    master_finish(&keyring->master);
    pthread_cond_destroy(&keyring->change_over);
    pthread_mutex_destroy(&keyring->rules_lock);
    pthread_mutex_destroy(&keyring->change_lock);
    pthread_mutex_destroy(&keyring->lock);
    free(keyring);
}

// Under the lock.
static void keyring_reread(struct keyring *keyring)
{
    char reason[512];
    struct keyring_body *fresh;
    if (keyring_read(keyring, &fresh, reason) != TWOLEG_NONE) {
        atomic_store(&keyring->stale, true);
        return;
    }
    struct keyring_body *old = atomic_exchange(&keyring->body, fresh);
    epoch_retire(keyring->epoch, &old->note, keyring_body_destroy);
    epoch_collect(keyring->epoch);
    atomic_store(&keyring->stale, false);
}

void keyring_on_change(void *context, const struct store_change *changes, size_t count)
{
    struct keyring *keyring = context;
    bool due = false;
    for (size_t i = 0; i < count; i++)
        due = due || changes[i].kind == CHANGE_KEY;
    pthread_mutex_lock(&keyring->lock);
    if (due || atomic_load(&keyring->stale))
        keyring_reread(keyring);
    pthread_mutex_unlock(&keyring->lock);
}

void keyring_mend(struct keyring *keyring)
{
    keyring_on_change(keyring, NULL, 0);
}

enum twoleg_error keyring_first_row(struct keyring *keyring, const struct sign_key *private_key,
                                    const struct sign_algorithm *algorithm, struct env *env,
                                    struct arena *arena, struct keyring_row *ret_row)
{
    struct secret_bytes SECRET_BYTES_WIPED master = {.len = MASTER_SIZE};
    struct make_order order = {.algorithm = algorithm, .state = key_state_name(KEY_SIGNING)};
    // Under the lock the set stays, and with it the master key that it is wrapped under.
    pthread_mutex_lock(&keyring->lock);
    const struct keyring_set *set = keyring_current(keyring);
    order.id = set->last_id + 1;
    order.guard = arena_copy(arena, set->guard);
    bool guarded = order.guard.ptr && order.guard.len > 0;
    memcpy(master.bytes, keyring->master.bytes, MASTER_SIZE);
    pthread_mutex_unlock(&keyring->lock);
    if (!guarded)
        return TWOLEG_NO_MEMORY;
    ret_row->guard = order.guard;
    return make_row(private_key, master.bytes, env, &order, arena, &ret_row->key);
}

bool keyring_stale(const struct keyring *keyring)
{
    return atomic_load(&keyring->stale);
}

const struct keyring_set *keyring_current(const struct keyring *keyring)
{
    return &atomic_load_explicit(&keyring->body, memory_order_acquire)->set;
}

bool keyring_claim(struct keyring *keyring, bool wait)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLAIM_WAIT_S;
    pthread_mutex_lock(&keyring->change_lock);
    int late = wait ? 0 : ETIMEDOUT;
    while (keyring->changing && late == 0)
        late = pthread_cond_timedwait(&keyring->change_over, &keyring->change_lock, &until);
    bool free = !keyring->changing;
    keyring->changing = true;
    pthread_mutex_unlock(&keyring->change_lock);
    return free;
}

#ifdef TWOLEG_TEST_HOOKS
bool keyring_test_changing(struct keyring *keyring)
{
    pthread_mutex_lock(&keyring->change_lock);
    bool changing = keyring->changing;
    pthread_mutex_unlock(&keyring->change_lock);
    return changing;
}
#endif

void keyring_release(struct keyring *keyring)
{
    pthread_mutex_lock(&keyring->change_lock);
    keyring->changing = false;
    pthread_cond_signal(&keyring->change_over);
    pthread_mutex_unlock(&keyring->change_lock);
}
