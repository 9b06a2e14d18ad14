// SPDX-License-Identifier: Apache-2.0
#include "daemon/purge.h"

#define PURGE_WAIT_US (86400 * SECOND_US)
#define PURGE_GRACE_S 86400           // kept beyond their expiry
#define PURGE_APART_US (60 * SECOND_US) // how far a steered clock may go in a day

static void purge_note(struct purge *purge, const struct env *env)
{
    *purge = (struct purge){.noted = true,
                            .before_s = env->now_us / SECOND_US - PURGE_GRACE_S,
                            .now_us = env->now_us,
                            .boot_us = env->boot_us};
}

bool purge_due(struct purge *purge, const struct env *env, int64_t *ret_before_s)
{
    int64_t counted_us = env->boot_us - purge->boot_us;
    int64_t apart_us = env->now_us - purge->now_us - counted_us;
    bool alike = apart_us <= PURGE_APART_US && apart_us >= -PURGE_APART_US;
    if (!purge->noted || !alike || env_clock_state(env).clock != ENV_CLOCK_GOOD) {
        purge_note(purge, env);
        return false;
    }
    if (counted_us < PURGE_WAIT_US)
        return false;
    *ret_before_s = purge->before_s;
    purge_note(purge, env);
    return true;
}
