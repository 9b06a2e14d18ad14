// SPDX-License-Identifier: Apache-2.0
#include "keyring/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "codec/json_write.h"
#include "crypto/compare.h"
#include "crypto/wipe.h"
#include "keyring/inside.h"
#include "keyring/make.h"
#include "keyring/reason.h"
#include "keyring/wrap.h"
#include "model/event.h"

#define CHANGE_KEYS_MAX 512
#define KEYRING_GUARD_MAX 256 // a data key: the first of all rows

// What a change starts from: the keys as they are in memory, and the master key.
struct change {
    struct keyring *keyring;
    struct env *env;
    const struct keyring_actor *actor;
    struct store_batch *batch;
    struct secret_bytes master;
    uint8_t guard[KEYRING_GUARD_MAX]; // what it wraps, as the store has it
    size_t guard_len;
    struct rotation_key keys[CHANGE_KEYS_MAX];
    char kids[CHANGE_KEYS_MAX][KEYRING_KID_MAX];
    size_t kid_lens[CHANGE_KEYS_MAX];
    size_t count;
    uint64_t next_id;
    bool compromise; // what goes, goes because somebody said so
};

struct rotation_rules keyring_rules(struct keyring *keyring)
{
    pthread_mutex_lock(&keyring->rules_lock);
    struct rotation_rules rules = keyring->rules;
    pthread_mutex_unlock(&keyring->rules_lock);
    return rules;
}

static void change_destroy(struct change *change)
{
    if (!change)
        return;
    secret_bytes_finish(&change->master);
    free(change);
}

static void change_add_key(struct change *change, const struct signing_key *key)
{
    size_t at = change->count;
    if (at == CHANGE_KEYS_MAX || key->kid.len > KEYRING_KID_MAX)
        return;
    change->keys[at] = (struct rotation_key){
        .id = key->id,
        // The table's own, which outlives the set.
        .algorithm = verify_key_algorithm(key->public_key)->name,
        .state = key->state,
        .state_us = key->state_us,
        .last_expiry_us = key->last_expiry_us,
    };
    memcpy(change->kids[at], key->kid.ptr, key->kid.len);
    change->kid_lens[at] = key->kid.len;
    change->count++;
}

// Under the lock the set stays, and with it its text.
static struct change *change_create(struct keyring *keyring, struct env *env,
                                    const struct keyring_actor *actor)
{
    struct change *change = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *change);
    if (!change)
        return NULL;
    change->keyring = keyring;
    change->env = env;
    change->actor = actor;
    pthread_mutex_lock(&keyring->lock);
    const struct keyring_set *set = keyring_current(keyring);
    for (size_t i = 0; i < set->signing_count; i++)
        change_add_key(change, &set->signing[i]);
    change->next_id = set->last_id + 1;
    change->guard_len = set->guard.len < KEYRING_GUARD_MAX ? set->guard.len : 0;
    memcpy(change->guard, set->guard.ptr, change->guard_len);
    memcpy(change->master.bytes, keyring->master.bytes, MASTER_SIZE);
    change->master.len = MASTER_SIZE;
    pthread_mutex_unlock(&keyring->lock);
    return change;
}

static struct str change_kid(const struct change *change, uint64_t id)
{
    for (size_t i = 0; i < change->count; i++)
        if (change->keys[i].id == id)
            return str_of(change->kids[i], change->kid_lens[i]);
    return STR_NONE;
}

// ---------------------------------------------------------------------------------- the batch

static enum event change_event(const struct change *change, enum rotation_act act)
{
    switch (act) {
    case ROTATION_ANNOUNCE:
    case ROTATION_RENEW:
        return EVENT_KEY_ANNOUNCE;
    case ROTATION_REPLACE:
    case ROTATION_SIGN:
        return EVENT_KEY_SIGN;
    case ROTATION_RETIRE:
        return EVENT_KEY_RETIRE;
    case ROTATION_END:
        return change->compromise ? EVENT_KEY_COMPROMISE : EVENT_KEY_END;
    }
    return EVENT_KEY_END;
}

static void change_audit(struct change *change, enum event event, struct str object,
                         struct str detail)
{
    struct store_batch *batch = change->batch;
    struct store_verb *audit = store_batch_add(batch, VERB_AUDIT, STORE_OPERATOR);
    audit->audit.actor = store_batch_copy(batch, change->actor->name);
    audit->audit.action = event_word(event);
    audit->audit.object = store_batch_copy(batch, object);
    audit->audit.detail = detail;
    audit->audit.request_id = store_batch_copy(batch, change->actor->request_id);
}

static void change_audit_key(struct change *change, const struct rotation_step *step,
                             struct str kid, enum key_state to)
{
    struct buf text;
    struct json_writer json;
    buf_init_arena(&text, &change->batch->arena, 128);
    json_writer_init(&json, &text);
    json_object_begin(&json);
    json_key_str(&json, STR("algorithm"), step->algorithm);
    if (step->id)
        json_key_str(&json, STR("before"), key_state_name(step->from));
    json_key_str(&json, STR("after"), key_state_name(to));
    json_object_end(&json);
    if (text.failed)
        change->batch->no_memory = true;
    change_audit(change, change_event(change, step->act), kid, buf_str(&text));
}

static enum twoleg_error change_make(struct change *change, const struct rotation_step *step,
                                     struct str *ret_kid)
{
    struct make_order order = {.id = change->next_id++,
                               .algorithm = sign_algorithm_find(step->algorithm),
                               .state = key_state_name(rotation_target(step->act)),
                               .guard = str_of(change->guard, change->guard_len)};
    if (!order.algorithm)
        return TWOLEG_INTERNAL;
    return make_signing_key(change->batch, change->master.bytes, change->env, &order, ret_kid);
}

static void change_move(struct change *change, const struct rotation_step *step)
{
    struct store_verb *verb = store_batch_add(change->batch, VERB_KEY_STATE, STORE_OPERATOR);
    verb->key.id = step->id;
    verb->key.state = key_state_name(rotation_target(step->act));
    verb->key.state_us = change->batch->now_us;
    verb->key.last_expiry_us = step->last_expiry_us;
    verb->expected_state = key_state_name(step->from);
}

static enum twoleg_error change_step(struct change *change, const struct rotation_step *step,
                                     struct keyring_outcome *outcome)
{
    struct str kid = change_kid(change, step->id);
    if (step->id) {
        change_move(change, step);
    } else {
        enum twoleg_error error = change_make(change, step, &kid);
        if (error)
            return error;
    }
    change_audit_key(change, step, kid, rotation_target(step->act));
    if (!outcome)
        return TWOLEG_NONE;
    struct keyring_done *done = &outcome->steps[outcome->count++];
    *done = (struct keyring_done){.act = step->act, .algorithm = step->algorithm};
    done->kid_len = kid.len < sizeof done->kid ? kid.len : sizeof done->kid;
    memcpy(done->kid, kid.ptr, done->kid_len);
    return TWOLEG_NONE;
}

// The batch of a plan, which is the caller's. Its clock is the trusted one: states are compared
// with that.
static enum twoleg_error change_build(struct change *change, const struct rotation_plan *plan,
                                      struct keyring_outcome *outcome)
{
    change->batch = store_batch_create(change->env->latest_us);
    enum twoleg_error error = change->batch ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < plan->count && !error; i++)
        error = change_step(change, &plan->steps[i], outcome);
    if (!error && change->batch->no_memory)
        error = TWOLEG_NO_MEMORY;
    return error;
}

// ---------------------------------------------------------------------------------- by itself

static const struct keyring_actor change_server = {{"server", 6}, {"", 0}};

static void change_turn_done(struct store_batch *batch)
{
    struct keyring *keyring = batch->context;
    store_batch_destroy(batch);
    keyring_release(keyring);
}

// The claim goes over to the batch, once that is the store's.
static bool change_turn(struct keyring *keyring, struct env *env)
{
    struct rotation_plan plan = {.count = 0};
    struct change *change = change_create(keyring, env, &change_server);
    if (!change)
        return false;
    const struct rotation_rules rules = keyring_rules(keyring);
    rotation_due(&rules, change->keys, change->count, env->latest_us, &plan);
    bool sent = false;
    if (plan.count > 0 && change_build(change, &plan, NULL) == TWOLEG_NONE) {
        change->batch->done = change_turn_done;
        change->batch->context = keyring;
        sent = store_submit(keyring->store, change->batch) == TWOLEG_NONE;
    }
    if (!sent)
        store_batch_destroy(change->batch);
    change_destroy(change);
    return sent;
}

void keyring_turn(struct keyring *keyring, struct env *env)
{
    // What is in memory may be old, and then so would be what is due.
    if (keyring_stale(keyring) || !keyring_claim(keyring, false))
        return;
    if (!change_turn(keyring, env))
        keyring_release(keyring);
}

// The set knows no keys that are gone: they are of the rows.
static enum twoleg_error change_add_gone(struct change *change)
{
    struct arena arena;
    struct store_key *rows;
    size_t count;
    arena_init(&arena, NULL, KEYS_READ_MAX);
    enum twoleg_error error = keyring_read_rows(change->keyring, &arena, &rows, &count);
    for (size_t i = 0; !error && i < count && change->count < CHANGE_KEYS_MAX; i++) {
        const struct sign_algorithm *algorithm = sign_algorithm_find(rows[i].algorithm);
        if (algorithm && str_equal(rows[i].state, key_state_name(KEY_GONE)))
            change->keys[change->count++] = (struct rotation_key){
                .id = rows[i].id, .algorithm = algorithm->name, .state = KEY_GONE};
    }
    arena_finish(&arena);
    return error;
}

enum twoleg_error keyring_replace_gone(struct keyring *keyring, struct env *env, bool *ret_changed,
                                       char reason[static 512])
{
    struct rotation_plan plan = {.count = 0};
    struct change *change = change_create(keyring, env, &change_server);
    if (!change)
        return reason_set(reason, TWOLEG_NO_MEMORY, "no memory for the keys");
    enum twoleg_error error = change_add_gone(change);
    if (!error)
        rotation_replace_gone(change->keys, change->count, &plan);
    if (!error && plan.count > 0)
        error = change_build(change, &plan, NULL);
    if (!error && plan.count > 0)
        error = store_commit(keyring->store, change->batch);
    store_batch_destroy(change->batch);
    change_destroy(change);
    // Another server was first: its key is as good.
    if (error && error != TWOLEG_CONFLICT && error != TWOLEG_VERSION_CONFLICT)
        return reason_set(reason, error, "no key can be made in place of one that is gone: %s",
                          twoleg_error_text(error));
    *ret_changed = plan.count > 0;
    return TWOLEG_NONE;
}

// ---------------------------------------------------------------------------------- on demand

static enum twoleg_error change_commit(struct change *change, struct keyring_outcome *outcome)
{
    enum twoleg_error error = store_commit(change->keyring->store, change->batch);
    if (error == TWOLEG_CONFLICT || error == TWOLEG_VERSION_CONFLICT)
        return reason_set(outcome->reason, TWOLEG_CONFLICT,
                          "the keys were changed by somebody else meanwhile; look at `twoleg key "
                          "list` and try again");
    char words[STORE_WORDS];
    if (error && store_explain(change->keyring->store, error, change->batch->failure, words))
        reason_set(outcome->reason, error, "%s", words);
    return error;
}

static enum twoleg_error change_begin(struct keyring *keyring, struct env *env,
                                      const struct keyring_actor *actor,
                                      struct keyring_outcome *outcome, struct change **ret_change)
{
    memset(outcome, 0, sizeof *outcome);
    if (keyring_stale(keyring))
        return TWOLEG_STORE_BUSY;
    if (!keyring_claim(keyring, true))
        return reason_set(outcome->reason, TWOLEG_CONFLICT,
                          "another change of keys is under way; try again");
    *ret_change = change_create(keyring, env, actor);
    if (*ret_change)
        return TWOLEG_NONE;
    keyring_release(keyring);
    return TWOLEG_NO_MEMORY;
}

static enum twoleg_error change_end(struct change *change, enum twoleg_error error)
{
    store_batch_destroy(change->batch);
    keyring_release(change->keyring);
    change_destroy(change);
    return error;
}

enum twoleg_error keyring_hasten(struct keyring *keyring, struct env *env,
                                 const struct keyring_actor *actor, struct str algorithm,
                                 struct keyring_outcome *outcome)
{
    struct change *change;
    struct rotation_plan plan;
    bool known = algorithm.len == 0;
    enum twoleg_error error = change_begin(keyring, env, actor, outcome, &change);
    if (error)
        return error;
    const struct rotation_rules rules = keyring_rules(keyring); // which stay, under the claim
    outcome->announced_us = rotation_wait_us(&rules, env->latest_us);
    for (size_t i = 0; i < change->count; i++)
        known = known || str_equal(change->keys[i].algorithm, algorithm);
    rotation_hasten(change->keys, change->count, algorithm, env->latest_us, &plan);
    if (!known)
        error = reason_set(outcome->reason, TWOLEG_NOT_FOUND,
                           "no key has the algorithm \"%.*s\": `twoleg key list` shows which "
                           "there are", STR_ARG(str_slice(algorithm, 0, 16)));
    else if (plan.count == 0)
        error = reason_set(outcome->reason, TWOLEG_CONFLICT,
                           "the next key is announced already: `twoleg key list` says when it "
                           "signs");
    if (!error)
        error = change_build(change, &plan, outcome);
    if (!error)
        error = change_commit(change, outcome);
    return change_end(change, error);
}

enum twoleg_error keyring_compromise(struct keyring *keyring, struct env *env,
                                     const struct keyring_actor *actor, struct str kid,
                                     struct keyring_outcome *outcome)
{
    struct change *change;
    struct rotation_plan plan = {.count = 0};
    enum twoleg_error error = change_begin(keyring, env, actor, outcome, &change);
    if (error)
        return error;
    change->compromise = true;
    const struct rotation_rules rules = keyring_rules(keyring);
    outcome->announced_us = rotation_known_us(&rules, env->latest_us);
    for (size_t i = 0; i < change->count; i++)
        if (str_equal(str_of(change->kids[i], change->kid_lens[i]), kid))
            rotation_compromise(change->keys, change->count, change->keys[i].id, &plan);
    if (plan.count == 0)
        error = reason_set(outcome->reason, TWOLEG_NOT_FOUND,
                           "no key that is announced, signing or retired has the kid \"%.*s\"",
                           STR_ARG(str_slice(kid, 0, KEYRING_KID_MAX)));
    if (!error)
        error = change_build(change, &plan, outcome);
    if (!error)
        error = change_commit(change, outcome);
    return change_end(change, error);
}

// ---------------------------------------------------------------------------------- master key

static enum twoleg_error change_rewrap_one(struct change *change, const struct store_key *key,
                                           const uint8_t *next)
{
    char memory[SIGN_KEY_DER_MAX];
    struct buf plain;
    struct store_key fresh = *key;
    buf_init(&plain, memory, sizeof memory);
    enum twoleg_error error = TWOLEG_TOKEN_FORGED;
    if (wrap_open(change->master.bytes, key, &plain))
        error = wrap_seal(next, change->env, buf_str(&plain), &change->batch->arena, &fresh);
    wipe(memory, sizeof memory);
    if (error)
        return error;
    struct store_verb *verb = store_batch_add(change->batch, VERB_KEY_REWRAP, STORE_OPERATOR);
    verb->key.id = key->id;
    verb->key.wrapped = fresh.wrapped;
    verb->expected_wrapped = store_batch_copy(change->batch, key->wrapped);
    return TWOLEG_NONE;
}

static enum twoleg_error change_rewrap(struct change *change, const uint8_t *next)
{
    struct arena arena;
    struct store_key *keys;
    size_t count;
    arena_init(&arena, NULL, KEYS_READ_MAX);
    enum twoleg_error error = keyring_read_rows(change->keyring, &arena, &keys, &count);
    change->batch = error ? NULL : store_batch_create(change->env->latest_us);
    if (!error && !change->batch)
        error = TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < count && !error; i++)
        if (!str_equal(keys[i].state, key_state_name(KEY_GONE)))
            error = change_rewrap_one(change, &keys[i], next);
    arena_finish(&arena);
    if (!error)
        change_audit(change, EVENT_MASTER_ROTATE, STR("master"), STR("{}"));
    if (!error && change->batch->no_memory)
        error = TWOLEG_NO_MEMORY;
    return error;
}

// The commit is durable: whatever became of reading the set anew, the next key is the one in use,
// and nobody may take its file for a left-over.
static void change_master_adopt(struct change *change)
{
    struct keyring *keyring = change->keyring;
    pthread_mutex_lock(&keyring->lock);
    if (secret_equal(keyring->master.bytes, change->master.bytes, MASTER_SIZE))
        master_swap(&keyring->master);
    pthread_mutex_unlock(&keyring->lock);
}

static void change_master_expect(struct keyring *keyring, bool next)
{
    pthread_mutex_lock(&keyring->lock);
    if (next)
        keyring->master.has_next = true;
    else
        master_forget_next(&keyring->master);
    pthread_mutex_unlock(&keyring->lock);
}

// The new key is on the disk and nothing is wrapped under it yet.
static enum twoleg_error change_master(struct change *change, struct keyring_outcome *outcome)
{
    struct keyring *keyring = change->keyring;
    struct master *master = &keyring->master;
    stop_point("master.made");
    enum twoleg_error error = change_rewrap(change, master->next);
    // The set is read anew before the commit is answered, with whichever of the two opens it.
    if (!error) {
        change_master_expect(keyring, true);
        error = change_commit(change, outcome);
        stop_point("master.committed");
    }
    if (!error)
        change_master_adopt(change);
    // Nobody can say whether this commit is on the disk: both files stay, and a start finds out.
    if (error && store_stopped(keyring->store))
        return error;
    char reason[512];
    enum twoleg_error placed = master_place(master, change->env->now_us, reason);
    if (!error && placed)
        reason_set(outcome->reason, TWOLEG_NONE, "%s", reason);
    memcpy(outcome->before, master->before, sizeof outcome->before);
    change_master_expect(keyring, false);
    return error ? error : placed;
}

enum twoleg_error keyring_change_master(struct keyring *keyring, struct env *env,
                                        const struct keyring_actor *actor,
                                        struct keyring_outcome *outcome)
{
    struct change *change;
    enum twoleg_error error = change_begin(keyring, env, actor, outcome, &change);
    if (error)
        return error;
    error = master_make_next(&keyring->master, env, outcome->reason);
    if (!error)
        error = change_master(change, outcome);
    return change_end(change, error);
}
