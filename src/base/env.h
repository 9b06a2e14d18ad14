// SPDX-License-Identifier: Apache-2.0
// What a worker takes from outside: time and randomness. Handed in, so that tests are exact.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND_US ((int64_t)1000000)
#define TIME_NEVER INT64_MAX // an expiry that does not come

// One per thread. The times are read once per loop turn (env_tick), never in between.
struct env {
    int64_t now_us; // wall clock, microseconds UTC: what tokens and rows carry
    // The latest wall time this process has seen, on any thread: what an expiry is compared with,
    // so that a clock set back never revives what had expired.
    int64_t latest_us;
    int64_t mono_us; // monotonic clock: deadlines
    uint8_t random[2048]; // one system call for many tokens
    size_t random_left;
};

void env_init(struct env *env);
void env_finish(struct env *env); // wipes the buffered randomness
void env_tick(struct env *env);
// From a buffered getrandom(2); false when the system has no randomness: issue nothing then.
bool env_random(struct env *env, void *ret_bytes, size_t len) __attribute__((warn_unused_result));
bool env_random_u64(struct env *env, uint64_t *ret_value) __attribute__((warn_unused_result));

#ifdef TWOLEG_TEST_HOOKS
// Moves the wall clock of every env of the process, from its next tick on.
void env_test_offset(int64_t offset_us);
#endif
