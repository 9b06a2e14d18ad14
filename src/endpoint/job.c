// SPDX-License-Identifier: Apache-2.0
#include "endpoint/job.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/fault.h"
#include "crypto/wipe.h"

// ---------------------------------------------------------------------------------- commit

static void commit_destroy(struct http_job *job)
{
    struct endpoint_commit *commit = (struct endpoint_commit *)job;
    store_batch_destroy(commit->batch);
    wipe(commit, commit->size);
    free(commit);
}

static void commit_done(struct store_batch *batch)
{
    struct endpoint_commit *commit = batch->context;
    commit->job.result = batch->result;
    http_job_done(&commit->job);
}

enum twoleg_error endpoint_commit_create(const struct http_request *request, const void *kind,
                                         size_t size, struct endpoint_commit **ret_commit)
{
    struct endpoint_commit *commit = fault_here(FAULT_MEMORY) ? NULL : calloc(1, size);
    if (!commit)
        return TWOLEG_NO_MEMORY;
    commit->size = size;
    enum twoleg_error error = http_job_init(&commit->job, request, kind, commit_destroy);
    commit->batch = error ? NULL : store_batch_create(request->env->now_us);
    if (!error && !commit->batch)
        error = TWOLEG_NO_MEMORY;
    if (error) {
        endpoint_commit_drop(commit);
        return error;
    }
    commit->batch->done = commit_done;
    commit->batch->context = commit;
    *ret_commit = commit;
    return TWOLEG_NONE;
}

enum twoleg_error endpoint_commit_start(const struct http_request *request,
                                        struct endpoint_commit *commit, enum twoleg_error built)
{
    enum twoleg_error error = built;
    if (!error)
        error = store_submit(endpoint_context(request)->server->store, commit->batch);
    if (!error)
        return TWOLEG_WAIT;
    endpoint_commit_drop(commit);
    return error;
}

void endpoint_commit_drop(struct endpoint_commit *commit)
{
    commit_destroy(&commit->job);
}

// ---------------------------------------------------------------------------------- look

static const struct endpoint_look_kind *look_kind(const struct endpoint_look *look)
{
    return look->job.kind;
}

static void look_destroy(struct http_job *job)
{
    struct endpoint_look *look = (struct endpoint_look *)job;
    if (look_kind(look)->finish)
        look_kind(look)->finish(look);
    arena_finish(&look->arena);
    free(look);
}

static struct endpoint_look *look_of(struct store_read *read)
{
    return (struct endpoint_look *)(void *)((char *)read - offsetof(struct endpoint_look, read));
}

static void look_run(struct store_read *read, struct store_reader *reader)
{
    struct endpoint_look *look = look_of(read);
    look->job.result = look_kind(look)->run(look, reader);
}

static void look_done(struct store_read *read)
{
    struct endpoint_look *look = look_of(read);
    if (read->result)
        look->job.result = read->result;
    http_job_done(&look->job);
}

enum twoleg_error endpoint_look_create(const struct http_request *request,
                                       const struct endpoint_look_kind *kind,
                                       struct endpoint_look **ret_look)
{
    struct endpoint_look *look = fault_here(FAULT_MEMORY) ? NULL : calloc(1, kind->size);
    if (!look)
        return TWOLEG_NO_MEMORY;
    arena_init(&look->arena, NULL, kind->arena_cap);
    look->arena.wipe = true;
    look->read.run = look_run;
    look->read.done = look_done;
    enum twoleg_error error = http_job_init(&look->job, request, kind, look_destroy);
    if (error)
        look_destroy(&look->job);
    else
        *ret_look = look;
    return error;
}

enum twoleg_error endpoint_look_start(const struct http_request *request,
                                      struct endpoint_look *look, enum twoleg_error asked)
{
    enum twoleg_error error = asked;
    if (!error)
        error = store_read(endpoint_context(request)->server->store, &look->read);
    if (!error)
        return TWOLEG_WAIT;
    look_destroy(&look->job);
    return error;
}
