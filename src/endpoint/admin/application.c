// SPDX-License-Identifier: Apache-2.0
#include "codec/percent.h"
#include "endpoint/admin/actions.h"
#include "endpoint/admin/application.h"
#include "endpoint/admin/dialect.h"
#include "endpoint/admin/page.h"
#include "endpoint/admin/secret.h"
#include "endpoint/admin/view.h"

// First what can be changed, then what a new one has, then what an import says.
static const struct admin_field application_fields[] = {
    {"name", ADMIN_TEXT, offsetof(struct application_body, name)},
    {"scope", ADMIN_TEXT, offsetof(struct application_body, scope)},
    {"token_format", ADMIN_TEXT, offsetof(struct application_body, token_format)},
    {"token_ttl", ADMIN_LIFE, offsetof(struct application_body, token_ttl)},
    {"grants", ADMIN_TEXT, offsetof(struct application_body, grants)},
    {"budget", ADMIN_TEXT, offsetof(struct application_body, budget)},
    {"budget_mode", ADMIN_TEXT, offsetof(struct application_body, budget_mode)},
    {"dialects", ADMIN_TEXT, offsetof(struct application_body, dialects)},
    {"audience", ADMIN_TEXTS, offsetof(struct application_body, audience)},
    {"serves", ADMIN_TEXTS, offsetof(struct application_body, serves)},
    {"resource_server", ADMIN_BOOL, offsetof(struct application_body, resource_server)},
    {"client_id", ADMIN_TEXT, offsetof(struct application_body, client_id)},
    {"client_secret", ADMIN_TEXT, offsetof(struct application_body, client_secret)},
    {"client_secret_hash", ADMIN_TEXT, offsetof(struct application_body, client_secret_hash)},
    {"long_secret", ADMIN_BOOL, offsetof(struct application_body, long_secret)},
    {"update", ADMIN_BOOL, offsetof(struct application_body, update)},
    {"dry_run", ADMIN_BOOL, offsetof(struct application_body, dry_run)},
};
#define APPLICATION_FIELDS (sizeof application_fields / sizeof *application_fields)

// A name that is nowhere would lock the application out for a slip of the pen.
static enum twoleg_error application_read_dialects(struct admin_call *call,
                                                   struct application_body *body)
{
    struct str word;
    if (!body->dialects.ptr)
        return TWOLEG_NONE;
    enum twoleg_error error = application_dialects_read(call->request->arena, body->dialects,
                                                        &body->dialects_read);
    if (error == TWOLEG_NO_MEMORY)
        return error;
    if (error)
        return admin_refuse(call, error, "\"dialects\" must be all, or names of dialects with "
                            "blanks between them, in all at most %d bytes",
                            APPLICATION_DIALECTS_MAX);
    struct str rest = body->dialects_read;
    while (str_word(&rest, &word))
        if (!dialect_set_knows(endpoint_dialects(call->request), word))
            return admin_refuse(call, TWOLEG_RANGE, "there is no dialect %.*s here (twoleg dialect "
                                "list; one of a folder must be named in the configuration first)",
                                STR_ARG(word));
    return TWOLEG_NONE;
}

enum twoleg_error admin_application_read(struct admin_call *call, enum admin_application_use use,
                                         struct application_body *ret_body)
{
    static const size_t fields[] = {[APPLICATION_UPDATED] = APPLICATION_FIELDS - 6,
                                    [APPLICATION_NEW] = APPLICATION_FIELDS - 4,
                                    [APPLICATION_IMPORTED] = APPLICATION_FIELDS};
    struct application_body *body = ret_body;
    *body = (struct application_body){0};
    enum twoleg_error error = admin_body(call, application_fields, fields[use], body);
    if (error)
        return error;
    if (body->token_format.ptr && !token_format_from(body->token_format, &body->format))
        return admin_refuse(call, TWOLEG_RANGE,
                            "\"token_format\" must be jwt, sealed or reference");
    if (body->grants.ptr && !grants_read(body->grants, &body->grants_read))
        return admin_refuse(call, TWOLEG_RANGE, "\"grants\" must be " GRANTS_WORDS);
    error = body->budget.ptr ? budget_parse(body->budget, &body->budget_read) : TWOLEG_NONE;
    if (error)
        return admin_refuse(call, error, "\"budget\" must be " BUDGET_WORDS);
    if (body->budget_mode.ptr && !budget_mode_from(body->budget_mode, &body->budget_read.mode))
        return admin_refuse(call, TWOLEG_RANGE,
                            "\"budget_mode\" must be enforce, observe or default");
    return application_read_dialects(call, body);
}

static struct manage_access_request application_access(const struct application_body *body)
{
    return (struct manage_access_request){.audience = body->audience,
                                          .serves = body->serves,
                                          .resource_server = body->resource_server.value,
                                          .scope = body->scope};
}

struct manage_policy admin_application_policy(const struct admin_call *call)
{
    const struct config *config = endpoint_config(call->request);
    return (struct manage_policy){
        .format = (enum token_format)config->token_format,
        .ttl_us = config->token_ttl,
        .jwt_max_ttl_us = config->jwt_max_ttl,
        .references =
            dialect_set_gives_only(endpoint_dialects(call->request), FORMAT_REFERENCE)};
}

struct manage_application_new admin_application_new(const struct application_body *body)
{
    return (struct manage_application_new){.client_id = body->client_id,
                                           .name = body->name,
                                           .has_format = body->token_format.ptr != NULL,
                                           .format = body->format,
                                           .has_ttl = body->token_ttl.given,
                                           .ttl_us = body->token_ttl.us,
                                           .grants = body->grants_read,
                                           .budget = body->budget_read,
                                           .dialects = body->dialects_read,
                                           .access = application_access(body)};
}

struct manage_application_update admin_application_changes(const struct application_body *body)
{
    return (struct manage_application_update){
        .has_name = body->name.ptr != NULL,
        .name = body->name,
        .has_format = body->token_format.ptr != NULL,
        .format = body->format,
        .has_ttl = body->token_ttl.given,
        .ttl_us = body->token_ttl.us,
        .has_grants = body->grants_read != 0,
        .grants = body->grants_read,
        .has_budget = body->budget.ptr != NULL,
        .has_budget_mode = body->budget_mode.ptr != NULL,
        .budget = body->budget_read,
        .has_dialects = body->dialects.ptr != NULL,
        .dialects = body->dialects_read,
        .has_scope = body->scope.ptr != NULL,
        .has_audience = body->audience.items != NULL,
        .has_serves = body->serves.items != NULL,
        .has_resource_server = body->resource_server.given,
        .access = application_access(body)};
}

void admin_application_words(struct admin_call *call, const struct application_body *body,
                             const struct manage_access *access)
{
    bool users = body->grants_read & ~GRANT_BIT(GRANT_CLIENT_CREDENTIALS);
    admin_view_declared(&call->json, call->request->arena, body->scope, access);
    if (users && !endpoint_config(call->request)->password_grant)
        json_key_bool(&call->json, STR("grants_off"), true);
}

// ---------------------------------------------------------------------------------- create

static enum twoleg_error application_prepare_new(struct admin_call *call, struct admin_load *load)
{
    struct application_body body;
    enum twoleg_error error = admin_application_read(call, APPLICATION_NEW, &body);
    load->loader = admin_loader_hash;
    return error ? error : admin_secret_prepare(call, load, body.client_secret);
}

struct application_input {
    const struct admin_load *load;
    struct application_body body;
};

static enum twoleg_error application_build(struct admin_call *call, struct admin_commit *commit,
                                           const void *input)
{
    const struct application_input *given = input;
    const struct application_body *body = &given->body;
    struct manage_policy policy = admin_application_policy(call);
    struct manage_application_new new = admin_application_new(body);
    if (!env_random_u64(call->request->env, &new.number))
        return TWOLEG_NO_RANDOM;
    enum twoleg_error error =
        admin_secret_make(call, given->load, body->client_secret, new.number, commit, &new.secret);
    if (error)
        return error;
    return manage_application_create(&commit->change, &policy,
                                     registry_apis(call->server->registry), &new,
                                     &commit->application, &commit->access);
}

// What a token request must name: nothing where the default API is meant, or the only one.
static void application_show_resource(struct admin_call *call,
                                      const struct application *application)
{
    const struct api_set *apis = registry_apis(call->server->registry);
    const struct api *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < application->api_count; i++) {
        const struct api *api = api_set_find(apis, application->apis[i].api);
        if (!api || !application->apis[i].requests)
            continue;
        if (!first || api->is_default)
            first = api;
        count++;
    }
    if (count > 1 && !first->is_default)
        json_key_str(&call->json, STR("resource"), first->identifier);
    else
        json_key_nil(&call->json, STR("resource"));
}

static bool application_id_is_known(struct admin_call *call, struct str id)
{
    struct registry_view view;
    enum twoleg_error error = registry_client(call->server->registry, id, &view);
    return !error || error == TWOLEG_WAIT;
}

// A Basic client may send its ID percent-encoded or plain, so of two IDs that differ by that alone
// the decoded one wins: whoever makes the second must know.
static void application_show_likeness(struct admin_call *call, struct str id)
{
    struct arena *arena = call->request->arena;
    struct str like = STR_NONE;
    struct buf encoded;
    if (percent_decode(id, PERCENT_PLUS_BLANK, arena, &like) || str_equal(like, id) ||
        !application_id_is_known(call, like)) {
        buf_init_arena(&encoded, arena, id.len + 2);
        percent_encode(&encoded, id);
        like = buf_str(&encoded);
    }
    if (like.ptr && !str_equal(like, id) && application_id_is_known(call, like))
        json_key_str(&call->json, STR("like"), like);
}

static enum twoleg_error application_created(struct admin_call *call,
                                             const struct application_body *body,
                                             const struct admin_commit *commit)
{
    const struct application *application = commit->application;
    struct arena *arena = call->request->arena;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), application->client_id);
    admin_secret_show(call, commit);
    json_key_str(&call->json, STR("name"), application->name);
    json_key_str(&call->json, STR("scope"), admin_view_scope_given(arena, body->scope));
    json_key_str(&call->json, STR("token_format"), token_format_name(application->format));
    admin_view_time(&call->json, STR("token_ttl"), application->ttl_us);
    json_key_str(&call->json, STR("dialects"), application_dialects_text(application));
    admin_application_words(call, body, &commit->access);
    application_show_resource(call, application);
    application_show_likeness(call, application->client_id);
    admin_dialect_show_example(call, application);
    return admin_answer_end(call, 201);
}

enum twoleg_error admin_application_create(struct admin_call *call)
{
    struct application_input input;
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_load(call, application_prepare_new, &load);
    if (!error)
        error = admin_application_read(call, APPLICATION_NEW, &input.body);
    if (error)
        return error;
    input.load = load;
    error = admin_commit(call, application_build, &input, &commit);
    return error ? error : application_created(call, &input.body, commit);
}

// ---------------------------------------------------------------------------------- list, show

static bool application_row(struct store_cursor *cursor, struct json_writer *json,
                            struct str *ret_name)
{
    struct application application;
    if (!store_applications_next(cursor, &application))
        return false;
    json_object_begin(json);
    admin_view_summary(json, &application);
    json_object_end(json);
    *ret_name = application.client_id;
    return true;
}

enum twoleg_error admin_application_list(struct admin_call *call)
{
    static const struct admin_list applications = {"applications", STORE_OPERATOR,
                                                   store_applications_begin, application_row};
    return admin_list_answer(call, &applications);
}

static enum twoleg_error application_shown(struct admin_call *call,
                                           const struct application *application,
                                           const struct api_set *apis)
{
    struct buf tag;
    buf_init_arena(&tag, call->request->arena, 48);
    buf_add(&tag, STR("ETag: \""));
    buf_add_u64(&tag, application->version);
    buf_add(&tag, STR("\"\r\n"));
    admin_answer_begin(call);
    admin_view_application(&call->json, call->request->arena, application, apis,
                           registry_spent(call->server->registry, application->number),
                           call->request->env->now_us);
    enum twoleg_error error = admin_answer_end(call, 200);
    call->answer->headers = buf_str(&tag);
    return error;
}

// Audit rows name applications by number; only to look at one may be named so.
static enum twoleg_error application_prepare_show(struct admin_call *call, struct admin_load *load)
{
    load->by_number = true;
    return admin_load_name(call, load);
}

enum twoleg_error admin_application_show(struct admin_call *call)
{
    struct admin_load *load;
    enum twoleg_error error = admin_load(call, application_prepare_show, &load);
    return error ? error : application_shown(call, load->application, &load->apis);
}

// ---------------------------------------------------------------------------------- change

static enum twoleg_error application_check_version(const struct admin_call *call,
                                                   struct admin_commit *commit,
                                                   const struct application *application)
{
    if (call->has_if_match && call->if_match != application->version)
        return manage_refuse(&commit->change, TWOLEG_VERSION_CONFLICT,
                             "the application has version %llu meanwhile",
                             (unsigned long long)application->version);
    return TWOLEG_NONE;
}

static enum twoleg_error application_build_update(struct admin_call *call,
                                                  struct admin_commit *commit,
                                                  const void *input)
{
    const struct application_input *given = input;
    const struct application_body *body = &given->body;
    const struct application *application = given->load->application;
    struct manage_policy policy = admin_application_policy(call);
    enum twoleg_error error = application_check_version(call, commit, application);
    if (error)
        return error;
    struct manage_application_update update = admin_application_changes(body);
    return manage_application_update(&commit->change, &policy,
                                     registry_apis(call->server->registry), application, &update,
                                     &commit->access);
}

enum twoleg_error admin_application_update(struct admin_call *call)
{
    struct application_input input;
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_application_read(call, APPLICATION_UPDATED, &input.body);
    if (!error)
        error = admin_load_named(call, &load);
    if (error)
        return error;
    input.load = load;
    error = admin_commit(call, application_build_update, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), load->application->client_id);
    admin_application_words(call, &input.body, &commit->access);
    return admin_answer_end(call, 200);
}

// The changes of state have one shape; `change` is what differs.
struct application_change_input {
    const struct application *application;
    enum twoleg_error (*change)(struct manage_change *, const struct application *);
};

static enum twoleg_error application_build_change(struct admin_call *call,
                                                  struct admin_commit *commit, const void *input)
{
    const struct application_change_input *given = input;
    enum twoleg_error error = application_check_version(call, commit, given->application);
    return error ? error : given->change(&commit->change, given->application);
}

static enum twoleg_error application_change(struct admin_call *call, struct str status,
                                            enum twoleg_error (*change)(struct manage_change *,
                                                                        const struct application *))
{
    struct application_change_input input = {.change = change};
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_load_named(call, &load);
    if (error)
        return error;
    input.application = load->application;
    error = admin_commit(call, application_build_change, &input, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), load->application->client_id);
    if (status.ptr)
        json_key_str(&call->json, STR("status"), status);
    return admin_answer_end(call, 200);
}

enum twoleg_error admin_application_delete(struct admin_call *call)
{
    enum twoleg_error error = admin_body(call, NULL, 0, NULL);
    return error ? error : application_change(call, STR("deleted"), manage_application_delete);
}

enum twoleg_error admin_application_disable(struct admin_call *call)
{
    enum twoleg_error error = admin_body(call, NULL, 0, NULL);
    return error ? error : application_change(call, STR("disabled"), manage_application_disable);
}

enum twoleg_error admin_application_revoke_tokens(struct admin_call *call)
{
    enum twoleg_error error = admin_body(call, NULL, 0, NULL);
    return error ? error : application_change(call, STR_NONE, manage_application_revoke_tokens);
}

static enum twoleg_error application_enable_anew(struct manage_change *change,
                                                 const struct application *application)
{
    return manage_application_enable(change, application, false);
}

static enum twoleg_error application_enable_on(struct manage_change *change,
                                               const struct application *application)
{
    return manage_application_enable(change, application, true);
}

enum twoleg_error admin_application_enable(struct admin_call *call)
{
    struct admin_bool keep = {0};
    static const struct admin_field fields[] = {{"keep_tokens", ADMIN_BOOL, 0}};
    enum twoleg_error error = admin_body(call, fields, 1, &keep);
    if (error)
        return error;
    return application_change(call, STR("active"),
                              keep.value ? application_enable_on : application_enable_anew);
}
