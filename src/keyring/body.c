// SPDX-License-Identifier: Apache-2.0
#include "keyring/body.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "codec/json_write.h"
#include "crypto/wipe.h"
#include "jose/jws.h"
#include "keyring/reason.h"
#include "keyring/wrap.h"

#define BODY_TEXT_MAX ((size_t)1024 * 1024)

static const struct str purposes[KEY_PURPOSES] = {
    [KEY_SECRET] = {"secret", 6}, [KEY_SEAL] = {"seal", 4}, [KEY_JTI] = {"jti", 3}};

void keyring_body_destroy(void *object)
{
    struct keyring_body *body = object;
    if (!body)
        return;
    for (size_t i = 0; body->signing && i < body->rows; i++) {
        sign_key_free(&body->signing[i].private_key);
        verify_key_free(&body->signing[i].public_key);
    }
    free(body->signing);
    secret_memory_free(body->data, body->rows * sizeof *body->data);
    arena_finish(&body->arena);
    free(body);
}

static struct keyring_body *keyring_body_new(size_t rows, uint64_t serial)
{
    struct keyring_body *body = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *body);
    if (!body)
        return NULL;
    body->rows = rows ? rows : 1;
    arena_init(&body->arena, NULL, BODY_TEXT_MAX);
    body->signing = calloc(body->rows, sizeof *body->signing);
    body->data = secret_memory_alloc(body->rows * sizeof *body->data);
    if (!body->signing || !body->data) {
        keyring_body_destroy(body);
        return NULL;
    }
    body->set = (struct keyring_set){
        .data = body->data, .signing = body->signing, .serial = serial};
    return body;
}

static bool keyring_purpose(struct str text, enum key_purpose *ret_purpose)
{
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        if (!str_equal(text, purposes[i]))
            continue;
        *ret_purpose = (enum key_purpose)i;
        return true;
    }
    return false;
}

static bool keyring_state(struct str text, enum key_state *ret_state)
{
    for (enum key_state state = KEY_ANNOUNCED; state <= KEY_GONE; state++) {
        if (!str_equal(text, key_state_name(state)))
            continue;
        *ret_state = state;
        return true;
    }
    return false;
}

// MALFORMED: not a key of ours; TOKEN_FORGED: it does not open.
static enum twoleg_error keyring_body_data(struct keyring_body *body, const uint8_t *master,
                                           const struct store_key *key)
{
    struct data_key *data = &body->data[body->set.data_count];
    struct buf out;
    if (key->id == 0 || key->id > UINT32_MAX || !keyring_purpose(key->purpose, &data->purpose))
        return TWOLEG_MALFORMED;
    buf_init(&out, data->raw, sizeof data->raw);
    if (!wrap_open(master, key, &out) || out.len != sizeof data->raw)
        return TWOLEG_TOKEN_FORGED;
    data->id = (uint32_t)key->id;
    data->active = str_equal(key->state, STR("active"));
    enum twoleg_error error = mac_key_init(&data->mac, data->raw, sizeof data->raw);
    if (error)
        return error;
    body->set.data_count++;
    return TWOLEG_NONE;
}

static enum twoleg_error keyring_private(struct signing_key *signing,
                                         const struct sign_algorithm *algorithm,
                                         const uint8_t *master, const struct store_key *key)
{
    char der[SIGN_KEY_DER_MAX];
    struct buf out;
    buf_init(&out, der, sizeof der);
    enum twoleg_error error = TWOLEG_TOKEN_FORGED;
    if (wrap_open(master, key, &out))
        error = sign_key_from_der(algorithm, buf_str(&out), &signing->private_key);
    wipe(der, sizeof der);
    return error;
}

static enum twoleg_error keyring_public(struct signing_key *signing,
                                        const struct sign_algorithm *algorithm,
                                        const struct store_key *key)
{
    struct jwk jwk = {.algorithm = algorithm, .key = *sign_key_public(signing->private_key)};
    // The kid is the key's own: a row that says another is not believed.
    struct jwk_kid kid = jwk_kid(algorithm, &jwk.key);
    if (!str_equal(key->kid, str_of(kid.text, sizeof kid.text)))
        return TWOLEG_MALFORMED;
    return verify_key_create(algorithm, &jwk.key, &signing->public_key);
}

static enum twoleg_error keyring_body_signing(struct keyring_body *body, const uint8_t *master,
                                              const struct store_key *key)
{
    struct signing_key *signing = &body->signing[body->set.signing_count];
    const struct sign_algorithm *algorithm = sign_algorithm_find(key->algorithm);
    if (!algorithm || !keyring_state(key->state, &signing->state))
        return TWOLEG_MALFORMED;
    // D2: the public half is made from the sealed private one, also of a retired key: whoever can
    // write rows cannot have a key of their own published.
    enum twoleg_error error = keyring_private(signing, algorithm, master, key);
    if (!error)
        error = keyring_public(signing, algorithm, key);
    if (!error)
        error = jws_header_init(&signing->header, algorithm, JWT_TYPE, key->kid);
    if (error) {
        // The place is used again for the next key.
        sign_key_free(&signing->private_key);
        verify_key_free(&signing->public_key);
        return error;
    }
    signing->id = key->id;
    signing->algorithm = algorithm->name;
    signing->created_us = key->created_us;
    signing->state_us = key->state_us;
    signing->last_expiry_us = key->last_expiry_us;
    if (signing->state != KEY_SIGNING)
        sign_key_free(&signing->private_key);
    signing->kid = arena_copy(&body->arena, key->kid);
    body->set.signing_count++;
    return body->arena.refused ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

static enum twoleg_error keyring_body_jwks(struct keyring_body *body)
{
    struct buf out;
    struct json_writer json;
    buf_init_arena(&out, &body->arena, 1024);
    json_writer_init(&json, &out);
    json_object_begin(&json);
    json_key(&json, STR("keys"));
    json_array_begin(&json);
    for (size_t i = 0; i < body->set.signing_count; i++) {
        const struct signing_key *key = &body->signing[i];
        jwk_write(&json, &(struct jwk){.algorithm = verify_key_algorithm(key->public_key),
                                       .key = *verify_key_public(key->public_key),
                                       .kid = key->kid});
    }
    json_array_end(&json);
    json_object_end(&json);
    body->set.jwks = buf_str(&out);
    return body->set.jwks.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

struct body_failure {
    const struct store_key *key;
    enum twoleg_error error;
};

// Puts every key in its place. What fails is noted, so that the caller can tell one damaged row
// from a master key that opens none.
static enum twoleg_error keyring_body_fill(struct keyring_body *body, const uint8_t *master,
                                           const struct store_key *keys, size_t count,
                                           struct body_failure *ret_failure)
{
    for (size_t i = 0; i < count; i++) {
        const struct store_key *key = &keys[i];
        if (key->id > body->set.last_id)
            body->set.last_id = key->id;
        if (str_equal(key->state, key_state_name(KEY_GONE)))
            continue;
        enum twoleg_error error = str_equal(key->purpose, STR("sign"))
                                      ? keyring_body_signing(body, master, key)
                                      : keyring_body_data(body, master, key);
        if (error == TWOLEG_NO_MEMORY)
            return error;
        if (!error && !body->set.guard.len)
            body->set.guard = arena_copy(&body->arena, key->wrapped);
        if (error && !ret_failure->key)
            *ret_failure = (struct body_failure){key, error};
    }
    enum twoleg_error error = keyring_body_jwks(body);
    // A guard that did not fit would let a key in that another master key has wrapped.
    return body->arena.refused ? TWOLEG_NO_MEMORY : error;
}

static enum twoleg_error keyring_body_judge(const struct keyring_body *body,
                                            const struct master *master,
                                            const struct body_failure *failure,
                                            char reason[static 512])
{
    const struct store_key *key = failure->key;
    size_t opened = body->set.data_count + body->set.signing_count;
    if (key && failure->error == TWOLEG_TOKEN_FORGED && opened == 0)
        return reason_set(reason, TWOLEG_REFUSED,
                          "%s is not the master key of this store: name the right one as "
                          "master_key_file in the configuration",
                          master->path);
    if (key && failure->error == TWOLEG_TOKEN_FORGED)
        return reason_set(reason, TWOLEG_REFUSED,
                          "key %llu (%.*s) in the store is damaged: restore a backup",
                          (unsigned long long)key->id, STR_ARG(key->purpose));
    if (key)
        return reason_set(reason, TWOLEG_REFUSED,
                          "key %llu (%.*s) in the store cannot be used: it is damaged, or of a "
                          "newer version",
                          (unsigned long long)key->id, STR_ARG(key->purpose));
    for (size_t i = 0; i < KEY_PURPOSES; i++)
        if (!keyring_active(&body->set, (enum key_purpose)i))
            return reason_set(reason, TWOLEG_REFUSED,
                              "the store has no active key for \"%.*s\": restore a backup",
                              STR_ARG(purposes[i]));
    return TWOLEG_NONE;
}

enum twoleg_error keyring_body_create(const struct master *master, const struct store_key *keys,
                                      size_t count, uint64_t serial,
                                      struct keyring_body **ret_body, char reason[static 512])
{
    struct body_failure failure = {NULL, TWOLEG_NONE};
    struct keyring_body *body = keyring_body_new(count, serial);
    enum twoleg_error error = TWOLEG_NO_MEMORY;
    if (body)
        error = keyring_body_fill(body, master->bytes, keys, count, &failure);
    if (error)
        reason_set(reason, error, "no memory for the keys");
    else
        error = keyring_body_judge(body, master, &failure, reason);
    if (error) {
        keyring_body_destroy(body);
        return error;
    }
    *ret_body = body;
    return TWOLEG_NONE;
}
