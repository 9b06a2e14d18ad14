// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: the keyring itself, and who may change its keys.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "keyring/body.h"

struct keyring {
    struct store *store;
    struct epoch *epoch;
    pthread_mutex_t rules_lock; // never held for long
    struct rotation_rules rules;
    _Atomic(struct keyring_body *) body;
    atomic_bool stale;
    pthread_mutex_t lock; // held from the read to the swap: the last one to read wins
    struct master master; // under the lock
    uint64_t serial;      // of the last set

    // One change of keys at a time, from the look at them until its commit: a key that is wrapped
    // for the store must not meet another master key there.
    pthread_mutex_t change_lock;
    pthread_cond_t change_over;
    bool changing;
};

// All rows, in the arena.
enum twoleg_error keyring_read_rows(struct keyring *keyring, struct arena *arena,
                                    struct store_key **ret_keys,
                                    size_t *ret_count) TWOLEG_MUST_CHECK;
// False: somebody else changes keys; with wait, still so after some seconds.
bool keyring_claim(struct keyring *keyring, bool wait);
void keyring_release(struct keyring *keyring);
// Makes a key for each algorithm whose keys are all gone. At the start, before anybody reads the
// set, which is as it was: ret_changed says whether it must be read again. With words in reason.
enum twoleg_error keyring_replace_gone(struct keyring *keyring, struct env *env, bool *ret_changed,
                                       char reason[static 512]) TWOLEG_MUST_CHECK;
// The rules that hold from now on; stored when they differ from those that did.
enum twoleg_error keyring_settle(struct keyring *keyring, const struct rotation_rules *configured,
                                 struct env *env, char reason[static 512]) TWOLEG_MUST_CHECK;

#define KEYS_READ_MAX ((size_t)4 * 1024 * 1024)
