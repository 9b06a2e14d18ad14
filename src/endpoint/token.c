// SPDX-License-Identifier: Apache-2.0
// POST /oauth/token (RFC 6749 sections 3.2, 4.4, 5). Run again from the top after a wait: nothing
// here has an effect before the answer, but for the budget, which each request is charged for once.
#include <string.h>

#include "endpoint/authenticate.h"
#include "endpoint/issue.h"
#include "endpoint/limit.h"
#include "endpoint/log.h"
#include "endpoint/routes.h"
#include "grant/grant.h"

// One series for each error code that goes out.
static enum metric token_metric(const struct dialect_error *row)
{
    static const struct {
        const char *code;
        enum metric metric;
    } series[] = {
        {"invalid_client", METRIC_TOKEN_REFUSED_CLIENT},
        {"invalid_scope", METRIC_TOKEN_REFUSED_SCOPE},
        {"invalid_target", METRIC_TOKEN_REFUSED_TARGET},
        {"invalid_request", METRIC_TOKEN_REFUSED_REQUEST},
        {"unsupported_grant_type", METRIC_TOKEN_REFUSED_GRANT},
    };
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        if (strcmp(series[i].code, row->code) == 0)
            return series[i].metric;
    return METRIC_TOKEN_REFUSED_OTHER;
}

static enum twoleg_error token_run(struct http_request *request, struct token_request *form,
                                   int64_t *ret_retry_us, struct http_answer *ret_answer)
{
    struct endpoint_context *context = endpoint_context(request);

    // 1 read
    enum twoleg_error error = dialect_read(&dialect_rfc6749, request, false, form);
    if (error)
        return error;

    // 2 client
    struct client client;
    error = endpoint_authenticate(request, GATE_TOKEN_ENDPOINT, form, &client, ret_retry_us);
    if (error)
        return error;

    // 3 grant
    struct grant_context granting = {
        .apis = registry_apis(context->server->registry),
        .arena = request->arena,
        // After the clock stepped back, what is issued must not be dead for the gate, which never
        // steps back.
        .now_us = request->env->latest_us,
        .jwt_max_ttl_us = endpoint_config(request)->jwt_max_ttl,
    };
    struct decision decision;
    error = grant_decide(&granting, form, &client, &decision);
    if (error)
        return error;

    // 4 issue
    // The start of what is issued would lie in the future for everybody else.
    if (env_clock_state(request->env).clock == ENV_CLOCK_BEHIND)
        return TWOLEG_CLOCK;
    error = endpoint_limit_budget(request, client.application, ret_retry_us);
    if (error)
        return error;
    struct issued_token issued;
    error = endpoint_issue(request, &decision, &issued);
    if (error)
        return error;

    // 5 answer
    error = dialect_answer_token(&dialect_rfc6749, request, &issued, ret_answer);
    if (error)
        return error;
    bool sealed = decision.format == FORMAT_SEALED;
    metrics_add(request->metrics, sealed ? METRIC_TOKEN_ISSUED_SEALED : METRIC_TOKEN_ISSUED_JWT, 1);
    usage_note(context->usage, client.application->number, client.secret->number, request->peer,
               request->env->now_us);
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = TWOLEG_NONE, .client_id = client.application->client_id,
        .status = ret_answer->status});
    return TWOLEG_NONE;
}

enum twoleg_error endpoint_token(struct http_request *request, struct http_answer *ret_answer)
{
    struct token_request form = {0};
    int64_t retry_us = 0;
    enum twoleg_error error = token_run(request, &form, &retry_us, ret_answer);
    if (!error)
        return TWOLEG_NONE;
    if (error != TWOLEG_WAIT)
        metrics_add(request->metrics, token_metric(dialect_error_row(&dialect_rfc6749, error)), 1);
    return endpoint_refuse(request, form.client_id, error, retry_us, ret_answer);
}
