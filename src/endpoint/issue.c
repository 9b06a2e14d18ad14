// SPDX-License-Identifier: Apache-2.0
#include "endpoint/issue.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/refusal.h"
#include "endpoint/reference.h"

// Keys and applications can change while a token is being signed; this many times is bad luck.
#define SIGNATURES_PER_REQUEST 4

static const char sign_kind, commit_kind;

// ---------------------------------------------------------------------------------- commit

const struct issue_commit *issue_commit_next(const struct http_request *request,
                                             const struct issue_commit *after)
{
    const struct http_job *job = after ? after->commit.job.next : request->jobs;
    while (job && job->kind != &commit_kind)
        job = job->next;
    return (const struct issue_commit *)job;
}

enum twoleg_error issue_commit_create(const struct http_request *request,
                                      struct issue_commit **ret_commit)
{
    unsigned count = 0;
    struct endpoint_commit *commit;
    for (const struct issue_commit *each = NULL; (each = issue_commit_next(request, each));)
        count++;
    if (count >= ISSUE_COMMITS_MAX)
        return REFUSE_FULL(CAP_REPEATS);
    enum twoleg_error error =
        endpoint_commit_create(request, &commit_kind, sizeof **ret_commit, &commit);
    if (!error)
        *ret_commit = (struct issue_commit *)commit;
    return error;
}

bool issue_begun(const struct http_request *request)
{
    const struct http_job *job = request->jobs;
    while (job && job->kind != &sign_kind && job->kind != &commit_kind)
        job = job->next;
    return job;
}

// ---------------------------------------------------------------------------------- sign

struct sign_job {
    struct http_job job; // first: http_job_done hands it back as this
    struct pool_job work;
    struct token_slow *slow;
};

static void sign_job_destroy(struct http_job *job)
{
    struct sign_job *sign = (struct sign_job *)job;
    token_slow_free(&sign->slow);
    free(sign);
}

static void sign_job_run(struct pool_job *work)
{
    struct sign_job *sign =
        (struct sign_job *)(void *)((char *)work - offsetof(struct sign_job, work));
    sign->job.result = work->late ? TWOLEG_OVERLOADED : token_slow_sign(sign->slow);
    stop_point("token.signed");
    http_job_done(&sign->job);
}

// The token, from a job of this request that has ended. NOT_FOUND: there is none, or none that
// is still right.
static enum twoleg_error issue_take(struct http_request *request, const struct decision *decision,
                                    struct issued_token *ret_token)
{
    struct endpoint_context *context = endpoint_context(request);
    unsigned count = 0;
    for (struct http_job *job = request->jobs; job; job = job->next) {
        if (job->kind != &sign_kind)
            continue;
        count++;
        if (job->result)
            return REFUSED_BY(job->result, CAP_SIGNATURES);
        enum twoleg_error error = token_slow_take(
            &context->token, decision, ((struct sign_job *)job)->slow, ret_token);
        if (error != TWOLEG_NOT_FOUND)
            return error;
    }
    return count < SIGNATURES_PER_REQUEST ? TWOLEG_NOT_FOUND : REFUSE_FULL(CAP_REPEATS);
}

static enum twoleg_error issue_start(struct http_request *request, const struct decision *decision)
{
    struct endpoint_context *context = endpoint_context(request);
    struct sign_job *sign = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *sign);
    if (!sign)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error =
        http_job_init(&sign->job, request, &sign_kind, sign_job_destroy);
    // Nobody asks for another's sake here: the client has proved who it is.
    sign->work =
        (struct pool_job){.run = sign_job_run, .owner = decision->application->number};
    sign->slow = NULL;
    if (!error)
        error = token_slow_create(&context->token, decision, request->arena, &sign->slow);
    if (!error)
        error = REFUSED_BY(pool_submit(context->server->pool, &sign->work), CAP_SIGNATURES);
    if (error)
        sign_job_destroy(&sign->job);
    return error ? error : TWOLEG_WAIT;
}

enum twoleg_error endpoint_issue(struct http_request *request, const struct decision *decision,
                                 const struct refresh_use *use, struct issued_token *ret_token)
{
    if (decision->format == FORMAT_REFERENCE)
        return reference_issue(request, decision, use, ret_token);
    enum twoleg_error error = issue_take(request, decision, ret_token);
    if (error != TWOLEG_NOT_FOUND)
        return error;
    error = token_issue(&endpoint_context(request)->token, decision, request->arena, ret_token);
    return error == TWOLEG_WAIT ? issue_start(request, decision) : error;
}
