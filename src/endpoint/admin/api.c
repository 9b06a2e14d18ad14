// SPDX-License-Identifier: Apache-2.0
#include "manage/api.h"

#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/job.h"
#include "endpoint/admin/view.h"

// A page that holds so much ends; one more of the longest APIs fits into the room beside it.
#define PAGE_FULL ((size_t)32 * 1024)
#define PAGE_ROOM ((size_t)80 * 1024)

// A list must not show what was before a change that was acknowledged: 503 until the registry has
// taken in what it missed, as at every other door.
static enum twoleg_error api_set_complete(const struct registry *registry)
{
    return registry_figures(registry).incomplete ? TWOLEG_STORE_FAILED : TWOLEG_NONE;
}

// The place of the first API of a page. They are never deleted and keep their order.
static enum twoleg_error api_page_start(struct admin_call *call, const struct api_set *apis,
                                        struct str after, size_t *ret_start)
{
    if (!after.ptr) {
        *ret_start = 0;
        return TWOLEG_NONE;
    }
    const struct api *last = api_set_find_identifier(apis, after);
    if (!last)
        return admin_refuse(call, TWOLEG_NOT_FOUND, "no API has the identifier \"%.*s\"",
                            STR_ARG(str_slice(after, 0, 200)));
    *ret_start = (size_t)(last - apis->apis) + 1;
    return TWOLEG_NONE;
}

// A page ends at its limit, or earlier where the request's memory would: scopes may be many.
enum twoleg_error admin_api_list(struct admin_call *call)
{
    const struct api_set *apis = registry_apis(call->server->registry);
    struct admin_page page;
    size_t at;
    enum twoleg_error error = admin_page_read(call, &page);
    if (!error)
        error = api_set_complete(call->server->registry);
    if (!error)
        error = api_page_start(call, apis, page.after, &at);
    if (error)
        return error;
    admin_answer_begin_in(call, call->request->arena, PAGE_ROOM);
    json_key(&call->json, STR("apis"));
    json_array_begin(&call->json);
    for (size_t i = 0; i < page.limit && at < apis->count && call->out.len < PAGE_FULL; i++)
        admin_view_api(&call->json, &apis->apis[at++]);
    json_array_end(&call->json);
    if (at < apis->count)
        json_key_str(&call->json, STR("next"), apis->apis[at - 1].identifier);
    else
        json_key_nil(&call->json, STR("next"));
    return admin_answer_end(call, 200);
}

struct api_body {
    struct str identifier, name, scope, algorithm;
};

static const struct admin_field api_fields[] = {
    {"identifier", ADMIN_TEXT, offsetof(struct api_body, identifier)},
    {"name", ADMIN_TEXT, offsetof(struct api_body, name)},
    {"scope", ADMIN_TEXT, offsetof(struct api_body, scope)},
    {"algorithm", ADMIN_TEXT, offsetof(struct api_body, algorithm)},
};

static enum twoleg_error api_read(struct admin_call *call, struct api_body *body,
                                  const struct sign_algorithm **ret_algorithm)
{
    *body = (struct api_body){STR(""), STR(""), STR(""), sign_algorithm_es256()->name};
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_body(call, api_fields, sizeof api_fields / sizeof *api_fields, body);
    if (error)
        return error;
    *ret_algorithm = sign_algorithm_find(body->algorithm);
    if (!*ret_algorithm)
        return admin_refuse(call, TWOLEG_UNKNOWN,
                            "the algorithm is ES256, EdDSA, RS256 or PS256");
    return TWOLEG_NONE;
}

static enum twoleg_error api_loader_key(struct admin_load *load, struct store_reader *reader)
{
    (void)reader;
    return keyring_key_create(load->algorithm, &load->key);
}

static enum twoleg_error api_prepare_key(struct admin_call *call, struct admin_load *load)
{
    struct api_body body;
    load->loader = api_loader_key;
    load->look.read.lane = LANE_SLOW; // RSA searches for primes
    return api_read(call, &body, &load->algorithm);
}

struct api_input {
    struct api_body body;
    const struct sign_algorithm *algorithm;
    const struct sign_key *key; // NULL: the algorithm has one
};

static enum twoleg_error api_build(struct admin_call *call, struct admin_commit *commit,
                                   const void *input)
{
    const struct api_input *made = input;
    const struct api_body *body = &made->body;
    struct keyring_row row;
    struct manage_api_new new = {.identifier = body->identifier,
                                 .name = body->name,
                                 .scopes = body->scope,
                                 .algorithm = made->algorithm->name,
                                 .key = made->key ? &row.key : NULL};
    if (!env_random_u64(call->request->env, &new.number))
        return TWOLEG_NO_RANDOM;
    enum twoleg_error error = TWOLEG_NONE;
    if (made->key)
        error = keyring_first_row(call->server->keyring, made->key, made->algorithm,
                                  call->request->env, &commit->change.batch->arena, &row);
    if (error)
        return error;
    if (made->key)
        new.key_guard = row.guard;
    return manage_api_create(&commit->change, registry_apis(call->server->registry), &new,
                             &commit->api);
}

enum twoleg_error admin_api_create(struct admin_call *call)
{
    struct api_input input = {0};
    struct admin_commit *commit;
    struct admin_load *load;
    enum twoleg_error error = api_read(call, &input.body, &input.algorithm);
    if (error)
        return error;
    // The first API with this algorithm brings the key. Once it is committed, the keyring has it.
    if (!keyring_signing(keyring_current(call->server->keyring), input.algorithm->name)) {
        error = admin_load(call, api_prepare_key, &load);
        if (error)
            return error;
        input.key = load->key;
    }
    error = admin_commit(call, api_build, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key(&call->json, STR("created"));
    admin_view_api(&call->json, commit->api);
    return admin_answer_end(call, 201);
}

// ---------------------------------------------------------------------------------- scopes

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
