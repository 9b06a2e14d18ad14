// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/secret.h"

#include "client_auth/client_auth.h"
#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/view.h"
#include "manage/secret.h"

enum twoleg_error admin_secret_prepare(struct admin_call *call, struct admin_load *load,
                                       struct str brought)
{
    struct manage_change words = {0};
    if (!brought.ptr)
        return TWOLEG_NONE;
    enum twoleg_error error = manage_secret_check(&words, brought);
    if (error)
        return admin_refuse(call, error, "%s", words.problem);
    if (!manage_secret_is_long(brought))
        load->secret = arena_copy(&load->look.arena, brought);
    return TWOLEG_NONE;
}

static enum twoleg_error secret_generate(struct admin_call *call, struct admin_commit *commit,
                                         struct str *ret_text)
{
    struct buf text;
    buf_init(&text, commit->secret, sizeof commit->secret);
    enum twoleg_error error = manage_secret_generate(
        call->request->env, endpoint_config(call->request)->secret_prefix, &text);
    if (error)
        return error;
    commit->secret_len = text.len;
    *ret_text = buf_str(&text);
    return TWOLEG_NONE;
}

enum twoleg_error admin_secret_make(struct admin_call *call, const struct admin_load *load,
                                    struct str brought, uint64_t application,
                                    struct admin_commit *commit, struct secret *ret_secret)
{
    const struct keyring_set *keys = keyring_current(call->server->keyring);
    const struct data_key *key = keyring_active(keys, KEY_SECRET);
    struct secret secret = {.created_us = commit->change.batch->now_us, .expires_us = TIME_NEVER};
    struct str text = brought;
    enum twoleg_error error = TWOLEG_NONE;
    if (!key)
        return TWOLEG_INTERNAL;
    if (!env_random_u64(call->request->env, &secret.number))
        return TWOLEG_NO_RANDOM;
    if (!text.ptr)
        error = secret_generate(call, commit, &text);
    if (error)
        return error;
    if (manage_secret_is_long(text)) {
        secret.scheme = SECRET_KEYED;
        secret.key = key->id;
        client_auth_secret_mac(key, application, text, secret.mac);
    } else {
        secret.scheme = SECRET_ARGON2;
        secret.slow_hash = str_from(load->hash.text);
    }
    commit->secret_number = secret.number;
    *ret_secret = secret;
    return TWOLEG_NONE;
}

void admin_secret_show(struct admin_call *call, const struct admin_commit *commit)
{
    admin_view_number(&call->json, STR("secret"), NUMBER_SECRET, commit->secret_number);
    if (commit->secret_len)
        json_key_str(&call->json, STR("client_secret"),
                     str_of(commit->secret, commit->secret_len));
}

// ---------------------------------------------------------------------------------- routes

struct secret_new {
    struct str client_secret; // brought
    struct str label;
    struct admin_life expires_in;
};

static const struct admin_field secret_fields[] = {
    {"client_secret", ADMIN_TEXT, offsetof(struct secret_new, client_secret)},
    {"label", ADMIN_TEXT, offsetof(struct secret_new, label)},
    {"expires_in", ADMIN_LIFE, offsetof(struct secret_new, expires_in)},
};

static enum twoleg_error secret_read(struct admin_call *call, struct secret_new *ret_body)
{
    *ret_body = (struct secret_new){.label = STR("")};
    return admin_body(call, secret_fields, sizeof secret_fields / sizeof *secret_fields, ret_body);
}

static enum twoleg_error secret_prepare(struct admin_call *call, struct admin_load *load)
{
    struct secret_new body;
    enum twoleg_error error = admin_load_name(call, load);
    if (!error)
        error = secret_read(call, &body);
    return error ? error : admin_secret_prepare(call, load, body.client_secret);
}

struct secret_add_input {
    const struct admin_load *load;
    struct secret_new body;
};

static enum twoleg_error secret_add_build(struct admin_call *call, struct admin_commit *commit,
                                          const void *input)
{
    const struct secret_add_input *add = input;
    const struct admin_load *load = add->load;
    const struct secret_new *body = &add->body;
    struct secret secret;
    enum twoleg_error error =
        admin_secret_make(call, load, body->client_secret, load->application->number, commit,
                          &secret);
    if (error)
        return error;
    secret.label = body->label;
    if (body->expires_in.given && body->expires_in.us != TIME_NEVER &&
        (body->expires_in.us <= 0 ||
         __builtin_add_overflow(secret.created_us, body->expires_in.us, &secret.expires_us)))
        return manage_refuse(&commit->change, TWOLEG_RANGE,
                             "the secret must end after now: a time such as 90d or 1y");
    return manage_secret_add(&commit->change, load->application, &secret, 0);
}

enum twoleg_error admin_secret_add(struct admin_call *call)
{
    struct secret_add_input input;
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_load(call, secret_prepare, &load);
    if (!error)
        error = secret_read(call, &input.body);
    if (error)
        return error;
    input.load = load;
    error = admin_commit(call, secret_add_build, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), load->application->client_id);
    admin_secret_show(call, commit);
    json_key_str(&call->json, STR("label"), input.body.label);
    return admin_answer_end(call, 201);
}

enum twoleg_error admin_secret_list(struct admin_call *call)
{
    struct admin_load *load;
    enum twoleg_error error = admin_load_named(call, &load);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), load->application->client_id);
    admin_view_secrets(&call->json, load->application, call->request->env->now_us);
    return admin_answer_end(call, 200);
}

struct secret_removal {
    struct str secret;
    struct admin_bool revoke_tokens;
};

static const struct admin_field removal_fields[] = {
    {"secret", ADMIN_TEXT, offsetof(struct secret_removal, secret)},
    {"revoke_tokens", ADMIN_BOOL, offsetof(struct secret_removal, revoke_tokens)},
};

struct secret_remove_input {
    const struct application *application;
    uint64_t number;
    bool revoke_tokens;
};

static enum twoleg_error secret_remove_build(struct admin_call *call, struct admin_commit *commit,
                                             const void *input)
{
    const struct secret_remove_input *removal = input;
    (void)call;
    return manage_secret_remove(&commit->change, removal->application, removal->number,
                                removal->revoke_tokens);
}

enum twoleg_error admin_secret_remove(struct admin_call *call)
{
    struct secret_remove_input input;
    struct admin_load *load;
    struct admin_commit *commit;
    struct secret_removal body = {.secret = STR("")};
    enum twoleg_error error = admin_body(call, removal_fields, 2, &body);
    if (!error && !number_read(body.secret, NUMBER_SECRET, &input.number))
        error = admin_refuse(call, TWOLEG_NOT_FOUND, "\"%.*s\" is no secret's number: "
                             "`twoleg secret list` shows them (sec_...)",
                             STR_ARG(str_slice(body.secret, 0, 64)));
    if (!error)
        error = admin_load_named(call, &load);
    if (error)
        return error;
    input.application = load->application;
    input.revoke_tokens = body.revoke_tokens.value;
    error = admin_commit(call, secret_remove_build, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), load->application->client_id);
    json_key_str(&call->json, STR("secret"), body.secret);
    json_key_bool(&call->json, STR("tokens_revoked"), body.revoke_tokens.value);
    return admin_answer_end(call, 200);
}
