// SPDX-License-Identifier: Apache-2.0
#include "base/env.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/fault.h"

static _Atomic int64_t env_latest_us;
static _Atomic int64_t env_offset_us; // stays 0 in release: nothing there can set it

#ifdef TWOLEG_TEST_HOOKS
void env_test_offset(int64_t offset_us)
{
    atomic_store(&env_offset_us, offset_us);
}
#endif

static int64_t env_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
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

void env_tick(struct env *env)
{
    env->now_us = env_clock(CLOCK_REALTIME) +
                  atomic_load_explicit(&env_offset_us, memory_order_relaxed);
    int64_t latest = atomic_load_explicit(&env_latest_us, memory_order_relaxed);
    while (latest < env->now_us &&
           !atomic_compare_exchange_weak(&env_latest_us, &latest, env->now_us))
        ;
    env->latest_us = latest > env->now_us ? latest : env->now_us;
    env->mono_us = env_clock(CLOCK_MONOTONIC);
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

bool env_random(struct env *env, void *ret_bytes, size_t len)
{
    if (len > sizeof env->random)
        return env_getrandom(ret_bytes, len);
    if (len > env->random_left) {
        env->random_left = 0;
        if (!env_getrandom(env->random, sizeof env->random))
            return false;
        env->random_left = sizeof env->random;
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
