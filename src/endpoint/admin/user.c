// SPDX-License-Identifier: Apache-2.0
#include "manage/user.h"

#include "codec/base62.h"
#include "crypto/wipe.h"
#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/page.h"
#include "endpoint/admin/view.h"

#define PASSWORD_MADE 16 // bytes of randomness in a password that is made here

struct user_body {
    struct str username, password, scope;
    struct manage_texts audience;
};

static const struct admin_field user_fields[] = {
    {"password", ADMIN_TEXT, offsetof(struct user_body, password)},
    {"username", ADMIN_TEXT, offsetof(struct user_body, username)},
    {"scope", ADMIN_TEXT, offsetof(struct user_body, scope)},
    {"audience", ADMIN_TEXTS, offsetof(struct user_body, audience)},
};
#define USER_FIELDS (sizeof user_fields / sizeof *user_fields)

static enum twoleg_error user_read(struct admin_call *call, size_t fields,
                                   struct user_body *ret_body)
{
    *ret_body = (struct user_body){.username = STR("")};
    return admin_body(call, user_fields, fields, ret_body);
}

// The text that is hashed: what was brought, or one that is made here. Only the load has it: it is
// shown from there, once.
static enum twoleg_error user_prepare_password(struct admin_call *call, struct admin_load *load,
                                               struct str brought)
{
    struct manage_change words = {0};
    if (!brought.ptr) {
        uint8_t random[PASSWORD_MADE];
        struct buf text;
        buf_init_arena(&text, &load->look.arena, BASE62_LEN(sizeof random));
        if (!env_random(call->request->env, random, sizeof random))
            return TWOLEG_NO_RANDOM;
        base62_encode(&text, random, sizeof random);
        wipe(random, sizeof random);
        load->secret = load->text = buf_str(&text);
        return text.failed ? TWOLEG_OVERLOADED : TWOLEG_NONE;
    }
    enum twoleg_error error = manage_user_check_password(&words, brought);
    if (error)
        return admin_refuse(call, error, "%s", words.problem);
    load->secret = arena_copy(&load->look.arena, brought);
    return TWOLEG_NONE;
}

static void user_show_password(struct admin_call *call, const struct admin_load *load)
{
    if (load->text.ptr)
        json_key_str(&call->json, STR("password"), load->text);
}

// ---------------------------------------------------------------------------------- create

static enum twoleg_error user_prepare_new(struct admin_call *call, struct admin_load *load)
{
    struct user_body body;
    enum twoleg_error error = user_read(call, USER_FIELDS, &body);
    load->loader = admin_loader_hash;
    return error ? error : user_prepare_password(call, load, body.password);
}

struct user_input {
    const struct admin_load *load;
    struct user_body body;
};

static enum twoleg_error user_build(struct admin_call *call, struct admin_commit *commit,
                                    const void *input)
{
    const struct user_input *given = input;
    struct manage_user_new new = {
        .account = ACCOUNT_DEFAULT,
        .username = given->body.username,
        .password_hash = str_from(given->load->hash.text),
        .access = {.audience = given->body.audience, .scope = given->body.scope},
    };
    if (!env_random_u64(call->request->env, &new.number))
        return TWOLEG_NO_RANDOM;
    return manage_user_create(&commit->change, registry_apis(call->server->registry), &new,
                              &commit->user, &commit->access);
}

enum twoleg_error admin_user_create(struct admin_call *call)
{
    struct user_input input;
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_load(call, user_prepare_new, &load);
    if (!error)
        error = user_read(call, USER_FIELDS, &input.body);
    if (error)
        return error;
    input.load = load;
    error = admin_commit(call, user_build, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("username"), commit->user->username);
    admin_view_number(&call->json, STR("user"), NUMBER_USER, commit->user->number);
    user_show_password(call, load);
    admin_view_rights(&call->json, commit->user->apis, commit->user->api_count,
                      registry_apis(call->server->registry));
    admin_view_declared(&call->json, call->request->arena, input.body.scope, &commit->access);
    return admin_answer_end(call, 201);
}

// ---------------------------------------------------------------------------------- list, show

static void user_view(struct json_writer *json, const struct user *user)
{
    json_key_str(json, STR("username"), user->username);
    admin_view_number(json, STR("user"), NUMBER_USER, user->number);
    json_key_str(json, STR("status"), entity_status_name(user->state.status));
    admin_view_time(json, STR("created"), user->created_us);
    admin_view_time(json, STR("updated"), user->updated_us);
}

static bool user_row(struct store_cursor *cursor, struct json_writer *json, struct str *ret_name)
{
    struct user user;
    if (!store_users_next(cursor, &user))
        return false;
    json_object_begin(json);
    user_view(json, &user);
    json_object_end(json);
    *ret_name = user.username;
    return true;
}

enum twoleg_error admin_user_list(struct admin_call *call)
{
    static const struct admin_list users = {"users", ACCOUNT_DEFAULT, store_users_begin, user_row};
    return admin_list_answer(call, &users);
}

static enum twoleg_error user_prepare_named(struct admin_call *call, struct admin_load *load)
{
    struct str username;
    const struct admin_parameter parameters[] = {{"username", &username}};
    enum twoleg_error error = admin_query(call, parameters, 1);
    if (error)
        return error;
    if (username.len == 0 || username.len > USERNAME_MAX)
        return admin_refuse(call, TWOLEG_MISSING, "a user is named by 1 to %d bytes",
                            USERNAME_MAX);
    load->loader = admin_loader_user;
    load->username = arena_copy(&load->look.arena, username);
    return TWOLEG_NONE;
}

enum twoleg_error admin_user_show(struct admin_call *call)
{
    struct admin_load *load;
    enum twoleg_error error = admin_load(call, user_prepare_named, &load);
    if (error)
        return error;
    admin_answer_begin(call);
    user_view(&call->json, load->user);
    admin_view_rights(&call->json, load->user->apis, load->user->api_count, &load->apis);
    json_key_u64(&call->json, STR("version"), load->user->version);
    return admin_answer_end(call, 200);
}

// ---------------------------------------------------------------------------------- change

// The changes have one shape; `change` is what differs.
struct user_change_input {
    const struct admin_load *load;
    enum twoleg_error (*change)(struct manage_change *, const struct admin_load *);
};

static enum twoleg_error user_build_change(struct admin_call *call, struct admin_commit *commit,
                                           const void *input)
{
    const struct user_change_input *given = input;
    (void)call;
    return given->change(&commit->change, given->load);
}

typedef enum twoleg_error user_prepare(struct admin_call *call, struct admin_load *load);

static enum twoleg_error user_change(struct admin_call *call, user_prepare *prepare,
                                     struct str status,
                                     enum twoleg_error (*change)(struct manage_change *,
                                                                 const struct admin_load *))
{
    struct user_change_input input = {.change = change};
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_load(call, prepare, &load);
    if (error)
        return error;
    input.load = load;
    error = admin_commit(call, user_build_change, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("username"), load->user->username);
    if (status.ptr)
        json_key_str(&call->json, STR("status"), status);
    user_show_password(call, load);
    return admin_answer_end(call, 200);
}

static enum twoleg_error user_set_password(struct manage_change *change,
                                           const struct admin_load *load)
{
    return manage_user_password(change, load->user, str_from(load->hash.text));
}

static enum twoleg_error user_prepare_set(struct admin_call *call, struct admin_load *load)
{
    struct user_body body;
    enum twoleg_error error = user_prepare_named(call, load);
    if (!error)
        error = user_read(call, 1, &body);
    return error ? error : user_prepare_password(call, load, body.password);
}

enum twoleg_error admin_user_password(struct admin_call *call)
{
    return user_change(call, user_prepare_set, STR_NONE, user_set_password);
}

static enum twoleg_error user_disable(struct manage_change *change, const struct admin_load *load)
{
    return manage_user_disable(change, load->user);
}

enum twoleg_error admin_user_disable(struct admin_call *call)
{
    enum twoleg_error error = admin_body(call, NULL, 0, NULL);
    return error ? error : user_change(call, user_prepare_named, STR("disabled"), user_disable);
}

static enum twoleg_error user_enable_anew(struct manage_change *change,
                                          const struct admin_load *load)
{
    return manage_user_enable(change, load->user, false);
}

static enum twoleg_error user_enable_on(struct manage_change *change,
                                        const struct admin_load *load)
{
    return manage_user_enable(change, load->user, true);
}

enum twoleg_error admin_user_enable(struct admin_call *call)
{
    struct admin_bool keep = {0};
    static const struct admin_field fields[] = {{"keep_tokens", ADMIN_BOOL, 0}};
    enum twoleg_error error = admin_body(call, fields, 1, &keep);
    if (error)
        return error;
    return user_change(call, user_prepare_named, STR("active"),
                       keep.value ? user_enable_on : user_enable_anew);
}

static enum twoleg_error user_delete(struct manage_change *change, const struct admin_load *load)
{
    return manage_user_delete(change, load->user);
}

enum twoleg_error admin_user_delete(struct admin_call *call)
{
    enum twoleg_error error = admin_body(call, NULL, 0, NULL);
    return error ? error : user_change(call, user_prepare_named, STR("deleted"), user_delete);
}
