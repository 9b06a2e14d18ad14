// SPDX-License-Identifier: Apache-2.0
#include "manage/application.h"

#include "codec/duration.h"
#include "codec/utf8.h"

static enum twoleg_error application_check_name(struct manage_change *change, struct str name)
{
    if (name.len == 0)
        return manage_refuse(change, TWOLEG_MISSING, "an application needs a name");
    if (name.len > APPLICATION_NAME_MAX)
        return manage_refuse(change, TWOLEG_TOO_LONG, "the name is longer than %d bytes",
                             APPLICATION_NAME_MAX);
    if (!text_is_plain(name))
        return manage_refuse(change, TWOLEG_MALFORMED,
                             "the name must be UTF-8 text without control characters");
    return TWOLEG_NONE;
}

// RFC 9700 section 4.15: a client's token has its ID for a subject, a user's has the user's number.
static enum twoleg_error application_check_client_id(struct manage_change *change, struct str id)
{
    uint64_t number;
    if (id.len > CLIENT_ID_MAX)
        return manage_refuse(change, TWOLEG_TOO_LONG, "the client ID is longer than %d bytes",
                             CLIENT_ID_MAX);
    if (!text_is_visible_ascii(id))
        return manage_refuse(change, TWOLEG_MALFORMED, "a client ID is one or more visible ASCII "
                             "characters, without blanks");
    if (number_read(id, NUMBER_USER, &number))
        return manage_refuse(change, TWOLEG_MALFORMED, "a client ID of usr_ and 13 letters would "
                             "be taken for a user in tokens");
    return TWOLEG_NONE;
}

// A dialect's format goes before the application's, and who makes one for such a dialect expects no
// word of a jwt; but here it may ask elsewhere, too. How the format is said depends on who asks: an
// option, a fact of an import, a member.
#define APPLICATION_FORMAT_HINT \
    "; it needs the token format reference (--token-format, token_format) also where a dialect " \
    "makes references of all tokens"

static enum twoleg_error application_check_life(struct manage_change *change,
                                                const struct manage_policy *policy,
                                                enum token_format format, int64_t ttl_us)
{
    char memory[64];
    struct buf most;
    buf_init(&most, memory, sizeof memory);
    duration_format(&most, policy->jwt_max_ttl_us);
    if (ttl_us == TIME_NEVER && format == FORMAT_JWT)
        return manage_refuse(change, TWOLEG_RANGE, "a jwt must expire; `never` is for the token "
                             "formats sealed and reference (a jwt lives at most %.*s, the option "
                             "jwt_max_ttl)" APPLICATION_FORMAT_HINT,
                             STR_ARG(buf_str(&most)));
    if (ttl_us == TIME_NEVER)
        return TWOLEG_NONE;
    if (ttl_us < TOKEN_TTL_MIN_US || ttl_us > TOKEN_TTL_MAX_US || ttl_us % SECOND_US)
        return manage_refuse(change, TWOLEG_RANGE,
                             "the life of tokens is from 1s to 10y, in whole seconds");
    if (format == FORMAT_JWT && ttl_us > policy->jwt_max_ttl_us)
        return manage_refuse(change, TWOLEG_RANGE, "a jwt lives at most %.*s here (the option "
                             "jwt_max_ttl); use a shorter life, or the token format sealed or "
                             "reference" APPLICATION_FORMAT_HINT,
                             STR_ARG(buf_str(&most)));
    return TWOLEG_NONE;
}

// A life that no jwt has is that of references, where nobody names a format or gets another one.
static enum token_format application_long_format(const struct manage_policy *policy,
                                                 enum token_format format, int64_t ttl_us)
{
    bool longer = format == FORMAT_JWT && ttl_us > policy->jwt_max_ttl_us;
    return longer && policy->references ? FORMAT_REFERENCE : format;
}

// The default must be legal for the format, whatever jwt_max_ttl says.
static int64_t application_default_life(const struct manage_policy *policy,
                                        enum token_format format)
{
    bool shorten = format == FORMAT_JWT && policy->ttl_us > policy->jwt_max_ttl_us;
    return shorten ? policy->jwt_max_ttl_us : policy->ttl_us;
}

static void application_write_life(struct json_writer *json, int64_t ttl_us)
{
    if (ttl_us == TIME_NEVER)
        json_key_nil(json, STR("token_ttl"));
    else
        json_key_i64(json, STR("token_ttl"), ttl_us / SECOND_US);
}

static void application_write_grants(struct json_writer *json, unsigned grants)
{
    char memory[GRANTS_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    grants_write(&text, grants);
    json_key_str(json, STR("grants"), buf_str(&text));
}

static void application_write_access(struct json_writer *json, const struct application_api *apis,
                                     size_t count)
{
    json_key(json, STR("apis"));
    json_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        char memory[NUMBER_TEXT_MAX];
        struct buf number;
        buf_init(&number, memory, sizeof memory);
        number_write(&number, NUMBER_API, apis[i].api);
        json_object_begin(json);
        json_key_str(json, STR("api"), buf_str(&number));
        json_key_bool(json, STR("requests"), apis[i].requests);
        json_key_bool(json, STR("serves"), apis[i].serves);
        json_key_str(json, STR("scope"), apis[i].scopes);
        json_object_end(json);
    }
    json_array_end(json);
}

// One side of a before and after: all that update can change.
static void application_write(struct json_writer *json, struct str key,
                              const struct application *application)
{
    json_key(json, key);
    json_object_begin(json);
    json_key_str(json, STR("client_id"), application->client_id);
    json_key_str(json, STR("name"), application->name);
    json_key_str(json, STR("status"), entity_status_name(application->state.status));
    json_key_str(json, STR("token_format"), token_format_name(application->format));
    application_write_life(json, application->ttl_us);
    application_write_grants(json, application->grants);
    budget_write(json, &application->budget);
    json_key_str(json, STR("dialects"), application_dialects_text(application));
    application_write_access(json, application->apis, application->api_count);
    json_object_end(json);
}

static void application_audit(struct manage_change *change, enum event event,
                              const struct application *before, const struct application *after)
{
    struct manage_detail detail;
    manage_detail_begin(change, &detail);
    if (before)
        application_write(&detail.json, STR("before"), before);
    if (after)
        application_write(&detail.json, STR("after"), after);
    manage_detail_end(change, &detail, event,
                      manage_object(change, NUMBER_APPLICATION,
                                    after ? after->number : before->number));
}

static enum twoleg_error application_check_new(struct manage_change *change,
                                               const struct manage_policy *policy,
                                               const struct manage_application_new *request,
                                               struct application *application)
{
    // First the ID: an import may have made the name of it.
    enum twoleg_error error =
        request->client_id.ptr ? application_check_client_id(change, request->client_id)
                               : TWOLEG_NONE;
    if (!error)
        error = application_check_name(change, request->name);
    int64_t ttl_us = request->has_ttl ? request->ttl_us : 0;
    application->format = request->has_format
                              ? request->format
                              : application_long_format(policy, policy->format, ttl_us);
    application->ttl_us = request->has_ttl
                              ? request->ttl_us
                              : application_default_life(policy, application->format);
    if (!error)
        error = application_check_life(change, policy, application->format, application->ttl_us);
    return error;
}

// Text of the secret that outlives the request.
static const struct secret *application_first_secret(struct manage_change *change,
                                                     const struct secret *secret)
{
    struct secret *copy = ARENA_NEW(&change->batch->arena, struct secret);
    if (!copy) {
        change->batch->no_memory = true;
        return NULL;
    }
    *copy = *secret;
    copy->label = store_batch_copy(change->batch, secret->label);
    copy->slow_hash = store_batch_copy(change->batch, secret->slow_hash);
    return copy;
}

enum twoleg_error manage_application_create(struct manage_change *change,
                                            const struct manage_policy *policy,
                                            const struct api_set *apis,
                                            const struct manage_application_new *request,
                                            struct application **ret_application,
                                            struct manage_access *ret_access)
{
    struct store_batch *batch = change->batch;
    const struct api *home = api_set_default(apis);
    struct application *application = ARENA_NEW(&batch->arena, struct application);
    if (!application)
        return TWOLEG_NO_MEMORY;
    application->number = request->number;
    application->account = request->account || !home ? request->account : home->account;
    enum twoleg_error error = manage_may(change, application->account);
    if (!error)
        error = application_check_new(change, policy, request, application);
    if (!error)
        error = manage_access_resolve(change, apis, &request->access, ret_access);
    if (error)
        return error;
    application->client_id = request->client_id.ptr ? store_batch_copy(batch, request->client_id)
                                                    : manage_object(change, NUMBER_APPLICATION,
                                                                    request->number);
    application->name = store_batch_copy(batch, request->name);
    application->state.generation = (uint64_t)batch->now_us;
    application->budget = request->budget;
    application->dialects = store_batch_copy(batch, request->dialects);
    application->grants = request->grants ? request->grants : GRANTS_DEFAULT;
    application->created_us = application->updated_us = batch->now_us;
    application->apis = ret_access->apis;
    application->api_count = ret_access->api_count;
    application->secrets = application_first_secret(change, &request->secret);
    application->secret_count = application->secrets ? 1 : 0;
    manage_access_declare(change, ret_access);
    manage_verb(change, VERB_APPLICATION_CREATE)->application = application;
    application_audit(change,
                      request->imported ? EVENT_APPLICATION_IMPORT : EVENT_APPLICATION_CREATE,
                      NULL, application);
    *ret_application = application;
    return batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

// ---------------------------------------------------------------------------------- update

static struct store_verb *application_verb(struct manage_change *change,
                                           const struct application *application, unsigned fields)
{
    struct store_verb *verb = manage_verb(change, VERB_APPLICATION_UPDATE);
    verb->expected = application->version;
    verb->update.number = application->number;
    verb->update.fields = fields;
    return verb;
}

static enum twoleg_error application_present(struct manage_change *change,
                                             const struct api_set *apis,
                                             const struct application *application, bool serves,
                                             struct manage_texts *ret_texts)
{
    struct str *items = arena_array(&change->batch->arena, application->api_count + 1,
                                    sizeof *items);
    size_t count = 0;
    if (!items)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < application->api_count; i++) {
        const struct application_api *row = &application->apis[i];
        const struct api *api = api_set_find(apis, row->api);
        if (api && (serves ? row->serves : row->requests))
            items[count++] = api->identifier;
    }
    *ret_texts = (struct manage_texts){.items = items, .count = count};
    return TWOLEG_NONE;
}

// What the request leaves open is filled from what is there.
static enum twoleg_error application_new_access(struct manage_change *change,
                                                const struct api_set *apis,
                                                const struct application *application,
                                                const struct manage_application_update *request,
                                                struct manage_access *ret_access)
{
    struct manage_access_request wanted = request->access;
    enum twoleg_error error = TWOLEG_NONE;
    if (!request->has_audience)
        error = application_present(change, apis, application, false, &wanted.audience);
    if (!error && !request->has_serves && !request->has_resource_server)
        error = application_present(change, apis, application, true, &wanted.serves);
    if (error)
        return error;
    if (!request->has_scope)
        wanted.scope = manage_access_scope(&change->batch->arena, application->apis,
                                           application->api_count);
    return manage_access_resolve(change, apis, &wanted, ret_access);
}

static void application_set_api(struct manage_change *change,
                                const struct application *application,
                                const struct application_api *row)
{
    struct store_verb *verb = manage_verb(change, VERB_APPLICATION_API_SET);
    verb->application_api.application = application->number;
    verb->application_api.api = row->api;
    verb->application_api.requests = row->requests;
    verb->application_api.serves = row->serves;
    verb->application_api.scopes = row->scopes;
}

static void application_move_access(struct manage_change *change,
                                    const struct application *before,
                                    const struct application *after)
{
    for (size_t i = 0; i < before->api_count; i++) {
        struct application_api none = {.api = before->apis[i].api, .scopes = STR("")};
        if (!application_find_api(after, none.api))
            application_set_api(change, before, &none);
    }
    for (size_t i = 0; i < after->api_count; i++) {
        const struct application_api *new = &after->apis[i];
        const struct application_api *old = application_find_api(before, new->api);
        if (!old || old->requests != new->requests || old->serves != new->serves ||
            !str_equal(old->scopes, new->scopes))
            application_set_api(change, before, new);
    }
}

static enum twoleg_error application_check_update(struct manage_change *change,
                                                  const struct manage_policy *policy,
                                                  const struct application *application,
                                                  const struct manage_application_update *request,
                                                  struct application *after)
{
    enum twoleg_error error = manage_may(change, application->account);
    *after = *application;
    if (!error && request->has_name)
        error = application_check_name(change, request->name);
    if (error)
        return error;
    if (request->has_name)
        after->name = store_batch_copy(change->batch, request->name);
    if (request->has_format)
        after->format = request->format;
    if (request->has_ttl)
        after->ttl_us = request->ttl_us;
    if (request->has_ttl && !request->has_format)
        after->format = application_long_format(policy, after->format, after->ttl_us);
    if (request->has_grants)
        after->grants = request->grants;
    if (request->has_budget) {
        after->budget.own = request->budget.own;
        after->budget.rate = request->budget.rate;
    }
    if (request->has_budget_mode)
        after->budget.mode = request->budget.mode;
    if (request->has_dialects)
        after->dialects = store_batch_copy(change->batch, request->dialects);
    // A row older than a stricter jwt_max_ttl may be renamed all the same.
    if (!request->has_format && !request->has_ttl)
        return TWOLEG_NONE;
    return application_check_life(change, policy, after->format, after->ttl_us);
}

enum twoleg_error manage_application_update(struct manage_change *change,
                                            const struct manage_policy *policy,
                                            const struct api_set *apis,
                                            const struct application *application,
                                            const struct manage_application_update *request,
                                            struct manage_access *ret_access)
{
    struct application after;
    bool access = request->has_scope || request->has_audience || request->has_serves ||
                  request->has_resource_server;
    unsigned fields = (request->has_name ? FIELD_NAME : 0u) |
                      (request->has_format ? FIELD_FORMAT : 0u) |
                      (request->has_ttl ? FIELD_TTL : 0u) |
                      (request->has_grants ? FIELD_GRANTS : 0u) |
                      (request->has_budget ? FIELD_BUDGET : 0u) |
                      (request->has_budget_mode ? FIELD_BUDGET_MODE : 0u) |
                      (request->has_dialects ? FIELD_DIALECTS : 0u);
    if (!access && !fields)
        return manage_refuse(change, TWOLEG_MISSING, "nothing to change was given");
    enum twoleg_error error =
        application_check_update(change, policy, application, request, &after);
    *ret_access = (struct manage_access){0};
    if (!error && access)
        error = application_new_access(change, apis, application, request, ret_access);
    if (error)
        return error;
    fields |= after.format != application->format ? FIELD_FORMAT : 0u;
    // Also without fields: it holds the expected version for the verbs after it.
    struct store_verb *verb = application_verb(change, application, fields);
    verb->update.name = request->has_name ? after.name : STR_NONE;
    verb->update.format = after.format;
    verb->update.ttl_us = after.ttl_us;
    verb->update.grants = after.grants;
    verb->update.budget = after.budget;
    verb->update.dialects = after.dialects;
    if (access) {
        after.apis = ret_access->apis;
        after.api_count = ret_access->api_count;
        manage_access_declare(change, ret_access);
        application_move_access(change, application, &after);
    }
    application_audit(change, EVENT_APPLICATION_UPDATE, application, &after);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

static bool application_same_access(const struct application *before,
                                    const struct manage_access *after)
{
    bool same = before->api_count == after->api_count && after->declared_count == 0;
    for (size_t i = 0; same && i < after->api_count; i++) {
        const struct application_api *new = &after->apis[i];
        const struct application_api *old = application_find_api(before, new->api);
        same = old && old->requests == new->requests && old->serves == new->serves &&
               str_equal(old->scopes, new->scopes);
    }
    return same;
}

static void application_note(struct buf *out, bool differs, struct str what)
{
    if (differs && out->len)
        buf_add(out, STR(", "));
    if (differs)
        buf_add(out, what);
}

enum twoleg_error manage_application_differs(struct manage_change *change,
                                             const struct manage_policy *policy,
                                             const struct api_set *apis,
                                             const struct application *application,
                                             const struct manage_application_update *request,
                                             struct buf *out)
{
    struct application after;
    struct manage_access access = {0};
    bool has_access = request->has_scope || request->has_audience || request->has_serves ||
                      request->has_resource_server;
    enum twoleg_error error =
        application_check_update(change, policy, application, request, &after);
    if (!error && has_access)
        error = application_new_access(change, apis, application, request, &access);
    if (error)
        return error;
    const struct budget *old = &application->budget, *new = &after.budget;
    application_note(out, !str_equal(application->name, after.name), STR("name"));
    application_note(out, application->format != after.format, STR("token format"));
    application_note(out, application->ttl_us != after.ttl_us, STR("life of tokens"));
    application_note(out, application->grants != after.grants, STR("grants"));
    application_note(out, old->mode != new->mode || !budget_same(old, new), STR("budget"));
    application_note(out, !str_equal(application->dialects, after.dialects), STR("dialects"));
    application_note(out, has_access && !application_same_access(application, &access),
                     STR("scope, audience or served APIs"));
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

// ---------------------------------------------------------------------------------- life

// Changes of state carry no expected version: whoever disables means it, whatever else changed.
static enum twoleg_error application_set_state(struct manage_change *change,
                                               const struct application *application,
                                               unsigned fields, enum entity_status status,
                                               enum event event)
{
    enum twoleg_error error = manage_may(change, application->account);
    if (error)
        return error;
    struct application after = *application;
    after.state.status = status;
    struct store_verb *verb = application_verb(change, application, fields);
    verb->expected = 0;
    verb->update.status = status;
    verb->update.generation = (uint64_t)change->batch->now_us;
    application_audit(change, event, application, &after);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_application_disable(struct manage_change *change,
                                             const struct application *application)
{
    return application_set_state(change, application, FIELD_STATUS, STATUS_DISABLED,
                                 EVENT_APPLICATION_DISABLE);
}

enum twoleg_error manage_application_enable(struct manage_change *change,
                                            const struct application *application,
                                            bool keep_tokens)
{
    return application_set_state(change, application,
                                 keep_tokens ? FIELD_STATUS : FIELD_STATUS | FIELD_GENERATION,
                                 STATUS_ACTIVE, EVENT_APPLICATION_ENABLE);
}

enum twoleg_error manage_application_revoke_tokens(struct manage_change *change,
                                                   const struct application *application)
{
    return application_set_state(change, application, FIELD_GENERATION,
                                 application->state.status, EVENT_APPLICATION_REVOKE_TOKENS);
}

enum twoleg_error manage_application_delete(struct manage_change *change,
                                            const struct application *application)
{
    enum twoleg_error error = manage_may(change, application->account);
    if (error)
        return error;
    manage_verb(change, VERB_APPLICATION_DELETE)->number = application->number;
    application_audit(change, EVENT_APPLICATION_DELETE, application, NULL);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}
