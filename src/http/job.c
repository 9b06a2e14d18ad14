// SPDX-License-Identifier: Apache-2.0
#include "http/job.h"

#include "base/refusal.h"
#include "http/listener.h"

enum twoleg_error http_job_init(struct http_job *job, const struct http_request *request,
                                const void *kind, void (*destroy)(struct http_job *job))
{
    *job = (struct http_job){
        .worker = request->worker, .handle = request->handle, .kind = kind, .destroy = destroy};
    // An operator gets in while everybody else waits.
    bool room = request->listener->operator_rights || !http_worker_is_full(request->worker);
    return room ? TWOLEG_NONE : REFUSE_FULL(CAP_WAITING);
}

static void http_job_arrive(struct http_message *message, struct http_worker *worker)
{
    struct http_job *job = (struct http_job *)message;
    struct http_request *request = http_worker_find(worker, job->handle);
    if (!request) {
        job->destroy(job);
        return;
    }
    struct http_handle handle = job->handle;
    job->next = request->jobs;
    request->jobs = job;
    http_worker_resume(worker, handle);
}

static void http_job_cancel(struct http_message *message)
{
    struct http_job *job = (struct http_job *)message;
    job->destroy(job);
}

void http_job_done(struct http_job *job)
{
    job->message.run = http_job_arrive;
    job->message.cancel = http_job_cancel;
    http_worker_post(job->worker, &job->message);
}

struct http_job *http_job_find(const struct http_request *request, const void *kind)
{
    for (struct http_job *job = request->jobs; job; job = job->next)
        if (job->kind == kind)
            return job;
    return NULL;
}

void http_jobs_destroy(struct http_request *request)
{
    while (request->jobs) {
        struct http_job *job = request->jobs;
        request->jobs = job->next;
        job->destroy(job);
    }
}
