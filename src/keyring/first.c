// SPDX-License-Identifier: Apache-2.0
#include "keyring/first.h"

#include "codec/json_write.h"
#include "crypto/wipe.h"
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

static enum twoleg_error first_wrap(const struct sign_key *private_key, const uint8_t *master,
                                    struct env *env, struct arena *arena, struct store_key *key)
{
    char der[SIGN_KEY_DER_MAX];
    struct buf plain;
    buf_init(&plain, der, sizeof der);
    enum twoleg_error error = sign_key_to_der(private_key, &plain);
    if (!error)
        error = wrap_seal(master, env, buf_str(&plain), arena, key);
    wipe(der, sizeof der);
    return error;
}

// It signs at once: there is nobody yet who could have the key set in a cache.
static enum twoleg_error first_signing(struct store_batch *batch, const uint8_t *master,
                                       struct env *env)
{
    const struct sign_algorithm *algorithm = sign_algorithm_es256();
    struct sign_key *private_key;
    enum twoleg_error error = sign_key_create(algorithm, &private_key);
    if (error)
        return error;
    struct jwk jwk = {.algorithm = algorithm, .point = sign_key_point(private_key)};
    struct jwk_kid kid = jwk_kid(algorithm, &jwk.point);
    jwk.kid = store_batch_copy(batch, str_of(kid.text, sizeof kid.text));
    struct buf text;
    struct json_writer json;
    buf_init_arena(&text, &batch->arena, 512);
    json_writer_init(&json, &text);
    jwk_write(&json, &jwk);
    struct store_key key = {.id = FIRST_SIGN,
                            .purpose = STR("sign"),
                            .algorithm = algorithm->name,
                            .kid = jwk.kid,
                            .state = STR("signing"),
                            .public_jwk = buf_str(&text),
                            .created_us = batch->now_us,
                            .state_us = batch->now_us};
    error = key.public_jwk.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    if (!error)
        error = first_wrap(private_key, master, env, &batch->arena, &key);
    sign_key_free(&private_key);
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
        error = first_signing(batch, master, env);
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
