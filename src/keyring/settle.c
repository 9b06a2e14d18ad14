// SPDX-License-Identifier: Apache-2.0
// The rules of rotation over restarts: the setting "rotation" of the store holds what others may
// still go by.
#include "keyring/change.h"
#include "keyring/inside.h"
#include "keyring/reason.h"

#define SETTLE_TEXT_MAX 128
// Workers that have begun go on under the old rules, and a disk may hang before the new ones count.
#define SETTLE_OVERLAP_US (600 * SECOND_US)

static enum twoleg_error settle_write(struct store_batch *batch,
                                      const struct rotation_rules *rules)
{
    struct buf text;
    buf_init_arena(&text, &batch->arena, SETTLE_TEXT_MAX);
    rotation_rules_write(rules, &text);
    struct store_verb *verb = store_batch_add(batch, VERB_SETTING_SET, STORE_OPERATOR);
    verb->setting.name = STR("rotation");
    verb->setting.value = buf_str(&text);
    return text.failed ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

static enum twoleg_error settle_store(struct store *store, const struct rotation_rules *rules,
                                      struct env *env)
{
    struct store_batch *batch = store_batch_create(env->now_us);
    enum twoleg_error error = batch ? settle_write(batch, rules) : TWOLEG_NO_MEMORY;
    if (!error)
        error = store_commit(store, batch);
    store_batch_destroy(batch);
    return error;
}

enum twoleg_error keyring_settle(struct keyring *keyring, const struct rotation_rules *configured,
                                 struct env *env, char reason[static 512])
{
    struct arena arena;
    struct str text;
    struct rotation_rules stored;
    arena_init(&arena, NULL, KEYS_READ_MAX);
    struct store_reader *reader = store_reader_borrow(keyring->store);
    enum twoleg_error error = store_setting(reader, STR("rotation"), &arena, &text);
    store_reader_return(keyring->store);
    bool known = !error;
    bool whole = !known || rotation_rules_read(text, &stored);
    arena_finish(&arena);
    if (!whole)
        return reason_set(reason, TWOLEG_REFUSED,
                          "the setting \"rotation\" in the store is damaged: restore a backup");
    if (error == TWOLEG_NOT_FOUND)
        error = TWOLEG_NONE;
    if (!error && rotation_settle(known ? &stored : NULL, configured, env->latest_us,
                                  &keyring->rules))
        error = settle_store(keyring->store, &keyring->rules, env);
    if (error)
        return reason_set(reason, error, "the rules of rotation cannot be stored: %s",
                          twoleg_error_text(error));
    return TWOLEG_NONE;
}

// Under the claim: no plan that was made from the old rules meets the new ones.
static enum twoleg_error settle_change(struct keyring *keyring,
                                       const struct rotation_rules *configured, struct env *env,
                                       struct store_batch *batch)
{
    const struct rotation_rules before = keyring_rules(keyring);
    struct rotation_rules after;
    enum twoleg_error error = TWOLEG_NONE;
    if (rotation_settle(&before, configured, env->latest_us + SETTLE_OVERLAP_US, &after))
        error = settle_write(batch, &after);
    if (!error)
        error = store_commit(keyring->store, batch);
    if (error)
        return error;
    pthread_mutex_lock(&keyring->rules_lock);
    keyring->rules = after;
    pthread_mutex_unlock(&keyring->rules_lock);
    return TWOLEG_NONE;
}

static bool settle_is_same(const struct rotation_rules *a, const struct rotation_rules *b)
{
    return a->period_us == b->period_us && a->age.value_us == b->age.value_us &&
           a->life.value_us == b->life.value_us;
}

enum twoleg_error keyring_change_rules(struct keyring *keyring,
                                       const struct rotation_rules *configured, struct env *env,
                                       struct store_batch *batch, char ret_reason[static 512])
{
    const struct rotation_rules before = keyring_rules(keyring);
    bool same = settle_is_same(&before, configured);
    if (!same && !keyring_claim(keyring, true))
        return reason_set(ret_reason, TWOLEG_CONFLICT,
                          "another change of keys is under way; try again");
    enum twoleg_error error = same ? store_commit(keyring->store, batch)
                                   : settle_change(keyring, configured, env, batch);
    if (!same)
        keyring_release(keyring);
    char words[STORE_WORDS];
    if (error && store_explain(keyring->store, error, batch->failure, words))
        reason_set(ret_reason, error, "%s", words);
    else if (error)
        reason_set(ret_reason, error, "the change cannot be stored: %s", twoleg_error_text(error));
    return error;
}
