// SPDX-License-Identifier: Apache-2.0
#include "grant/grant.h"

#include "base/refusal.h"
#include "model/scope.h"

// Which API: the one that resource names (RFC 8707), else the only one, else the default one.
static enum twoleg_error grant_api(const struct grant_context *context,
                                   const struct token_request *request,
                                   const struct application *application,
                                   const struct api **ret_api,
                                   const struct application_api **ret_rights)
{
    const struct api *api = NULL;
    const struct application_api *rights = NULL;
    size_t usable = 0;
    for (size_t i = 0; i < application->api_count; i++) {
        const struct api *each = api_set_find(context->apis, application->apis[i].api);
        if (!each || !application->apis[i].requests)
            continue;
        usable++;
        bool takes = request->resource.ptr ? str_equal(each->identifier, request->resource)
                                           : usable == 1 || each->is_default;
        api = takes ? each : api;
        rights = takes ? &application->apis[i] : rights;
    }
    if (usable == 0)
        return REFUSE(TWOLEG_GRANT_TYPE_REFUSED);
    if (!api)
        return REFUSE(TWOLEG_TARGET_UNKNOWN);
    // Several APIs, none named and none the default: a guess would be an audience confusion.
    if (!request->resource.ptr && usable > 1 && !api->is_default)
        return REFUSE(TWOLEG_TARGET_MISSING);
    *ret_api = api;
    *ret_rights = rights;
    return TWOLEG_NONE;
}

// Nothing was asked for: what the dialect says then, all as a rule (RFC 6749 section 3.3); or what
// was granted first (section 6).
static enum twoleg_error grant_scope_unasked(const struct grant_context *context,
                                             const struct token_request *request,
                                             struct str allowed, struct str *ret_scope)
{
    const struct request_rules *rules = request->rules;
    switch (request->grant == GRANT_REFRESH_TOKEN ? SCOPE_ALL : rules->scope_omitted) {
    case SCOPE_ALL:
        *ret_scope = allowed;
        return TWOLEG_NONE;
    case SCOPE_DEFAULT:
        return scope_intersect(context->arena, rules->scope_default, &allowed, 1, ret_scope);
    case SCOPE_EMPTY:
        break;
    }
    *ret_scope = STR("");
    return TWOLEG_NONE;
}

enum twoleg_error grant_read_scope(struct arena *arena, struct str text, struct str *ret_scope)
{
    struct str scope;
    enum twoleg_error error = scope_normalise(arena, text, &scope);
    if (error == TWOLEG_NO_MEMORY)
        return error;
    if (error || scope.len == 0)
        return REFUSE(TWOLEG_SCOPE_MALFORMED);
    *ret_scope = scope;
    return TWOLEG_NONE;
}

// RFC 6749 section 3.3: a subset of the application's.
static enum twoleg_error grant_scope(const struct grant_context *context,
                                     const struct token_request *request, struct str allowed,
                                     struct str *ret_scope)
{
    if (!request->scope.ptr)
        return grant_scope_unasked(context, request, allowed, ret_scope);
    struct str scope;
    enum twoleg_error error = grant_read_scope(context->arena, request->scope, &scope);
    if (error)
        return error;
    // Nothing may be left: callers that name a scope out of habit do not read refusals.
    if (request->rules->scope_drops_unknown)
        return scope_intersect(context->arena, scope, &allowed, 1, ret_scope);
    if (!scope_contains(allowed, scope))
        return REFUSE(TWOLEG_SCOPE_REFUSED);
    *ret_scope = scope;
    return TWOLEG_NONE;
}

static enum token_format grant_format(const struct token_request *request,
                                      const struct application *application)
{
    return request->rules->has_format ? request->rules->format : application->format;
}

static int64_t grant_ttl(const struct grant_context *context, const struct application *application,
                         enum token_format format)
{
    bool longer = application->ttl_us > context->jwt_max_ttl_us;
    return format == FORMAT_JWT && longer ? context->jwt_max_ttl_us
                                                       : application->ttl_us;
}

static struct decision grant_decision(const struct grant_context *context,
                                      const struct token_request *request,
                                      const struct client *client, const struct api *api,
                                      struct str scope)
{
    enum token_format format = grant_format(request, client->application);
    return (struct decision){
        .application = client->application,
        .generation = client->state.generation,
        .credential = client->secret->number,
        .subject = context->user ? context->user->number : 0,
        .subject_generation = context->user ? context->user->state.generation : 0,
        .family = context->login,
        .username = context->user ? context->user->username : STR_NONE,
        .api = api,
        .scope = scope,
        .ext = request->ext,
        .format = format,
        .shape = request->rules->shape,
        .reissue = request->rules->reissue,
        .ttl_us = grant_ttl(context, client->application, format),
        .now_us = context->now_us,
    };
}

// What a grant allows at most: of which API, and which words.
typedef enum twoleg_error grant_function(const struct grant_context *context,
                                         const struct token_request *request,
                                         const struct application *application,
                                         const struct api **ret_api, struct str *ret_allowed);

// RFC 6749 section 4.4.
static enum twoleg_error grant_client_credentials(const struct grant_context *context,
                                                  const struct token_request *request,
                                                  const struct application *application,
                                                  const struct api **ret_api,
                                                  struct str *ret_allowed)
{
    const struct application_api *rights;
    enum twoleg_error error = grant_api(context, request, application, ret_api, &rights);
    if (!error)
        *ret_allowed = rights->scopes;
    return error;
}

// What is left of the words once the bound is kept. A token without any scope is granted where
// there was none before either: where scopes say what may be done, who has none of them may do
// nothing.
static enum twoleg_error grant_bounded(const struct grant_context *context, struct str words,
                                       struct str bound, struct str *ret_allowed)
{
    struct str allowed;
    enum twoleg_error error = scope_intersect(context->arena, words, &bound, 1, &allowed);
    if (error)
        return error;
    if (allowed.len == 0 && words.len > 0)
        return REFUSE(TWOLEG_SCOPE_REFUSED);
    *ret_allowed = allowed;
    return TWOLEG_NONE;
}

static enum twoleg_error grant_user_scope(const struct grant_context *context, uint64_t api,
                                          struct str words, struct str *ret_allowed)
{
    const struct user *user = context->user;
    const struct application_api *rights = NULL;
    for (size_t i = 0; i < user->api_count; i++)
        if (user->apis[i].api == api)
            rights = &user->apis[i];
    if (!rights)
        return REFUSE(TWOLEG_TARGET_UNKNOWN);
    return grant_bounded(context, words, rights->scopes, ret_allowed);
}

// RFC 6749 section 4.3: of what both the application and the user have.
static enum twoleg_error grant_password(const struct grant_context *context,
                                        const struct token_request *request,
                                        const struct application *application,
                                        const struct api **ret_api, struct str *ret_allowed)
{
    const struct api *api;
    const struct application_api *rights;
    enum twoleg_error error = grant_api(context, request, application, &api, &rights);
    if (!error)
        error = grant_user_scope(context, api->number, rights->scopes, ret_allowed);
    if (!error)
        *ret_api = api;
    return error;
}

// RFC 6749 section 6: never more than was granted first, for the API that it was granted for; less
// what application or user have lost since.
static enum twoleg_error grant_refresh_token(const struct grant_context *context,
                                             const struct token_request *request,
                                             const struct application *application,
                                             const struct api **ret_api, struct str *ret_allowed)
{
    const struct refresh_family *family = context->family;
    const struct api *api = api_set_find(context->apis, family->api);
    const struct application_api *rights = application_find_api(application, family->api);
    struct str allowed;
    if (!api || !rights || !rights->requests ||
        (request->resource.ptr && !str_equal(request->resource, api->identifier)))
        return REFUSE(TWOLEG_TARGET_UNKNOWN);
    enum twoleg_error error = grant_bounded(context, family->scope, rights->scopes, &allowed);
    if (!error)
        error = grant_user_scope(context, api->number, allowed, ret_allowed);
    if (!error)
        *ret_api = api;
    return error;
}

static grant_function *const grants[GRANTS] = {
    [GRANT_CLIENT_CREDENTIALS] = grant_client_credentials,
    [GRANT_PASSWORD] = grant_password,
    [GRANT_REFRESH_TOKEN] = grant_refresh_token,
};

enum twoleg_error grant_check(const struct grant_context *context,
                              const struct token_request *request, const struct client *client)
{
    if (request->grant == GRANT_MISSING)
        return REFUSE(TWOLEG_GRANT_TYPE_MISSING);
    if (!grants[request->grant] ||
        (request->grant != GRANT_CLIENT_CREDENTIALS && !context->users))
        return REFUSE(TWOLEG_GRANT_TYPE_UNSUPPORTED);
    if (!(client->application->grants & GRANT_BIT(request->grant)))
        return REFUSE(TWOLEG_GRANT_TYPE_REFUSED);
    if (request->grant == GRANT_PASSWORD && (!request->username.ptr || !request->password.ptr))
        return REFUSE(TWOLEG_PARAMETER_MISSING);
    if (request->grant == GRANT_REFRESH_TOKEN && !request->refresh_token.ptr)
        return REFUSE(TWOLEG_PARAMETER_MISSING);
    // It would be used up, and the next one lost.
    if (request->grant == GRANT_REFRESH_TOKEN && !request->rules->refreshes)
        return REFUSE(TWOLEG_GRANT_TYPE_UNSUPPORTED);
    return TWOLEG_NONE;
}

enum twoleg_error grant_decide(const struct grant_context *context,
                               const struct token_request *request, const struct client *client,
                               struct decision *ret_decision)
{
    const struct api *api;
    struct str allowed, scope;
    enum twoleg_error error =
        grants[request->grant](context, request, client->application, &api, &allowed);
    if (!error)
        error = grant_scope(context, request, allowed, &scope);
    if (error)
        return error;
    *ret_decision = grant_decision(context, request, client, api, scope);
    return TWOLEG_NONE;
}
