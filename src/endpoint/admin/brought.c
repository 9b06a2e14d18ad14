// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/brought.h"

#include <string.h>

#include "client_auth/client_auth.h"
#include "codec/base64.h"
#include "crypto/brought_hash.h"
#include "crypto/compare.h"
#include "endpoint/admin/secret.h"
#include "manage/secret.h"

// ---------------------------------------------------------------------------------- reading

static int brought_nibble(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) & 15) : -1;
}

static bool brought_hex(struct str text, struct sha256 *ret_digest)
{
    if (text.len != 2 * SHA256_SIZE)
        return false;
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        int high = brought_nibble(text.ptr[2 * i]);
        int low = brought_nibble(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_digest->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// Hex or base64, plain or behind the word that LDAP servers and others write before it.
static bool brought_sha256(struct str text, struct sha256 *ret_digest)
{
    static const struct str words[] = {{"{SHA256}", 8}, {"sha256:", 7}};
    size_t len = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_starts_with(text, words[i]))
            text = str_slice(text, words[i].len, text.len);
    if (brought_hex(text, ret_digest))
        return true;
    return base64_decode(text, ret_digest->bytes, sizeof ret_digest->bytes, &len) == TWOLEG_NONE &&
           len == sizeof ret_digest->bytes;
}

// Without the word that Spring writes before a hash.
static struct str brought_bare(struct str text)
{
    static const struct str word = {"{bcrypt}", 8};
    return str_starts_with(text, word) ? str_slice(text, word.len, text.len) : text;
}

static enum twoleg_error brought_read_hash(struct admin_call *call, struct str text, bool is_long,
                                           struct admin_brought *brought)
{
    enum brought_hash scheme;
    const char *problem;
    if (brought_sha256(text, &brought->digest)) {
        brought->kind = BROUGHT_SHA256;
        brought->is_long = is_long;
        return TWOLEG_NONE;
    }
    enum twoleg_error error = brought_hash_read(text, &scheme, &problem);
    if (error)
        return admin_refuse(call, error, "\"client_secret_hash\": %s", problem);
    brought->kind = BROUGHT_HASH;
    brought->scheme = (enum secret_scheme)scheme;
    return TWOLEG_NONE;
}

static enum twoleg_error brought_read_text(struct admin_call *call, struct str text,
                                           struct admin_brought *brought)
{
    struct manage_change words = {0};
    enum twoleg_error error = manage_secret_check(&words, text);
    if (error)
        return admin_refuse(call, error, "\"client_secret\": %s", words.problem);
    if (brought_hash_is_like(brought_bare(text)))
        return admin_refuse(call, TWOLEG_MALFORMED, "\"client_secret\" looks like a hash, which "
                            "would then be the secret itself: a hash is \"client_secret_hash\"");
    brought->kind = BROUGHT_TEXT;
    brought->digest = sha256(text);
    brought->is_long = manage_secret_is_long(text);
    return TWOLEG_NONE;
}

enum twoleg_error admin_brought_read(struct admin_call *call, const struct application_body *body,
                                     struct admin_load *load)
{
    bool hash = body->client_secret_hash.ptr != NULL;
    struct str text = hash ? brought_bare(body->client_secret_hash) : body->client_secret;
    struct admin_brought *brought = ARENA_NEW(&load->look.arena, struct admin_brought);
    if (!brought)
        return TWOLEG_NO_MEMORY;
    if (hash == (body->client_secret.ptr != NULL))
        return admin_refuse(call, TWOLEG_MISSING, "one of \"client_secret\" and "
                            "\"client_secret_hash\" must be given, not %s",
                            hash ? "both" : "neither");
    enum twoleg_error error =
        hash ? brought_read_hash(call, text, body->long_secret.value, brought)
             : brought_read_text(call, text, brought);
    if (error)
        return error;
    brought->dry_run = body->dry_run.value;
    brought->now_us = call->request->env->now_us;
    brought->text = arena_copy(&load->look.arena, text);
    load->brought = brought;
    return brought->text.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

// ---------------------------------------------------------------------------------- loading

// SECRET_WRONG: it is another one, or nobody can tell.
static enum twoleg_error brought_compare(const struct admin_brought *brought,
                                         const struct secret *secret)
{
    enum brought_hash scheme = (enum brought_hash)secret->scheme;
    switch (brought->kind) {
    case BROUGHT_TEXT:
        return brought_hash_verify(scheme, secret->slow_hash, brought->text);
    case BROUGHT_SHA256:
        return secret->scheme == SECRET_ARGON2_SHA256
                   ? brought_hash_verify_sha256(secret->slow_hash, &brought->digest)
                   : TWOLEG_SECRET_WRONG;
    case BROUGHT_HASH:
        return secret->scheme == brought->scheme &&
                       secret->slow_hash.len == brought->text.len &&
                       secret_equal(secret->slow_hash.ptr, brought->text.ptr, brought->text.len)
                   ? TWOLEG_NONE
                   : TWOLEG_SECRET_WRONG;
    }
    return TWOLEG_INTERNAL;
}

static enum twoleg_error brought_find(struct admin_load *load)
{
    const struct application *application = load->application;
    struct admin_brought *brought = load->brought;
    for (size_t i = 0; i < application->secret_count && !brought->is_there; i++) {
        const struct secret *secret = &application->secrets[i];
        if (!secret_scheme_is_slow(secret->scheme) || !manage_secret_live(secret, brought->now_us))
            continue;
        enum twoleg_error error = brought_compare(brought, secret);
        if (error == TWOLEG_NO_MEMORY)
            return error;
        brought->is_there = error == TWOLEG_NONE;
    }
    return TWOLEG_NONE;
}

static enum twoleg_error brought_hash(struct env *env, struct admin_load *load)
{
    const struct admin_brought *brought = load->brought;
    bool needed = brought->kind != BROUGHT_HASH && !brought->is_long;
    if (!needed || brought->dry_run || brought->is_there)
        return TWOLEG_NONE;
    if (brought->kind == BROUGHT_TEXT)
        return password_hash(env, brought->text, &load->hash);
    return brought_hash_make_sha256(env, &brought->digest, &load->hash);
}

enum twoleg_error admin_loader_brought(struct admin_load *load, struct store_reader *reader)
{
    uint64_t number;
    struct env env;
    enum twoleg_error error =
        store_application_find(reader, STORE_OPERATOR, load->client_id, &number);
    if (!error)
        error = store_application(reader, STORE_OPERATOR, number, &load->look.arena,
                                  &load->application);
    if (error == TWOLEG_NOT_FOUND) // until now, or again
        error = TWOLEG_NONE;
    if (!error)
        error = store_apis(reader, &load->look.arena, &load->apis);
    if (error)
        return error;
    env_init(&env); // the worker's belongs to its thread
    if (load->application)
        error = brought_find(load);
    if (!error)
        error = brought_hash(&env, load);
    env_finish(&env);
    return error;
}

// ---------------------------------------------------------------------------------- keeping

bool admin_brought_is_keyed(struct admin_call *call, const struct application *application,
                            const struct admin_brought *brought)
{
    const struct keyring_set *keys = keyring_current(call->server->keyring);
    bool found = false;
    if (brought->kind == BROUGHT_HASH)
        return false;
    for (size_t i = 0; i < application->secret_count; i++) {
        const struct secret *secret = &application->secrets[i];
        if (secret->scheme != SECRET_KEYED ||
            !manage_secret_live(secret, call->request->env->now_us))
            continue;
        for (size_t k = 0; k < keys->data_count; k++) {
            uint8_t made[32];
            if (keys->data[k].purpose != KEY_SECRET || keys->data[k].id != secret->key)
                continue;
            client_auth_digest_mac(&keys->data[k], application->number, &brought->digest, made);
            found = secret_equal(made, secret->mac, sizeof made) || found;
        }
    }
    return found;
}

// SHA-256 of what may be short is as good as the secret to whoever reads the store: it is kept
// under a slow hash, like a short secret itself. Of a long one it is what our own scheme keeps.
static enum twoleg_error brought_make_hash(struct admin_call *call, const struct admin_load *load,
                                           uint64_t application, struct secret *secret)
{
    const struct admin_brought *brought = load->brought;
    const struct data_key *key =
        keyring_active(keyring_current(call->server->keyring), KEY_SECRET);
    if (!key)
        return TWOLEG_INTERNAL;
    if (brought->kind == BROUGHT_HASH) {
        secret->scheme = brought->scheme;
        secret->slow_hash = brought->text;
    } else if (brought->is_long) {
        secret->scheme = SECRET_KEYED;
        secret->key = key->id;
        client_auth_digest_mac(key, application, &brought->digest, secret->mac);
    } else {
        secret->scheme = SECRET_ARGON2_SHA256;
        secret->slow_hash = str_from(load->hash.text);
    }
    return TWOLEG_NONE;
}

enum twoleg_error admin_brought_make(struct admin_call *call, const struct admin_load *load,
                                     uint64_t application, struct admin_commit *commit,
                                     struct secret *ret_secret)
{
    struct secret secret = {.created_us = commit->change.batch->now_us, .expires_us = TIME_NEVER};
    enum twoleg_error error = TWOLEG_NONE;
    if (load->brought->kind == BROUGHT_TEXT)
        error = admin_secret_make(call, load, load->brought->text, application, commit, &secret);
    else if (!env_random_u64(call->request->env, &secret.number))
        error = TWOLEG_NO_RANDOM;
    else
        error = brought_make_hash(call, load, application, &secret);
    if (error)
        return error;
    secret.label = STR("imported");
    commit->secret_number = secret.number;
    *ret_secret = secret;
    return TWOLEG_NONE;
}
