// SPDX-License-Identifier: Apache-2.0
#include "manage/api.h"

#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/job.h"
#include "endpoint/admin/view.h"

// A list must not show what was before a change that was acknowledged: 503 until the registry has
// taken in what it missed, as at every other door.
static enum twoleg_error api_set_complete(const struct registry *registry)
{
    return registry_figures(registry).incomplete ? TWOLEG_STORE_FAILED : TWOLEG_NONE;
}

enum twoleg_error admin_api_list(struct admin_call *call)
{
    const struct api_set *apis = registry_apis(call->server->registry);
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = api_set_complete(call->server->registry);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key(&call->json, STR("apis"));
    json_array_begin(&call->json);
    for (size_t i = 0; i < apis->count; i++)
        admin_view_api(&call->json, &apis->apis[i]);
    json_array_end(&call->json);
    return admin_answer_end(call, 200);
}

struct api_body {
    struct str identifier, name, scope;
};

static const struct admin_field api_fields[] = {
    {"identifier", ADMIN_TEXT, offsetof(struct api_body, identifier)},
    {"name", ADMIN_TEXT, offsetof(struct api_body, name)},
    {"scope", ADMIN_TEXT, offsetof(struct api_body, scope)},
};

static enum twoleg_error api_build(struct admin_call *call, struct admin_commit *commit,
                                   const void *input)
{
    const struct api_body *body = input;
    struct manage_api_new new = {
        .identifier = body->identifier, .name = body->name, .scopes = body->scope};
    if (!env_random_u64(call->request->env, &new.number))
        return TWOLEG_NO_RANDOM;
    return manage_api_create(&commit->change, registry_apis(call->server->registry), &new,
                             &commit->api);
}

enum twoleg_error admin_api_create(struct admin_call *call)
{
    struct api_body body = {STR(""), STR(""), STR("")};
    struct admin_commit *commit;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_body(call, api_fields, 3, &body);
    if (!error)
        error = admin_commit(call, api_build, &body, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key(&call->json, STR("created"));
    admin_view_api(&call->json, commit->api);
    return admin_answer_end(call, 201);
}

// ---------------------------------------------------------------------------------- scopes

enum twoleg_error admin_scope_list(struct admin_call *call)
{
    struct str identifier;
    const struct admin_parameter parameters[] = {{"api", &identifier}};
    const struct api_set *apis = registry_apis(call->server->registry);
    enum twoleg_error error = admin_query(call, parameters, 1);
    if (!error)
        error = api_set_complete(call->server->registry);
    if (error)
        return error;
    if (identifier.len && !api_set_find_identifier(apis, identifier))
        return admin_refuse(call, TWOLEG_NOT_FOUND, "no API has the identifier \"%.*s\"",
                            (int)(identifier.len > 200 ? 200 : identifier.len), identifier.ptr);
    admin_answer_begin(call);
    json_key(&call->json, STR("scopes"));
    json_array_begin(&call->json);
    for (size_t i = 0; i < apis->count; i++) {
        struct str rest = apis->apis[i].scopes;
        struct str word;
        if (identifier.len && !str_equal(apis->apis[i].identifier, identifier))
            continue;
        while (str_word(&rest, &word)) {
            json_object_begin(&call->json);
            json_key_str(&call->json, STR("scope"), word);
            json_key_str(&call->json, STR("identifier"), apis->apis[i].identifier);
            json_object_end(&call->json);
        }
    }
    json_array_end(&call->json);
    return admin_answer_end(call, 200);
}

struct scope_body {
    struct str scope, api;
};

static const struct admin_field scope_fields[] = {
    {"scope", ADMIN_TEXT, offsetof(struct scope_body, scope)},
    {"api", ADMIN_TEXT, offsetof(struct scope_body, api)},
};

struct scope_input {
    struct scope_body body;
    bool add;
};

static enum twoleg_error scope_build(struct admin_call *call, struct admin_commit *commit,
                                     const void *input)
{
    const struct scope_input *scope = input;
    const struct api *api;
    enum twoleg_error error = manage_api_find(
        &commit->change, registry_apis(call->server->registry), scope->body.api, &api);
    if (error)
        return error;
    return scope->add ? manage_scope_add(&commit->change, api, scope->body.scope)
                      : manage_scope_remove(&commit->change, api, scope->body.scope);
}

static enum twoleg_error scope_change(struct admin_call *call, bool add)
{
    struct scope_input input = {{STR(""), STR("")}, add};
    struct admin_commit *commit;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_body(call, scope_fields, 2, &input.body);
    if (!error)
        error = admin_commit(call, scope_build, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("scope"), input.body.scope);
    return admin_answer_end(call, add ? 201 : 200);
}

enum twoleg_error admin_scope_add(struct admin_call *call)
{
    return scope_change(call, true);
}

enum twoleg_error admin_scope_remove(struct admin_call *call)
{
    return scope_change(call, false);
}
