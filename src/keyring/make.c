// SPDX-License-Identifier: Apache-2.0
#include "keyring/make.h"

#include "codec/json_write.h"
#include "crypto/wipe.h"
#include "keyring/wrap.h"

static enum twoleg_error make_wrap(const struct sign_key *private_key, const uint8_t *master,
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

// Kid and public half of the row, in the batch.
static enum twoleg_error make_public(struct store_batch *batch, const struct sign_key *private_key,
                                     const struct sign_algorithm *algorithm,
                                     struct store_key *key)
{
    struct jwk jwk = {.algorithm = algorithm, .point = sign_key_point(private_key)};
    struct jwk_kid kid = jwk_kid(algorithm, &jwk.point);
    struct buf text;
    struct json_writer json;
    jwk.kid = key->kid = store_batch_copy(batch, str_of(kid.text, sizeof kid.text));
    buf_init_arena(&text, &batch->arena, 512);
    json_writer_init(&json, &text);
    jwk_write(&json, &jwk);
    key->public_jwk = buf_str(&text);
    return key->public_jwk.ptr && !batch->no_memory ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

// A kid that begins with a dash would look like an option to whoever must type it in a hurry.
static enum twoleg_error make_named(struct store_batch *batch,
                                    const struct sign_algorithm *algorithm,
                                    struct store_key *key, struct sign_key **ret_private_key)
{
    for (;;) {
        struct sign_key *private_key;
        enum twoleg_error error = sign_key_create(algorithm, &private_key);
        if (error)
            return error;
        error = make_public(batch, private_key, algorithm, key);
        if (!error && key->kid.ptr[0] != '-') {
            *ret_private_key = private_key;
            return TWOLEG_NONE;
        }
        sign_key_free(&private_key);
        if (error)
            return error;
    }
}

enum twoleg_error make_signing_key(struct store_batch *batch, const uint8_t *master,
                                   struct env *env, const struct make_order *order,
                                   struct str *ret_kid)
{
    struct store_key key = {.id = order->id,
                            .purpose = STR("sign"),
                            .algorithm = order->algorithm->name,
                            .state = order->state,
                            .created_us = batch->now_us,
                            .state_us = batch->now_us};
    struct sign_key *private_key;
    enum twoleg_error error = make_named(batch, order->algorithm, &key, &private_key);
    if (error)
        return error;
    error = make_wrap(private_key, master, env, &batch->arena, &key);
    sign_key_free(&private_key);
    if (error)
        return error;
    struct store_verb *verb = store_batch_add(batch, VERB_KEY_CREATE, STORE_OPERATOR);
    verb->key = key;
    verb->expected_wrapped = store_batch_copy(batch, order->guard);
    if (ret_kid)
        *ret_kid = key.kid;
    return TWOLEG_NONE;
}
