// SPDX-License-Identifier: Apache-2.0
// POST /oauth/introspect (RFC 7662): for resource servers, about tokens for what they serve.
#include "codec/json_write.h"
#include "endpoint/authenticate.h"
#include "endpoint/log.h"
#include "endpoint/routes.h"
#include "model/number.h"

// aud: what is left of the token's audiences for this caller; one as text, several as a list.
static void introspect_audience(struct json_writer *json, const struct api_set *apis,
                                const struct gate_passed *passed)
{
    json_key(json, STR("aud"));
    if (passed->api_count > 1)
        json_array_begin(json);
    for (size_t i = 0; i < passed->api_count; i++) {
        const struct api *api = api_set_find(apis, passed->apis[i]);
        json_str(json, api ? api->identifier : STR(""));
    }
    if (passed->api_count > 1)
        json_array_end(json);
}

// The user whom the token speaks for, else the application itself.
static void introspect_subject(struct json_writer *json, const struct token_verdict *verdict,
                               struct str client_id)
{
    char memory[NUMBER_TEXT_MAX];
    struct buf subject;
    if (verdict->record.subject == 0) {
        json_key_str(json, STR("sub"), client_id);
        return;
    }
    buf_init(&subject, memory, sizeof memory);
    number_write(&subject, NUMBER_USER, verdict->record.subject);
    json_key_str(json, STR("sub"), buf_str(&subject));
    json_key_str(json, STR("username"), verdict->user.username);
}

static void introspect_active(struct json_writer *json, const struct endpoint_context *context,
                              const struct token_verdict *verdict)
{
    char id_text[TOKEN_ID_TEXT_MAX];
    struct buf id;
    struct str client_id = verdict->view.body->client_id;
    buf_init(&id, id_text, sizeof id_text);
    token_write_id(&verdict->record, verdict->format, &id);
    json_key_bool(json, STR("active"), true);
    if (verdict->passed.scope.len)
        json_key_str(json, STR("scope"), verdict->passed.scope);
    json_key_str(json, STR("client_id"), client_id);
    json_key_str(json, STR("token_type"), STR("Bearer"));
    if (verdict->record.expires_s)
        json_key_i64(json, STR("exp"), verdict->record.expires_s);
    json_key_i64(json, STR("iat"), verdict->record.issued_s);
    introspect_subject(json, verdict, client_id);
    introspect_audience(json, registry_apis(context->server->registry), &verdict->passed);
    json_key_str(json, STR("iss"), context->token.issuer);
    json_key_str(json, STR("jti"), buf_str(&id));
}

static enum twoleg_error introspect_answer(struct http_request *request,
                                           const struct token_verdict *verdict, bool active,
                                           struct http_answer *ret_answer)
{
    struct buf body;
    struct json_writer json;
    buf_init_arena(&body, request->arena, active ? 1024 : 64);
    json_writer_init(&json, &body);
    json_object_begin(&json);
    if (active)
        introspect_active(&json, endpoint_context(request), verdict);
    else
        json_key_bool(&json, STR("active"), false);
    json_object_end(&json);
    *ret_answer = (struct http_answer){.status = 200,
                                       .content_type = STR("application/json"),
                                       .body = buf_str(&body),
                                       .no_store = true};
    return body.failed ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

static enum twoleg_error introspect_run(struct http_request *request, struct token_request *form,
                                        int64_t *ret_retry_us, struct http_answer *ret_answer)
{
    enum twoleg_error error = dialect_read(
        dialect_set_rfc6749(endpoint_dialects(request)), NULL, request, form);
    if (error)
        return error;

    struct client client;
    error = endpoint_authenticate(request, GATE_INTROSPECT, form, &client, ret_retry_us);
    if (error)
        return error;

    struct token_question question = {.door = GATE_INTROSPECT,
                                      .text = form->token,
                                      .caller = client.application};
    struct token_verdict verdict;
    error = endpoint_inspect(request, &question, &verdict);
    if (error && !endpoint_is_verdict(error))
        return error;

    bool active = error == TWOLEG_NONE;
    enum twoleg_error full = introspect_answer(request, &verdict, active, ret_answer);
    if (full)
        return full;
    metrics_add(request->metrics, active ? METRIC_INTROSPECT_ACTIVE : METRIC_INTROSPECT_INACTIVE,
                1);
    // An inactive token is an answer, not a refusal; the reason is for the operator's log alone.
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = error, .client_id = client.application->client_id,
        .status = ret_answer->status});
    return TWOLEG_NONE;
}

enum twoleg_error endpoint_introspect(struct http_request *request, struct http_answer *ret_answer)
{
    struct token_request form = {0};
    int64_t retry_us = 0;
    enum twoleg_error error = introspect_run(request, &form, &retry_us, ret_answer);
    if (!error)
        return TWOLEG_NONE;
    if (error != TWOLEG_WAIT)
        metrics_add(request->metrics, METRIC_INTROSPECT_REFUSED, 1);
    const struct dialect_refusal refusal = {.error = error, .retry_us = retry_us};
    return endpoint_refuse(request, dialect_set_rfc6749(endpoint_dialects(request)),
                           form.client_id, &refusal, ret_answer);
}
