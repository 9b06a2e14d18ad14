// SPDX-License-Identifier: Apache-2.0
#include "daemon/purge.h"

#define PURGE_DAY_US (86400 * SECOND_US)
#define PURGE_APART_US (60 * SECOND_US) // how far a steered clock may go in a day

static int64_t purge_pace(const struct purge *purge)
{
    return purge->pace_us ? purge->pace_us : PURGE_DAY_US;
}

static void purge_note(struct purge *purge, const struct env *env)
{
    *purge = (struct purge){.pace_us = purge->pace_us,
                            .noted = true,
                            .before_s = (env->now_us - purge_pace(purge)) / SECOND_US,
                            .now_us = env->now_us,
                            .boot_us = env->boot_us};
}

bool purge_due(struct purge *purge, const struct env *env, int64_t *ret_before_s)
{
    int64_t passed_us = env->boot_us - purge->boot_us;
    int64_t apart_us = env->now_us - purge->now_us - passed_us;
    bool alike = apart_us <= PURGE_APART_US && apart_us >= -PURGE_APART_US;
    if (!purge->noted || !alike || env_clock_state(env).clock != ENV_CLOCK_GOOD) {
        purge_note(purge, env);
        return false;
    }
    if (purge->counted_us + passed_us < purge_pace(purge))
        return false;
    *ret_before_s = purge->before_s;
    purge_note(purge, env);
    return true;
}

void purge_write(const struct purge *purge, const struct env *env, struct buf *out)
{
    if (!purge->noted)
        return;
    buf_add_i64(out, purge->before_s);
    buf_add_char(out, ' ');
    buf_add_i64(out, (purge->counted_us + env->boot_us - purge->boot_us) / SECOND_US);
    buf_add_char(out, ' ');
    buf_add_i64(out, env->now_us / SECOND_US);
}

void purge_read(struct purge *purge, const struct env *env, struct str text)
{
    uint64_t numbers[3]; // before, counted, the clock when it was written
    struct str word;
    for (size_t i = 0; i < 3; i++)
        if (!str_word(&text, &word) || !str_to_u64(word, &numbers[i]) ||
            numbers[i] > (uint64_t)(env->now_us + PURGE_APART_US) / SECOND_US)
            return;
    *purge = (struct purge){.pace_us = purge->pace_us,
                            .noted = true,
                            .before_s = (int64_t)numbers[0],
                            .counted_us = (int64_t)numbers[1] * SECOND_US,
                            .now_us = env->now_us,
                            .boot_us = env->boot_us};
}
