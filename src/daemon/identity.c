// SPDX-License-Identifier: Apache-2.0
#include "daemon/identity.h"

#include <stdio.h>

#include "crypto/sign.h"
#include "model/event.h"

#define IDENTITY_NAME_DEFAULT "Default API"

// One setting, or STR_NONE when it was never set.
static enum twoleg_error identity_read(struct store_reader *reader, const char *name,
                                       struct arena *arena, struct str *ret_value)
{
    enum twoleg_error error = store_setting(reader, str_from(name), arena, ret_value);
    if (error != TWOLEG_NOT_FOUND)
        return error;
    *ret_value = STR_NONE;
    return TWOLEG_NONE;
}

static void identity_set(struct store_batch *batch, enum store_verb_kind kind, const char *name,
                         struct str value)
{
    struct store_verb *verb = store_batch_add(batch, kind, STORE_OPERATOR);
    verb->setting.name = str_from(name);
    verb->setting.value = value;
}

static void identity_audit(struct store_batch *batch, enum event event, struct str issuer)
{
    struct store_verb *audit = store_batch_add(batch, VERB_AUDIT, STORE_OPERATOR);
    audit->audit.actor = STR("server");
    audit->audit.action = event_word(event);
    audit->audit.object = issuer;
    audit->audit.detail = STR("{}");
}

// The account that the schema makes, the only one so far.
static enum twoleg_error identity_account(struct store_reader *reader, uint64_t *ret_account)
{
    struct store_cursor *cursor;
    struct store_change account;
    enum twoleg_error error = store_accounts_begin(reader, &cursor);
    if (error)
        return error;
    bool found = store_accounts_next(cursor, &account);
    error = store_end(cursor);
    if (!error && !found)
        error = TWOLEG_INTERNAL;
    if (!error)
        *ret_account = account.number;
    return error;
}

static enum twoleg_error identity_create(struct store *store, struct store_reader *reader,
                                         const struct config *config, struct env *env)
{
    struct api api = {.name = STR(IDENTITY_NAME_DEFAULT),
                      .algorithm = sign_algorithm_es256()->name,
                      .identifier = config->issuer,
                      .is_default = true,
                      .created_us = env->now_us};
    enum twoleg_error error = identity_account(reader, &api.account);
    if (error)
        return error;
    if (!env_random_u64(env, &api.number))
        return TWOLEG_NO_RANDOM;
    struct store_batch *batch = store_batch_create(env->now_us);
    if (!batch)
        return TWOLEG_NO_MEMORY;
    identity_set(batch, VERB_SETTING_CREATE, "issuer", config->issuer);
    identity_set(batch, VERB_SETTING_CREATE, "epoch", STR("1"));
    struct store_verb *verb = store_batch_add(batch, VERB_API_CREATE, STORE_OPERATOR);
    verb->api = &api;
    identity_audit(batch, EVENT_SERVER_CREATE, config->issuer);
    error = store_commit(store, batch);
    store_batch_destroy(batch);
    return error;
}

static enum twoleg_error identity_change(struct store *store, const struct config *config,
                                         struct env *env)
{
    struct store_batch *batch = store_batch_create(env->now_us);
    if (!batch)
        return TWOLEG_NO_MEMORY;
    identity_set(batch, VERB_SETTING_SET, "issuer", config->issuer);
    struct store_verb *verb = store_batch_add(batch, VERB_API_RENAME_DEFAULT, STORE_OPERATOR);
    verb->identifier = config->issuer;
    identity_audit(batch, EVENT_SERVER_CHANGE_ISSUER, config->issuer);
    enum twoleg_error error = store_commit(store, batch);
    store_batch_destroy(batch);
    return error;
}

// The issuer in force: the stored one, unless another one may replace it.
static enum twoleg_error identity_settle(struct store *store, struct config *config,
                                         struct str stored, bool change_issuer, struct env *env,
                                         char *reason)
{
    enum config_origin origin = config->origins[CONFIG_ISSUER].origin;
    bool configured = origin != CONFIG_DEFAULT && origin != CONFIG_DERIVED;
    if (str_equal(stored, config->issuer))
        return TWOLEG_NONE;
    if (change_issuer)
        return identity_change(store, config, env);
    if (configured) {
        snprintf(reason, 512,
                 "%.*s: the issuer of this store is %.*s, but the configuration says %.*s. "
                 "Every resource server would refuse the tokens: put the old one back, or start "
                 "once with --change-issuer",
                 STR_ARG(config->data), STR_ARG(stored), STR_ARG(config->issuer));
        return TWOLEG_REFUSED;
    }
    config->issuer = arena_copy(&config->arena, stored);
    return config->issuer.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

static enum twoleg_error identity_epoch(struct store_reader *reader, struct arena *arena,
                                        uint32_t *ret_epoch)
{
    struct str text;
    uint64_t epoch;
    enum twoleg_error error = identity_read(reader, "epoch", arena, &text);
    if (error)
        return error;
    if (!str_to_u64(text, &epoch) || epoch > UINT32_MAX)
        return TWOLEG_INTERNAL;
    *ret_epoch = (uint32_t)epoch;
    return TWOLEG_NONE;
}

// What the store says the issuer is; at the first start, what the configuration does.
static enum twoleg_error identity_issuer(struct store *store, struct store_reader *reader,
                                         struct config *config, struct env *env,
                                         struct str *ret_issuer)
{
    enum twoleg_error error = identity_read(reader, "issuer", &config->arena, ret_issuer);
    if (error || ret_issuer->ptr)
        return error;
    *ret_issuer = config->issuer;
    return identity_create(store, reader, config, env);
}

enum twoleg_error identity_load(struct store *store, struct config *config, bool change_issuer,
                                struct env *env, uint32_t *ret_epoch,
                                char ret_reason[static 512])
{
    struct store_reader *reader = store_reader_borrow(store);
    struct str issuer;
    ret_reason[0] = '\0';
    enum twoleg_error error = identity_issuer(store, reader, config, env, &issuer);
    if (!error)
        error = identity_settle(store, config, issuer, change_issuer, env, ret_reason);
    if (!error)
        error = identity_epoch(reader, &config->arena, ret_epoch);
    store_reader_return(store);
    if (error && !ret_reason[0])
        snprintf(ret_reason, 512, "%.*s: %s", STR_ARG(config->data), twoleg_error_text(error));
    return error;
}
