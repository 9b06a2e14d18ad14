// SPDX-License-Identifier: Apache-2.0
// What a worker takes from outside: time and randomness. Handed in, so that tests are exact.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND_US ((int64_t)1000000)
#define TIME_NEVER INT64_MAX // an expiry that does not come
// A larger step back is not waited out; what lies further ahead comes of a clock that was wrong.
#define ENV_AHEAD_US (600 * SECOND_US)

// One per thread. The times are read once per loop turn (env_tick), never in between. The wall
// clock may be wrong for a while; what became of that must not outlast it. So it is held against
// the clock that only counts (CLOCK_BOOTTIME), and one belief is shared by all threads:
// - A step forward of more than 10 s is not believed until it has stood for a minute of counted
//   time; until then time goes on as it is counted.
// - A step back of up to 10 minutes is waited out: the trusted clock stands still. After a larger
//   one it goes on as it is counted, so that what expires still does. Small steps add up, and so
//   does what a clock loses that stands still or is slow by more than 1 in 1000.
struct env {
    int64_t now_us; // the wall clock as far as it is believed, microseconds UTC: logs and rows
    // The trusted clock: the latest that was believed, on any thread. It never goes back. What is
    // issued starts at it and every expiry is compared with it.
    int64_t latest_us;
    int64_t wall_us; // what the system says
    int64_t boot_us; // counts on while the machine sleeps; what the wall clock is held against
    int64_t mono_us; // monotonic clock: deadlines
    uint8_t random[4096]; // one system call for many tokens
    size_t random_left;
    unsigned random_life; // what was buffered before a fork is the parent's
};

void env_init(struct env *env);
void env_finish(struct env *env); // wipes the buffered randomness
void env_tick(struct env *env);
// From a buffered getrandom(2); false when the system has no randomness: issue nothing then.
bool env_random(struct env *env, void *ret_bytes, size_t len) __attribute__((warn_unused_result));
bool env_random_u64(struct env *env, uint64_t *ret_value) __attribute__((warn_unused_result));
// In a child, after a fork: it must not hand out the random bytes that its parent hands out, too.
void env_forked(void);

// What is wrong with the wall clock, as of the last tick.
enum env_clock {
    ENV_CLOCK_GOOD,
    ENV_CLOCK_AHEAD,  // it stepped forward, and that is not believed yet
    ENV_CLOCK_BEHIND, // more than a minute behind the trusted clock: nothing may be issued
};
struct env_clock_state {
    enum env_clock clock;
    int64_t off_us; // how far it is from the trusted clock; negative: behind
};
struct env_clock_state env_clock_state(const struct env *env);

// The monotonic clock as it is now, for who has no env or may not take its turn's time.
int64_t env_mono(void);

// Likewise the counted time, boot_us: it goes on while the machine sleeps.
int64_t env_boot(void);

// Cores that this process may run on: what it was pinned to counts, not what the machine has.
unsigned env_cores(void);

#ifdef TWOLEG_TEST_HOOKS
// For every env of the process, from its next tick on. Time passes: the wall clock moves and what
// it is held against, too.
void env_test_offset(int64_t offset_us);
// Only the wall clock is set, so far from the true time.
void env_test_step(int64_t step_us);
// As a new process: nothing is believed yet.
void env_test_forget(void);
#endif
