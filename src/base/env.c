// SPDX-License-Identifier: Apache-2.0
#include "base/env.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/fault.h"

#define CLOCK_STEP_US (10 * SECOND_US)   // more at once is a step, not a clock that is steered
#define CLOCK_STAND_US (60 * SECOND_US)  // so long a step forward has to stand
#define CLOCK_BEHIND_US (60 * SECOND_US) // so far behind nothing is issued
#define CLOCK_STEERED 1000               // a good clock is steered by less than one part of this
#define CLOCK_UNKNOWN INT64_MIN

// What the process believes: how far the wall clock is from the counted time, and the latest time
// that came of it. Threads write them without a lock: each write is right by itself, and at worst a
// step has to stand a little longer.
static _Atomic int64_t env_latest_us;
static _Atomic int64_t env_believed_us = CLOCK_UNKNOWN;
static _Atomic int64_t env_highest_us = CLOCK_UNKNOWN; // the highest that was believed
static _Atomic int64_t env_highest_since_us;           // when, counted
static _Atomic int64_t env_step_us = CLOCK_UNKNOWN; // a step that is not believed yet
static _Atomic int64_t env_step_since_us;           // when it was first seen, counted

static _Atomic int64_t env_offset_us; // these two stay 0 in release: nothing there can set them
static _Atomic int64_t env_wall_step_us;

#ifdef TWOLEG_TEST_HOOKS
void env_test_offset(int64_t offset_us)
{
    atomic_store(&env_offset_us, offset_us);
}

void env_test_step(int64_t step_us)
{
    atomic_store(&env_wall_step_us, step_us);
}

void env_test_forget(void)
{
    atomic_store(&env_latest_us, 0);
    atomic_store(&env_believed_us, CLOCK_UNKNOWN);
    atomic_store(&env_highest_us, CLOCK_UNKNOWN);
    atomic_store(&env_step_us, CLOCK_UNKNOWN);
}
#endif

static int64_t env_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

int64_t env_mono(void)
{
    return env_clock(CLOCK_MONOTONIC);
}

int64_t env_boot(void)
{
    return env_clock(CLOCK_BOOTTIME) +
           atomic_load_explicit(&env_offset_us, memory_order_relaxed);
}

void env_init(struct env *env)
{
    memset(env, 0, sizeof *env);
    env_tick(env);
}

void env_finish(struct env *env)
{
    explicit_bzero(env, sizeof *env);
}

// Has this step forward stood long enough? Another one than the last starts anew.
static bool env_step_stands(int64_t step_us, int64_t boot_us)
{
    int64_t known = atomic_load(&env_step_us);
    bool same = known != CLOCK_UNKNOWN && step_us - known <= CLOCK_STEP_US &&
                known - step_us <= CLOCK_STEP_US;
    if (!same) {
        atomic_store(&env_step_since_us, boot_us);
        atomic_store(&env_step_us, step_us);
        return false;
    }
    return boot_us - atomic_load(&env_step_since_us) >= CLOCK_STAND_US;
}

// Written only when they change: all threads read them at each tick.
static void env_follow(int64_t offset_us, int64_t believed_us)
{
    if (atomic_load_explicit(&env_step_us, memory_order_relaxed) != CLOCK_UNKNOWN)
        atomic_store(&env_step_us, CLOCK_UNKNOWN);
    if (believed_us == CLOCK_UNKNOWN || offset_us - believed_us > SECOND_US / 10 ||
        believed_us - offset_us > SECOND_US / 10)
        atomic_store(&env_believed_us, offset_us);
}

// How far the wall clock was ahead of the counted time, less what steering may have taken since.
static int64_t env_highest(int64_t boot_us)
{
    int64_t highest_us = atomic_load_explicit(&env_highest_us, memory_order_relaxed);
    int64_t since_us = atomic_load_explicit(&env_highest_since_us, memory_order_relaxed);
    return highest_us == CLOCK_UNKNOWN ? CLOCK_UNKNOWN
                                       : highest_us - (boot_us - since_us) / CLOCK_STEERED;
}

static void env_remember_highest(int64_t offset_us, int64_t boot_us)
{
    int64_t highest_us = env_highest(boot_us);
    if (highest_us != CLOCK_UNKNOWN && offset_us - highest_us < SECOND_US / 10)
        return;
    atomic_store(&env_highest_since_us, boot_us);
    atomic_store(&env_highest_us, offset_us);
}

// Too far back to be waited out: at once, or bit by bit, as a clock does that stands still.
static bool env_far_back(int64_t wall_us, int64_t boot_us, int64_t latest_us)
{
    int64_t highest_us = env_highest(boot_us);
    return latest_us - wall_us > ENV_AHEAD_US ||
           (highest_us != CLOCK_UNKNOWN && highest_us - (wall_us - boot_us) > ENV_AHEAD_US);
}

// The one rule: the wall time if it is to be believed, else the counted one.
static int64_t env_believe(int64_t wall_us, int64_t boot_us)
{
    int64_t offset_us = wall_us - boot_us;
    int64_t believed_us = atomic_load_explicit(&env_believed_us, memory_order_relaxed);
    int64_t latest_us = atomic_load_explicit(&env_latest_us, memory_order_relaxed);
    bool known = believed_us != CLOCK_UNKNOWN;
    if (known && offset_us - believed_us > CLOCK_STEP_US &&
        !env_step_stands(offset_us, boot_us))
        return boot_us + believed_us;
    if (known && env_far_back(wall_us, boot_us, latest_us)) {
        env_follow(believed_us, believed_us);
        return boot_us + believed_us;
    }
    env_follow(offset_us, believed_us);
    env_remember_highest(offset_us, boot_us);
    return wall_us;
}

void env_tick(struct env *env)
{
    int64_t offset_us = atomic_load_explicit(&env_offset_us, memory_order_relaxed);
    // In this order: a thread that is interrupted in between sees a step forward, which has to
    // stand, and never one back.
    env->boot_us = env_clock(CLOCK_BOOTTIME) + offset_us;
    env->wall_us = env_clock(CLOCK_REALTIME) + offset_us +
                   atomic_load_explicit(&env_wall_step_us, memory_order_relaxed);
    env->now_us = env_believe(env->wall_us, env->boot_us);
    int64_t latest = atomic_load_explicit(&env_latest_us, memory_order_relaxed);
    while (latest < env->now_us &&
           !atomic_compare_exchange_weak(&env_latest_us, &latest, env->now_us))
        ;
    env->latest_us = latest > env->now_us ? latest : env->now_us;
    env->mono_us = env_mono();
}

struct env_clock_state env_clock_state(const struct env *env)
{
    struct env_clock_state state = {ENV_CLOCK_GOOD, env->wall_us - env->latest_us};
    if (state.off_us < -CLOCK_BEHIND_US)
        state.clock = ENV_CLOCK_BEHIND;
    else if (env->now_us < env->wall_us)
        state.clock = ENV_CLOCK_AHEAD;
    return state;
}

static bool env_getrandom(uint8_t *out, size_t len)
{
    if (fault_here(FAULT_RANDOM))
        return false;
    size_t have = 0;
    while (have < len) {
        ssize_t got = getrandom(out + have, len - have, 0);
        if (got < 0 && errno != EINTR)
            return false;
        have += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static unsigned env_life; // one more in each child; no thread is beside the one that counts

void env_forked(void)
{
    env_life++;
}

bool env_random(struct env *env, void *ret_bytes, size_t len)
{
    if (len > sizeof env->random)
        return env_getrandom(ret_bytes, len);
    if (len > env->random_left || env->random_life != env_life) {
        env->random_left = 0;
        if (!env_getrandom(env->random, sizeof env->random))
            return false;
        env->random_left = sizeof env->random;
        env->random_life = env_life;
    }
    uint8_t *at = env->random + sizeof env->random - env->random_left;
    memcpy(ret_bytes, at, len);
    explicit_bzero(at, len); // what was handed out is not kept
    env->random_left -= len;
    return true;
}

bool env_random_u64(struct env *env, uint64_t *ret_value)
{
    return env_random(env, ret_value, sizeof *ret_value);
}

unsigned env_cores(void)
{
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&cores);
}
