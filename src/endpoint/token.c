// SPDX-License-Identifier: Apache-2.0
// The token endpoint (RFC 6749 sections 3.2, 4.3, 4.4, 5, 6), at the paths of the dialect that is
// spoken to this host. Run again from the top after a wait: nothing here has an effect before the
// answer, but for the budgets, which each request is charged for once, and for the rows of what is
// given out, which are the last job.
#include "base/refusal.h"
#include "endpoint/authenticate.h"
#include "endpoint/client_address.h"
#include "endpoint/issue.h"
#include "endpoint/limit.h"
#include "endpoint/log.h"
#include "endpoint/refresh.h"
#include "endpoint/routes.h"
#include "grant/grant.h"

static const enum metric token_issued[TOKEN_FORMATS] = {
    [FORMAT_JWT] = METRIC_TOKEN_ISSUED_JWT,
    [FORMAT_SEALED] = METRIC_TOKEN_ISSUED_SEALED,
    [FORMAT_REFERENCE] = METRIC_TOKEN_ISSUED_REFERENCE,
};

static enum metric token_metric(enum dialect_condition condition)
{
    switch (condition) {
    case CONDITION_CLIENT:
    case CONDITION_CLIENT_MISSING:
    case CONDITION_CLIENT_MALFORMED:
        return METRIC_TOKEN_REFUSED_CLIENT;
    case CONDITION_SCOPE:
        return METRIC_TOKEN_REFUSED_SCOPE;
    case CONDITION_TARGET:
        return METRIC_TOKEN_REFUSED_TARGET;
    case CONDITION_GRANT:
        return METRIC_TOKEN_REFUSED_GRANT;
    case CONDITION_USER:
        return METRIC_TOKEN_REFUSED_USER;
    case CONDITION_MALFORMED:
    case CONDITION_MISSING:
    case CONDITION_MEDIA_TYPE:
    case CONDITION_IN_QUERY:
    case CONDITION_TOO_LONG:
    case CONDITION_METHOD:
    case CONDITION_NOT_ACCEPTABLE:
        return METRIC_TOKEN_REFUSED_REQUEST;
    default:
        return METRIC_TOKEN_REFUSED_OTHER;
    }
}

// Who asks, and how it is spoken to.
struct token_call {
    const struct dialect *dialect;
    const struct dialect_endpoint *endpoint;
    struct token_request form;
    int64_t retry_us;
};

// Whom the token is for besides the client, and by which family of refresh tokens: nobody and none
// with client_credentials.
static enum twoleg_error token_user(struct http_request *request, struct token_call *call,
                                    const struct client *client, struct refresh_use *ret_who)
{
    struct user_found found;
    enum twoleg_error error;
    *ret_who = (struct refresh_use){.user = NULL};
    if (call->form.grant == GRANT_PASSWORD) {
        error = endpoint_user(request, &call->form, client, &found, &call->retry_us);
        if (!error)
            *ret_who = (struct refresh_use){.user = found.user, .number = found.new_family};
        return error;
    }
    if (call->form.grant == GRANT_REFRESH_TOKEN)
        return refresh_find(request, &call->form, client, ret_who);
    return TWOLEG_NONE;
}

// A user's token comes with a refresh token where the operator has said so, and the dialect has a
// place for it.
static bool token_refreshes(const struct token_call *call, const struct client *client)
{
    bool allowed = client->application->grants & GRANT_BIT(GRANT_REFRESH_TOKEN);
    return call->form.grant != GRANT_CLIENT_CREDENTIALS && allowed && call->form.rules->refreshes;
}

static enum twoleg_error token_decide(struct http_request *request, struct token_call *call,
                                      const struct client *client, struct refresh_use *ret_who,
                                      struct decision *ret_decision)
{
    struct grant_context granting = {
        .apis = registry_apis(endpoint_context(request)->server->registry),
        .arena = request->arena,
        // After the clock stepped back, what is issued must not be dead for the gate, which never
        // steps back.
        .now_us = request->env->latest_us,
        .jwt_max_ttl_us = endpoint_config(request)->jwt_max_ttl,
        .users = endpoint_config(request)->password_grant,
    };
    enum twoleg_error error = grant_check(&granting, &call->form, client);
    if (!error)
        error = token_user(request, call, client, ret_who);
    if (error)
        return error;
    granting.user = ret_who->user;
    granting.family = ret_who->family;
    granting.login = token_refreshes(call, client) ? ret_who->number : 0;
    return grant_decide(&granting, &call->form, client, ret_decision);
}

static enum twoleg_error token_make(struct http_request *request, struct token_call *call,
                                    const struct client *client, const struct refresh_use *who,
                                    const struct decision *decision,
                                    struct issued_token *ret_token)
{
    // The start of what is issued would lie in the future for everybody else.
    if (env_clock_state(request->env).clock == ENV_CLOCK_BEHIND)
        return TWOLEG_CLOCK;
    enum twoleg_error error =
        endpoint_limit_budget(request, client->application, &call->retry_us);
    if (!error)
        error = endpoint_issue(request, decision, who, ret_token);
    if (!error && decision->family)
        error = refresh_keep(request, decision, who, ret_token);
    return error;
}

static void token_count(struct metrics *metrics, enum grant_kind grant,
                        const struct decision *decision)
{
    metrics_add(metrics, token_issued[decision->format], 1);
    if (grant == GRANT_PASSWORD)
        metrics_add(metrics, METRIC_USER_GRANTED, 1);
    if (grant == GRANT_REFRESH_TOKEN)
        metrics_add(metrics, METRIC_USER_REFRESHED, 1);
}

static enum twoleg_error token_run(struct http_request *request, struct token_call *call,
                                   struct http_answer *ret_answer)
{
    struct endpoint_context *context = endpoint_context(request);
    struct token_request *form = &call->form;

    // 1 read
    enum twoleg_error error = dialect_read(call->dialect, call->endpoint, request, form);
    if (error)
        return error;

    // 2 client
    struct client client;
    error = endpoint_authenticate(request, GATE_TOKEN_ENDPOINT, form, &client, &call->retry_us);
    if (error)
        return error;

    // 3 grant
    struct refresh_use who;
    struct decision decision;
    error = token_decide(request, call, &client, &who, &decision);
    if (error)
        return error;

    // 4 issue
    struct issued_token issued;
    error = token_make(request, call, &client, &who, &decision, &issued);
    if (error)
        return error;

    // 5 answer
    error = dialect_answer_token(call->dialect, request, &decision, &issued, ret_answer);
    if (error)
        return error;
    token_count(request->metrics, form->grant, &decision);
    usage_note(context->usage, client.application->number, client.secret->number,
               endpoint_client_address(request, NULL), request->env->now_us);
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = TWOLEG_NONE, .client_id = client.application->client_id,
        .status = ret_answer->status});
    return TWOLEG_NONE;
}

static enum twoleg_error token_refuse(struct http_request *request, const struct token_call *call,
                                      enum twoleg_error error, struct http_answer *ret_answer)
{
    if (error == TWOLEG_WAIT)
        return TWOLEG_WAIT;
    endpoint_limit_not_issued(request);
    metrics_add(request->metrics, token_metric(dialect_condition(error)), 1);
    const struct dialect_refusal refusal = {
        .error = error,
        .retry_us = call->retry_us,
        .allowed = error == TWOLEG_METHOD ? call->endpoint->methods : 0,
    };
    return endpoint_refuse(request, call->dialect, call->form.client_id, &refusal, ret_answer);
}

// As little to note as any path that nothing stands at, but in the words of the dialect.
static enum twoleg_error token_nowhere(struct http_request *request, const struct dialect *dialect,
                                       struct http_answer *ret_answer)
{
    const struct dialect_refusal refusal = {.error = TWOLEG_NOT_FOUND};
    endpoint_limit_not_issued(request); // a reload may have taken the path away while it waited
    dialect_answer_refusal(dialect, request, &refusal, ret_answer);
    return TWOLEG_NONE;
}

enum twoleg_error endpoint_token(struct http_request *request, struct http_answer *ret_answer)
{
    struct token_call call = {.dialect = endpoint_dialect(request)};
    if (!call.dialect)
        return TWOLEG_UNKNOWN;
    call.endpoint = dialect_find_endpoint(call.dialect, request->path);
    if (!call.endpoint && endpoint_is_for_operators(request))
        call.dialect = dialect_set_rfc6749(endpoint_dialects(request));
    if (!call.endpoint)
        return token_nowhere(request, call.dialect, ret_answer);
    // For the log: what stood in a hole of the path is the client's, and may be a secret.
    request->segments[0] = call.endpoint->path;
    enum twoleg_error error = token_run(request, &call, ret_answer);
    return error ? token_refuse(request, &call, error, ret_answer) : TWOLEG_NONE;
}
