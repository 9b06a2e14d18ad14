// SPDX-License-Identifier: Apache-2.0
#include "keyring/rotation.h"

// Promise 3: a change is on every node after this time.
#define ROTATION_FEED_US (2 * SECOND_US)
// Workers sign with a key until its end as signing key is durable, and a disk may hang.
#define ROTATION_COMMIT_US (600 * SECOND_US)

struct str key_state_name(enum key_state state)
{
    static const struct str names[] = {[KEY_ANNOUNCED] = {"announced", 9},
                                       [KEY_SIGNING] = {"signing", 7},
                                       [KEY_RETIRED] = {"retired", 7},
                                       [KEY_GONE] = {"gone", 4}};
    return names[state];
}

enum key_state rotation_target(enum rotation_act act)
{
    static const enum key_state targets[] = {[ROTATION_ANNOUNCE] = KEY_ANNOUNCED,
                                             [ROTATION_RENEW] = KEY_ANNOUNCED,
                                             [ROTATION_REPLACE] = KEY_SIGNING,
                                             [ROTATION_SIGN] = KEY_SIGNING,
                                             [ROTATION_RETIRE] = KEY_RETIRED,
                                             [ROTATION_END] = KEY_GONE};
    return targets[act];
}

static int64_t rotation_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t rotation_announce_us(int64_t age_us)
{
    return 2 * age_us + ROTATION_FEED_US;
}

static void rotation_add(struct rotation_plan *plan, struct rotation_step step)
{
    if (plan->count < ROTATION_STEPS_MAX)
        plan->steps[plan->count++] = step;
}

static const struct rotation_key *rotation_find(const struct rotation_key *keys, size_t count,
                                                struct str algorithm, enum key_state state)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].state == state && str_equal(keys[i].algorithm, algorithm))
            return &keys[i];
    return NULL;
}

static void rotation_move(struct rotation_plan *plan, enum rotation_act act,
                          const struct rotation_key *key, int64_t last_expiry_us)
{
    rotation_add(plan, (struct rotation_step){.act = act,
                                              .id = key->id,
                                              .algorithm = key->algorithm,
                                              .from = key->state,
                                              .last_expiry_us = last_expiry_us});
}

static void rotation_make(struct rotation_plan *plan, enum rotation_act act, struct str algorithm)
{
    rotation_add(plan, (struct rotation_step){.act = act, .algorithm = algorithm});
}

// Of a key announced then. No set without it is kept for longer than the configuration allows at
// most: an end of the old age beyond that comes of a clock that was wrong, and is not waited for.
static int64_t rotation_sign_us(const struct rotation_bound *age, int64_t announced_us)
{
    int64_t most_us = announced_us + rotation_announce_us(ROTATION_AGE_MAX_US);
    int64_t least_us = announced_us + rotation_announce_us(age->value_us);
    return rotation_later(least_us, age->until_us < most_us ? age->until_us : most_us);
}

int64_t rotation_wait_us(const struct rotation_rules *rules, int64_t now_us)
{
    return rotation_sign_us(&rules->age, now_us) - now_us;
}

int64_t rotation_known_us(const struct rotation_rules *rules, int64_t now_us)
{
    bool older = rules->age.until_us > now_us;
    return rotation_announce_us(older ? ROTATION_AGE_MAX_US : rules->age.value_us);
}

int64_t rotation_next_us(const struct rotation_rules *rules, const struct rotation_key *key)
{
    switch (key->state) {
    case KEY_ANNOUNCED:
        return rotation_sign_us(&rules->age, key->state_us);
    case KEY_SIGNING:
        return rules->period_us ? key->state_us + rules->period_us : 0;
    case KEY_RETIRED:
        return key->last_expiry_us;
    case KEY_GONE:
        return 0;
    }
    return 0;
}

// The new key signs and the old one retires in one batch: there is never none, and never two.
static void rotation_swap(const struct rotation_rules *rules, const struct rotation_key *keys,
                          size_t count, const struct rotation_key *next, int64_t now_us,
                          struct rotation_plan *plan)
{
    int64_t last_us = rotation_later(now_us + rules->life.value_us + ROTATION_COMMIT_US,
                                     rules->life.until_us);
    size_t before = plan->count;
    rotation_move(plan, ROTATION_SIGN, next, 0);
    for (size_t i = 0; i < count; i++)
        if (keys[i].state == KEY_SIGNING && str_equal(keys[i].algorithm, next->algorithm))
            rotation_move(plan, ROTATION_RETIRE, &keys[i], last_us);
    // Cut short, it would be half a swap.
    if (plan->count == ROTATION_STEPS_MAX)
        plan->count = before;
}

static void rotation_due_one(const struct rotation_rules *rules, const struct rotation_key *keys,
                             size_t count, const struct rotation_key *key, int64_t now_us,
                             struct rotation_plan *plan)
{
    int64_t announce_us = rotation_announce_us(rules->age.value_us);
    int64_t next_us = rotation_next_us(rules, key);
    const struct str algorithm = key->algorithm;
    if (key->state == KEY_RETIRED && now_us >= next_us)
        rotation_move(plan, ROTATION_END, key, 0);
    // Without a signing key there is no token that a cache could fail to know.
    if (key->state == KEY_ANNOUNCED && key == rotation_find(keys, count, algorithm, key->state) &&
        (now_us >= next_us || !rotation_find(keys, count, algorithm, KEY_SIGNING)))
        rotation_swap(rules, keys, count, key, now_us, plan);
    if (key->state == KEY_SIGNING && key == rotation_find(keys, count, algorithm, key->state) &&
        rules->period_us && now_us >= next_us - announce_us &&
        !rotation_find(keys, count, algorithm, KEY_ANNOUNCED))
        rotation_make(plan, ROTATION_ANNOUNCE, algorithm);
}

void rotation_due(const struct rotation_rules *rules, const struct rotation_key *keys,
                  size_t count, int64_t now_us, struct rotation_plan *ret_plan)
{
    ret_plan->count = 0;
    for (size_t i = 0; i < count; i++)
        rotation_due_one(rules, keys, count, &keys[i], now_us, ret_plan);
}

void rotation_hasten(const struct rotation_key *keys, size_t count, struct str algorithm,
                     int64_t now_us, struct rotation_plan *ret_plan)
{
    ret_plan->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rotation_key *key = &keys[i];
        bool named = algorithm.len == 0 || str_equal(key->algorithm, algorithm);
        if (named && key->state == KEY_ANNOUNCED && key->state_us - now_us > ENV_AHEAD_US)
            rotation_move(ret_plan, ROTATION_RENEW, key, 0);
        if (named && key == rotation_find(keys, count, key->algorithm, KEY_SIGNING) &&
            !rotation_find(keys, count, key->algorithm, KEY_ANNOUNCED))
            rotation_make(ret_plan, ROTATION_ANNOUNCE, key->algorithm);
    }
}

void rotation_compromise(const struct rotation_key *keys, size_t count, uint64_t id,
                         struct rotation_plan *ret_plan)
{
    ret_plan->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (keys[i].id != id)
            continue;
        rotation_move(ret_plan, ROTATION_END, &keys[i], 0);
        if (keys[i].state != KEY_SIGNING)
            return;
        const struct rotation_key *next =
            rotation_find(keys, count, keys[i].algorithm, KEY_ANNOUNCED);
        if (next)
            rotation_move(ret_plan, ROTATION_SIGN, next, 0);
        else
            rotation_make(ret_plan, ROTATION_REPLACE, keys[i].algorithm);
    }
}

void rotation_replace_gone(const struct rotation_key *keys, size_t count,
                           struct rotation_plan *ret_plan)
{
    ret_plan->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct str algorithm = keys[i].algorithm;
        if (keys[i].state != KEY_GONE || rotation_find(keys, count, algorithm, KEY_SIGNING) ||
            &keys[i] != rotation_find(keys, count, algorithm, KEY_GONE))
            continue;
        const struct rotation_key *next = rotation_find(keys, count, algorithm, KEY_ANNOUNCED);
        if (next)
            rotation_move(ret_plan, ROTATION_SIGN, next, 0);
        else
            rotation_make(ret_plan, ROTATION_REPLACE, algorithm);
    }
}

// What was made a moment ago under the old value may last so long.
static bool rotation_bound_settle(const struct rotation_bound *stored, int64_t value_us,
                                  int64_t reach_us, int64_t now_us,
                                  struct rotation_bound *ret_bound)
{
    *ret_bound = *stored;
    if (stored->value_us == value_us)
        return false;
    ret_bound->value_us = value_us;
    ret_bound->until_us = rotation_later(stored->until_us, now_us + reach_us);
    return true;
}

bool rotation_settle(const struct rotation_rules *stored, const struct rotation_rules *configured,
                     int64_t now_us, struct rotation_rules *ret_rules)
{
    *ret_rules = (struct rotation_rules){.period_us = configured->period_us,
                                         .age.value_us = configured->age.value_us,
                                         .life.value_us = configured->life.value_us};
    if (!stored)
        return true;
    bool age = rotation_bound_settle(&stored->age, configured->age.value_us,
                                     rotation_announce_us(stored->age.value_us), now_us,
                                     &ret_rules->age);
    bool life = rotation_bound_settle(&stored->life, configured->life.value_us,
                                      stored->life.value_us, now_us, &ret_rules->life);
    return age || life;
}
