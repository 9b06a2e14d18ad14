// SPDX-License-Identifier: Apache-2.0
// The life of a signing key, as a pure function of the keys that there are and the time:
//
//   announced   in the JWKS, so that every cache of it knows the key before its first token
//   signing     makes the tokens of its algorithm
//   retired     in the JWKS until the longest token that it signed has expired
//   gone        its private half is erased, and its tokens are dead
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"

enum key_state { KEY_ANNOUNCED, KEY_SIGNING, KEY_RETIRED, KEY_GONE };

struct str key_state_name(enum key_state state); // as rows and people have it

struct rotation_key {
    uint64_t id;
    struct str algorithm;
    enum key_state state;
    int64_t state_us;       // since when it is in this state
    int64_t last_expiry_us; // of a retired key: of the longest token that it may have signed
};

// The most that jwks_max_age may be.
#define ROTATION_AGE_MAX_US (86400 * SECOND_US)

// A bound that the configuration has shortened holds on for what was made under the longer one.
struct rotation_bound {
    int64_t value_us; // as configured now
    int64_t until_us; // nothing from before reaches beyond
};

struct rotation_rules {
    int64_t period_us;         // how long a key signs; 0 = for ever
    struct rotation_bound age;  // how long others keep the JWKS
    struct rotation_bound life; // of the longest token that a signing key makes
};

enum rotation_act {
    ROTATION_ANNOUNCE, // make a key, announced
    ROTATION_RENEW,    // announced once more, from now
    ROTATION_REPLACE,  // make a key that signs at once
    ROTATION_SIGN,
    ROTATION_RETIRE,
    ROTATION_END, // to gone
};
enum key_state rotation_target(enum rotation_act act); // the state that it leaves

struct rotation_step {
    enum rotation_act act;
    uint64_t id;          // of the key; 0 for one that is to be made
    struct str algorithm;
    enum key_state from;  // that it must be in: another node may have been first
    int64_t last_expiry_us; // RETIRE
};

// Steps that belong into one batch; what does not fit is due again the next time.
#define ROTATION_STEPS_MAX 16
struct rotation_plan {
    struct rotation_step steps[ROTATION_STEPS_MAX];
    size_t count;
};

// What is due now, by itself.
void rotation_due(const struct rotation_rules *rules, const struct rotation_key *keys,
                  size_t count, int64_t now_us, struct rotation_plan *ret_plan);
// The next key of an algorithm (empty: of all) is announced now, and signs as soon as every cache
// knows it. Nothing where one is announced already, unless a clock that was ahead did it: that key
// would wait for its time. By hand only, since it may be this clock that is wrong.
void rotation_hasten(const struct rotation_key *keys, size_t count, struct str algorithm,
                     int64_t now_us, struct rotation_plan *ret_plan);
// The key is gone at once. If it signed, the announced one takes its place, or else a new one that
// nobody knows yet.
void rotation_compromise(const struct rotation_key *keys, size_t count, uint64_t id,
                         struct rotation_plan *ret_plan);
// For each algorithm that has keys that are gone and none that signs: after a restore, which leaves
// gone what was given up since the copy. The next one signs, or a new one.
void rotation_replace_gone(const struct rotation_key *keys, size_t count,
                           struct rotation_plan *ret_plan);

// When the key goes to its next state by itself; 0: it does not.
int64_t rotation_next_us(const struct rotation_rules *rules, const struct rotation_key *key);
// How long a key must be announced (microseconds): whoever asked for the JWKS just before has asked
// again, whatever stands between, and every node has heard of it.
int64_t rotation_announce_us(int64_t age_us);
// How long a key that is announced now waits before it signs (microseconds).
int64_t rotation_wait_us(const struct rotation_rules *rules, int64_t now_us);
// Every cache of the JWKS knows a key that was announced so long ago (microseconds). While some may
// still go by an age from before, which nobody has noted, that is the longest that any can be.
int64_t rotation_known_us(const struct rotation_rules *rules, int64_t now_us);

// The rules of a start that finds stored ones (NULL: none). True: they differ, and must be stored
// before anything is made under them.
bool rotation_settle(const struct rotation_rules *stored, const struct rotation_rules *configured,
                     int64_t now_us, struct rotation_rules *ret_rules);

// The two bounds as the store keeps them: four numbers, in microseconds. False: that is not what
// was written.
void rotation_rules_write(const struct rotation_rules *rules, struct buf *out);
bool rotation_rules_read(struct str text, struct rotation_rules *ret_rules);
