// SPDX-License-Identifier: Apache-2.0
// Changes of keys: those that are due, which the housekeeper makes, and those that an operator
// wants. Each is one batch with its audit rows, and each row must be as it was when the change was
// made up: of many nodes, one makes it.
#pragma once
#include "keyring/keyring.h"

#define KEYRING_PATH_MAX 4096
#define KEYRING_KID_MAX 128

// Who wants it, for the audit.
struct keyring_actor {
    struct str name;
    struct str request_id;
};

struct keyring_done {
    enum rotation_act act;
    char kid[KEYRING_KID_MAX];
    size_t kid_len;
    struct str algorithm; // static
};

struct keyring_outcome {
    struct keyring_done steps[ROTATION_STEPS_MAX];
    size_t count;
    // hasten: how long the announced key waits before it signs; compromise: every cache of the key
    // set knows a key that was announced so long ago.
    int64_t announced_us;
    char before[KEYRING_PATH_MAX]; // where the old master key lies
    char reason[512];              // words for an error, or ""
};

// Submits what is due; not waited for. From one thread, every second or so.
void keyring_turn(struct keyring *keyring, struct env *env);

// These wait for the disk: never on a loop's thread. CONFLICT: another change is under way, or
// there is nothing left to do; NOT_FOUND: no such key or algorithm.

// Announces the next key of the algorithm (empty: of all) now.
enum twoleg_error keyring_hasten(struct keyring *keyring, struct env *env,
                                 const struct keyring_actor *actor, struct str algorithm,
                                 struct keyring_outcome *outcome) TWOLEG_MUST_CHECK;
// The key is gone at once, and its tokens are dead at our doors on return.
enum twoleg_error keyring_compromise(struct keyring *keyring, struct env *env,
                                     const struct keyring_actor *actor, struct str kid,
                                     struct keyring_outcome *outcome) TWOLEG_MUST_CHECK;
// Wraps every key under a new master key.
enum twoleg_error keyring_change_master(struct keyring *keyring, struct env *env,
                                        const struct keyring_actor *actor,
                                        struct keyring_outcome *outcome) TWOLEG_MUST_CHECK;

// The rules in force. Any thread.
struct rotation_rules keyring_rules(struct keyring *keyring);
// Others, as configured: period and values only. When the error is none they are stored and in
// force, and whatever is made under them may be made from now on; what is made under the old ones
// within the next minutes is still allowed for. They are committed in the batch, which is the
// caller's and is committed also when nothing changes: what else is in it comes with them or not at
// all. CONFLICT: a change of keys is under way. With words in ret_reason.
enum twoleg_error keyring_change_rules(struct keyring *keyring,
                                       const struct rotation_rules *configured, struct env *env,
                                       struct store_batch *batch,
                                       char ret_reason[static 512]) TWOLEG_MUST_CHECK;
