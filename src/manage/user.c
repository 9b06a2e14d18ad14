// SPDX-License-Identifier: Apache-2.0
#include "manage/user.h"

#include "codec/utf8.h"
#include "crypto/password.h"

static bool user_text_is_clean(struct str text)
{
    bool clean = utf8_valid(text);
    for (size_t i = 0; i < text.len; i++)
        clean &= (uint8_t)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f;
    return clean;
}

enum twoleg_error manage_user_check_password(struct manage_change *change, struct str password)
{
    if (password.len < USER_PASSWORD_MIN)
        return manage_refuse(change, TWOLEG_RANGE, "a password has %d bytes at least",
                             USER_PASSWORD_MIN);
    if (password.len > PASSWORD_MAX)
        return manage_refuse(change, TWOLEG_TOO_LONG, "the password is longer than %d bytes",
                             PASSWORD_MAX);
    if (!user_text_is_clean(password))
        return manage_refuse(change, TWOLEG_MALFORMED,
                             "a password is UTF-8 text without control characters");
    return TWOLEG_NONE;
}

static enum twoleg_error user_check_name(struct manage_change *change, struct str name)
{
    if (name.len == 0)
        return manage_refuse(change, TWOLEG_MISSING, "a user needs a name");
    if (name.len > USERNAME_MAX)
        return manage_refuse(change, TWOLEG_TOO_LONG, "the user's name is longer than %d bytes",
                             USERNAME_MAX);
    if (!user_text_is_clean(name))
        return manage_refuse(change, TWOLEG_MALFORMED,
                             "a user's name is UTF-8 text without control characters");
    return TWOLEG_NONE;
}

static void user_audit(struct manage_change *change, enum event event, const struct user *user,
                       struct str scope)
{
    struct manage_detail detail;
    manage_detail_begin(change, &detail);
    json_key_str(&detail.json, STR("username"), user->username);
    json_key_str(&detail.json, STR("status"), entity_status_name(user->state.status));
    if (scope.ptr)
        json_key_str(&detail.json, STR("scope"), scope);
    manage_detail_end(change, &detail, event, manage_object(change, NUMBER_USER, user->number));
}

enum twoleg_error manage_user_create(struct manage_change *change, const struct api_set *apis,
                                     const struct manage_user_new *request,
                                     struct user **ret_user, struct manage_access *ret_access)
{
    struct store_batch *batch = change->batch;
    struct user *user = ARENA_NEW(&batch->arena, struct user);
    if (!user)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = manage_may(change, request->account);
    if (!error)
        error = user_check_name(change, request->username);
    if (!error)
        error = manage_access_resolve(change, apis, &request->access, ret_access);
    if (error)
        return error;
    *user = (struct user){
        .number = request->number,
        .account = request->account,
        .username = store_batch_copy(batch, request->username),
        .password_hash = store_batch_copy(batch, request->password_hash),
        .state = {STATUS_ACTIVE, (uint64_t)batch->now_us},
        .created_us = batch->now_us,
        .updated_us = batch->now_us,
        .apis = ret_access->apis,
        .api_count = ret_access->api_count,
    };
    manage_access_declare(change, ret_access);
    manage_verb(change, VERB_USER_CREATE)->user = user;
    user_audit(change, EVENT_USER_CREATE, user,
               manage_access_scope(&batch->arena, user->apis, user->api_count));
    *ret_user = user;
    return batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

// No expected version: whoever disables means it, whatever else changed.
static enum twoleg_error user_change(struct manage_change *change, const struct user *user,
                                     unsigned fields, enum entity_status status,
                                     struct str password_hash, enum event event)
{
    enum twoleg_error error = manage_may(change, user->account);
    if (error)
        return error;
    struct user after = *user;
    after.state.status = status;
    struct store_verb *verb = manage_verb(change, VERB_USER_UPDATE);
    verb->user_update.number = user->number;
    verb->user_update.fields = fields;
    verb->user_update.status = status;
    verb->user_update.generation = (uint64_t)change->batch->now_us;
    verb->user_update.password_hash = store_batch_copy(change->batch, password_hash);
    user_audit(change, event, &after, STR_NONE);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_user_password(struct manage_change *change, const struct user *user,
                                       struct str password_hash)
{
    return user_change(change, user, FIELD_PASSWORD | FIELD_GENERATION, user->state.status,
                       password_hash, EVENT_USER_PASSWORD);
}

enum twoleg_error manage_user_disable(struct manage_change *change, const struct user *user)
{
    return user_change(change, user, FIELD_STATUS, STATUS_DISABLED, STR(""), EVENT_USER_DISABLE);
}

enum twoleg_error manage_user_enable(struct manage_change *change, const struct user *user,
                                     bool keep_tokens)
{
    return user_change(change, user, keep_tokens ? FIELD_STATUS : FIELD_STATUS | FIELD_GENERATION,
                       STATUS_ACTIVE, STR(""), EVENT_USER_ENABLE);
}

enum twoleg_error manage_user_delete(struct manage_change *change, const struct user *user)
{
    enum twoleg_error error = manage_may(change, user->account);
    if (error)
        return error;
    manage_verb(change, VERB_USER_DELETE)->number = user->number;
    user_audit(change, EVENT_USER_DELETE, user, STR_NONE);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_refresh_revoke(struct manage_change *change,
                                        const struct manage_refresh_end *end,
                                        const struct refresh_family *family,
                                        const struct application *application)
{
    struct manage_detail detail;
    enum twoleg_error error = manage_may(change, family->account);
    if (error)
        return error;
    struct store_verb *verb = manage_verb(change, VERB_REFRESH_REVOKE);
    verb->refresh_revoke.family = family->number;
    verb->refresh_revoke.application = family->application;
    verb->refresh_revoke.tokens_until_s = family->tokens_until_s;
    verb->refresh_revoke.alone = end->alone;
    manage_detail_begin(change, &detail);
    if (application)
        json_key_str(&detail.json, STR("client_id"), application->client_id);
    json_key_str(&detail.json, STR("scope"), family->scope);
    json_key_bool(&detail.json, STR("access_tokens"), !end->alone);
    manage_detail_end(change, &detail, end->event,
                      manage_object(change, NUMBER_USER, family->user));
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}
