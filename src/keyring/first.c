// SPDX-License-Identifier: Apache-2.0
#include "keyring/first.h"

#include "crypto/wipe.h"
#include "keyring/make.h"
#include "keyring/wrap.h"

// Ids are small and in order; the store refuses a second one of the same number.
enum { FIRST_SECRET = 1, FIRST_SEAL, FIRST_JTI, FIRST_SIGN };

static enum twoleg_error first_data(struct store_batch *batch, const uint8_t *master,
                                    struct env *env, struct store_key key)
{
    struct secret_bytes SECRET_BYTES_WIPED plain = {.len = 32};
    if (!env_random(env, plain.bytes, plain.len))
        return TWOLEG_NO_RANDOM;
    key.state = STR("active");
    key.created_us = key.state_us = batch->now_us;
    enum twoleg_error error =
        wrap_seal(master, env, str_of(plain.bytes, plain.len), &batch->arena, &key);
    if (!error)
        store_batch_add(batch, VERB_KEY_CREATE, STORE_OPERATOR)->key = key;
    return error;
}

static enum twoleg_error first_verbs(struct store_batch *batch, const uint8_t *master,
                                     struct env *env)
{
    // First: of two servers that start on one new store, the second one's batch is refused here.
    struct store_verb *marker = store_batch_add(batch, VERB_SETTING_CREATE, STORE_OPERATOR);
    marker->setting.name = STR("keyring");
    marker->setting.value = STR("1");
    enum twoleg_error error = first_data(
        batch, master, env, (struct store_key){.id = FIRST_SECRET, .purpose = STR("secret")});
    if (!error)
        error = first_data(batch, master, env,
                           (struct store_key){.id = FIRST_SEAL, .purpose = STR("seal")});
    if (!error)
        error = first_data(batch, master, env,
                           (struct store_key){.id = FIRST_JTI, .purpose = STR("jti")});
    if (!error)
        // It signs at once: there is nobody yet who could have the key set in a cache.
        error = make_signing_key(batch, master, env,
                                 &(struct make_order){.id = FIRST_SIGN,
                                                      .algorithm = sign_algorithm_es256(),
                                                      .state = key_state_name(KEY_SIGNING)},
                                 NULL);
    return error;
}

enum twoleg_error keyring_make_first(struct store *store, const uint8_t *master, struct env *env)
{
    struct store_batch *batch = store_batch_create(env->now_us);
    if (!batch)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = first_verbs(batch, master, env);
    if (!error)
        error = store_commit(store, batch);
    store_batch_destroy(batch);
    return error;
}
