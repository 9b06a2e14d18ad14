// SPDX-License-Identifier: Apache-2.0
#include "keyring/make.h"

#include "base/fault.h"
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

// Kid and public half of the row.
static enum twoleg_error make_public(const struct sign_key *private_key,
                                     const struct sign_algorithm *algorithm, struct arena *arena,
                                     struct store_key *key)
{
    struct jwk jwk = {.algorithm = algorithm, .key = *sign_key_public(private_key)};
    struct jwk_kid kid = jwk_kid(algorithm, &jwk.key);
    struct buf text;
    struct json_writer json;
    jwk.kid = key->kid = arena_copy(arena, str_of(kid.text, sizeof kid.text));
    buf_init_arena(&text, arena, 512);
    json_writer_init(&json, &text);
    jwk_write(&json, &jwk);
    key->public_jwk = buf_str(&text);
    return key->public_jwk.ptr && key->kid.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

enum twoleg_error make_row(const struct sign_key *private_key, const uint8_t *master,
                           struct env *env, const struct make_order *order, struct arena *arena,
                           struct store_key *ret_key)
{
    struct store_key key = {.id = order->id,
                            .purpose = STR("sign"),
                            .algorithm = order->algorithm->name,
                            .state = order->state};
    enum twoleg_error error = make_public(private_key, order->algorithm, arena, &key);
    if (!error)
        error = make_wrap(private_key, master, env, arena, &key);
    if (!error)
        *ret_key = key;
    return error;
}

enum twoleg_error keyring_key_create(const struct sign_algorithm *algorithm,
                                     struct sign_key **ret_private_key)
{
    for (;;) {
        struct sign_key *private_key;
        enum twoleg_error error = sign_key_create(algorithm, &private_key);
        if (error)
            return error;
        if (jwk_kid(algorithm, sign_key_public(private_key)).text[0] != '-') {
            *ret_private_key = private_key;
            return TWOLEG_NONE;
        }
        sign_key_free(&private_key);
    }
}

// An RSA key takes a second or so: rotation has a thread for it.
enum twoleg_error make_signing_key(struct store_batch *batch, const uint8_t *master,
                                   struct env *env, const struct make_order *order,
                                   struct str *ret_kid)
{
    struct sign_key *private_key;
    struct store_key key;
    stop_point("key.make");
    enum twoleg_error error = keyring_key_create(order->algorithm, &private_key);
    if (error)
        return error;
    error = make_row(private_key, master, env, order, &batch->arena, &key);
    sign_key_free(&private_key);
    if (error)
        return error;
    key.created_us = key.state_us = batch->now_us;
    struct store_verb *verb = store_batch_add(batch, VERB_KEY_CREATE, STORE_OPERATOR);
    verb->key = key;
    verb->expected_wrapped = store_batch_copy(batch, order->guard);
    if (ret_kid)
        *ret_kid = key.kid;
    return TWOLEG_NONE;
}
