// SPDX-License-Identifier: Apache-2.0
// The rules of rotation over restarts: the setting "rotation" of the store holds what others may
// still go by.
#include "keyring/inside.h"
#include "keyring/reason.h"

#define SETTLE_TEXT_MAX 128

static enum twoleg_error settle_write(struct store *store, const struct rotation_rules *rules,
                                      struct env *env)
{
    struct buf text;
    struct store_batch *batch = store_batch_create(env->now_us);
    if (!batch)
        return TWOLEG_NO_MEMORY;
    buf_init_arena(&text, &batch->arena, SETTLE_TEXT_MAX);
    rotation_rules_write(rules, &text);
    struct store_verb *verb = store_batch_add(batch, VERB_SETTING_SET, STORE_OPERATOR);
    verb->setting.name = STR("rotation");
    verb->setting.value = buf_str(&text);
    enum twoleg_error error = text.failed ? TWOLEG_NO_MEMORY : store_commit(store, batch);
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
        error = settle_write(keyring->store, &keyring->rules, env);
    if (error)
        return reason_set(reason, error, "the rules of rotation cannot be stored: %s",
                          twoleg_error_text(error));
    return TWOLEG_NONE;
}
