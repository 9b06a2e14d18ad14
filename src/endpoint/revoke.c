// SPDX-License-Identifier: Apache-2.0
// POST /oauth/revoke (RFC 7009): a client gives its own token back. Answered once the revocation is
// durable and visible on every worker.
#include "endpoint/authenticate.h"
#include "endpoint/job.h"
#include "endpoint/log.h"
#include "endpoint/refresh.h"
#include "endpoint/routes.h"
#include "manage/token.h"
#include "model/number.h"

// The latter is of a token that has expired.
static const char commit_kind, expired_kind;

// The application acts for itself, under the same rules and with the same audit row as an operator.
static enum twoleg_error revoke_build(const struct http_request *request,
                                      const struct token_verdict *verdict,
                                      struct store_batch *batch)
{
    const struct application *application = verdict->view.body;
    char number_text[NUMBER_TEXT_MAX], id_text[TOKEN_ID_TEXT_MAX];
    struct buf number, id;
    buf_init(&number, number_text, sizeof number_text);
    number_write(&number, NUMBER_APPLICATION, application->number);
    buf_init(&id, id_text, sizeof id_text);
    token_write_id(&verdict->record, verdict->format, &id);
    struct manage_actor actor = {.name = buf_str(&number), .account = application->account};
    struct manage_change change;
    manage_change_init(&change, batch, &actor, str_of(request->id, sizeof request->id));
    return manage_token_revoke(&change, &verdict->record, application, verdict->format,
                               buf_str(&id));
}

static enum twoleg_error revoke_submit(struct http_request *request,
                                       const struct token_verdict *verdict, const void *kind)
{
    struct endpoint_commit *commit;
    enum twoleg_error error =
        endpoint_commit_create(request, kind, sizeof *commit, &commit);
    if (error)
        return error;
    return endpoint_commit_start(request, commit, revoke_build(request, verdict, commit->batch));
}

// Some clients insist on JSON, so the answer has a body though RFC 7009 wants none.
static enum twoleg_error revoke_answer(struct http_request *request,
                                       const struct client *client,
                                       struct http_answer *ret_answer)
{
    *ret_answer = (struct http_answer){.status = 200,
                                       .content_type = STR("application/json"),
                                       .body = STR("{}"),
                                       .no_store = true};
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = TWOLEG_NONE, .client_id = client->application->client_id,
        .status = 200});
    return TWOLEG_NONE;
}

static enum twoleg_error revoke_run(struct http_request *request, struct token_request *form,
                                    int64_t *ret_retry_us, struct http_answer *ret_answer)
{
    enum twoleg_error error = dialect_read(
        dialect_set_rfc6749(endpoint_dialects(request)), NULL, request, form);
    if (error)
        return error;

    struct client client;
    error = endpoint_authenticate(request, GATE_REVOKE, form, &client, ret_retry_us);
    if (error)
        return error;

    const struct http_job *commit = http_job_find(request, &commit_kind);
    const struct http_job *late = http_job_find(request, &expired_kind);
    // There are too many already to keep one more of a token that is dead without it.
    if (late && late->result == TWOLEG_LIMIT)
        return revoke_answer(request, &client, ret_answer);
    commit = commit ? commit : late;
    if (commit && commit->result)
        return commit->result;
    if (commit) {
        metrics_add(request->metrics, METRIC_REVOKED, 1);
        return revoke_answer(request, &client, ret_answer);
    }

    error = refresh_revoke(request, &client, form->token);
    if (!error) {
        metrics_add(request->metrics, METRIC_REVOKED, 1);
        return revoke_answer(request, &client, ret_answer);
    }
    if (error != TWOLEG_NOT_FOUND)
        return error;

    struct token_question question = {.door = GATE_REVOKE,
                                      .text = form->token,
                                      .caller = client.application};
    struct token_verdict verdict;
    error = endpoint_inspect(request, &question, &verdict);
    if (error == TWOLEG_TOKEN_FOREIGN || (error && !endpoint_is_verdict(error)))
        return error;
    // A token that is dead for good, or never was one, needs no revocation (RFC 7009 section 2.2).
    // One that has expired gets its row all the same: a clock can be wrong. So does one whose user
    // is disabled: enabled again, the user may keep its tokens.
    if (error && error != TWOLEG_TOKEN_EXPIRED && error != TWOLEG_USER_DISABLED)
        return revoke_answer(request, &client, ret_answer);
    if (error != TWOLEG_TOKEN_EXPIRED)
        return revoke_submit(request, &verdict, &commit_kind);
    if (registry_token_revoked(endpoint_context(request)->server->registry, &verdict.record.id))
        return revoke_answer(request, &client, ret_answer);
    return revoke_submit(request, &verdict, &expired_kind);
}

enum twoleg_error endpoint_revoke(struct http_request *request, struct http_answer *ret_answer)
{
    struct token_request form = {0};
    int64_t retry_us = 0;
    enum twoleg_error error = revoke_run(request, &form, &retry_us, ret_answer);
    const struct dialect_refusal refusal = {.error = error, .retry_us = retry_us};
    return error ? endpoint_refuse(request, dialect_set_rfc6749(endpoint_dialects(request)),
                                   form.client_id, &refusal, ret_answer)
                 : error;
}
