// SPDX-License-Identifier: Apache-2.0
// What a request waits for from the store: a change that becomes durable, or a look. Either is the
// first member of a struct of the asking step, found again by its kind (http_job_find).
#pragma once
#include <stddef.h>

#include "endpoint/server.h"
#include "http/job.h"

// Casts between a struct and that member of it rely on this.
#define ENDPOINT_FIRST(type, member)                                                               \
    _Static_assert(offsetof(type, member) == 0, #type ": " #member " is its first member")

struct endpoint_commit {
    struct http_job job;
    struct store_batch *batch;
    size_t size; // of the whole struct, which is wiped in the end
};
ENDPOINT_FIRST(struct endpoint_commit, job);
// A zeroed struct of that size with an empty batch, for the caller to fill. NO_MEMORY, OVERLOADED.
enum twoleg_error endpoint_commit_create(const struct http_request *request, const void *kind,
                                         size_t size,
                                         struct endpoint_commit **ret_commit) TWOLEG_MUST_CHECK;
// TWOLEG_WAIT, unless whoever filled the batch failed (built), or the store takes no more. The
// commit is no longer the caller's.
enum twoleg_error endpoint_commit_start(const struct http_request *request,
                                        struct endpoint_commit *commit,
                                        enum twoleg_error built) TWOLEG_MUST_CHECK;
void endpoint_commit_drop(struct endpoint_commit *commit); // one that was not started

struct endpoint_look {
    struct http_job job;
    struct store_read read;
    struct arena arena; // of what is asked and found; wiped when it is freed
};
ENDPOINT_FIRST(struct endpoint_look, job);
// Of each kind there is one, whose address is the job's kind.
struct endpoint_look_kind {
    size_t size; // of the whole struct
    size_t arena_cap;
    enum twoleg_error (*run)(struct endpoint_look *look, struct store_reader *reader);
    void (*finish)(struct endpoint_look *look); // frees what else it has; may be NULL
};
// As the two above.
enum twoleg_error endpoint_look_create(const struct http_request *request,
                                       const struct endpoint_look_kind *kind,
                                       struct endpoint_look **ret_look) TWOLEG_MUST_CHECK;
enum twoleg_error endpoint_look_start(const struct http_request *request,
                                      struct endpoint_look *look,
                                      enum twoleg_error asked) TWOLEG_MUST_CHECK;
