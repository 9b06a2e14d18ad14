// SPDX-License-Identifier: Apache-2.0
// Work that a request waits for: a load, a commit, a slow hash. It is done on another thread; then
// the request's handler runs again from its first line and finds the job among the request's own.
#pragma once
#include "http/worker.h"

// Heap memory, embedded first in the job's own struct. It belongs to whoever works on it until
// http_job_done, then to the request; a job whose client has vanished is destroyed instead.
struct http_job {
    struct http_message message;
    struct http_worker *worker;
    struct http_handle handle;
    struct http_job *next; // in the request's list
    const void *kind;      // a static address of the asking step, to find it again
    enum twoleg_error result;
    void (*destroy)(struct http_job *job);
};

// Ties the job to the request, which is about to be parked. Call it before the job can end.
// TWOLEG_OVERLOADED: as many requests wait as may; the job must not be handed out, so that no work
// is done for a request that was refused.
enum twoleg_error http_job_init(struct http_job *job, const struct http_request *request,
                                const void *kind,
                                void (*destroy)(struct http_job *job)) TWOLEG_MUST_CHECK;
// From any thread, once. The job's memory is no longer the caller's.
void http_job_done(struct http_job *job);
// The ended job of this kind, or NULL: it has not been asked for yet.
struct http_job *http_job_find(const struct http_request *request, const void *kind);
// For the connection, when the request ends.
void http_jobs_destroy(struct http_request *request);
