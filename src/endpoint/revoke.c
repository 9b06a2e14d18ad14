// SPDX-License-Identifier: Apache-2.0
// POST /oauth/revoke (RFC 7009): a client gives its own token back. Answered once the revocation is
// durable and visible on every worker.
#include <stdlib.h>

#include "base/fault.h"
#include "endpoint/authenticate.h"
#include "endpoint/log.h"
#include "endpoint/routes.h"
#include "model/event.h"
#include "model/number.h"

static const char commit_kind;

struct revoke_job {
    struct http_job job; // first
    struct store_batch *batch;
};

static void revoke_job_destroy(struct http_job *job)
{
    store_batch_destroy(((struct revoke_job *)job)->batch);
    free(job);
}

static void revoke_job_done(struct store_batch *batch)
{
    struct revoke_job *revoke = batch->context;
    revoke->job.result = batch->result;
    http_job_done(&revoke->job);
}

static void revoke_batch(const struct http_request *request, const struct token_verdict *verdict,
                         struct store_batch *batch)
{
    const struct application *application = verdict->view.body;
    struct store_verb *verb = store_batch_add(batch, VERB_TOKEN_REVOKE, application->account);
    verb->revoke.id = verdict->record.id;
    verb->revoke.application = application->number;
    verb->revoke.expires_s = verdict->record.expires_s;

    struct buf number;
    buf_init_arena(&number, &batch->arena, NUMBER_TEXT_MAX);
    number_write(&number, NUMBER_APPLICATION, application->number);
    struct store_verb *audit = store_batch_add(batch, VERB_AUDIT, application->account);
    audit->audit.actor = buf_str(&number);
    audit->audit.action = event_word(EVENT_TOKEN_REVOKE);
    audit->audit.object = buf_str(&number);
    audit->audit.detail = STR("{}");
    audit->audit.request_id = store_batch_copy(batch, str_of(request->id, sizeof request->id));
}

static enum twoleg_error revoke_submit(struct http_request *request,
                                       const struct token_verdict *verdict)
{
    struct revoke_job *revoke = calloc(1, sizeof *revoke);
    if (!revoke)
        return TWOLEG_NO_MEMORY;
    http_job_init(&revoke->job, request, &commit_kind, revoke_job_destroy);
    revoke->batch = store_batch_create(request->env->now_us);
    enum twoleg_error error = TWOLEG_NO_MEMORY;
    if (revoke->batch) {
        revoke->batch->done = revoke_job_done;
        revoke->batch->context = revoke;
        revoke_batch(request, verdict, revoke->batch);
        stop_point("revoke.before_submit");
        error = store_submit(endpoint_context(request)->server->store, revoke->batch);
    }
    if (error)
        revoke_job_destroy(&revoke->job);
    return error ? error : TWOLEG_WAIT;
}

static enum twoleg_error revoke_refuse(struct http_request *request, struct str client_id,
                                       enum twoleg_error error,
                                       struct http_answer *ret_answer)
{
    if (error == TWOLEG_WAIT)
        return TWOLEG_WAIT;
    dialect_answer_error(&dialect_rfc6749, request, error, ret_answer);
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = error, .client_id = client_id,
        .status = ret_answer->status});
    return TWOLEG_NONE;
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

enum twoleg_error endpoint_revoke(struct http_request *request, struct http_answer *ret_answer)
{
    struct token_request form = {0};
    enum twoleg_error error = dialect_read(&dialect_rfc6749, request, true, &form);
    if (error)
        return revoke_refuse(request, form.client_id, error, ret_answer);

    struct client client;
    error = endpoint_authenticate(request, GATE_REVOKE, &form, &client);
    if (error)
        return revoke_refuse(request, form.client_id, error, ret_answer);

    const struct http_job *commit = http_job_find(request, &commit_kind);
    if (commit && commit->result)
        return revoke_refuse(request, form.client_id, commit->result, ret_answer);
    if (commit) {
        metrics_add(request->metrics, METRIC_REVOKED, 1);
        return revoke_answer(request, &client, ret_answer);
    }

    struct token_question question = {.door = GATE_REVOKE,
                                      .text = form.token,
                                      .caller = client.application,
                                      .peer = request->peer};
    struct token_verdict verdict;
    error = endpoint_inspect(request, &question, &verdict);
    if (error == TWOLEG_TOKEN_FOREIGN || (error && !endpoint_is_verdict(error)))
        return revoke_refuse(request, form.client_id, error, ret_answer);
    // A token that is dead for good, or never was one, needs no revocation (RFC 7009 section 2.2).
    // One that has expired gets its row all the same: a clock can be wrong.
    if (error && error != TWOLEG_TOKEN_EXPIRED)
        return revoke_answer(request, &client, ret_answer);
    return revoke_refuse(request, form.client_id, revoke_submit(request, &verdict), ret_answer);
}
