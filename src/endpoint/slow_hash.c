// SPDX-License-Identifier: Apache-2.0
#include "endpoint/slow_hash.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/siphash.h"
#include "crypto/wipe.h"

static const char slow_kind;

// It owns copies: the request may be gone before it ends.
struct slow_job {
    struct http_job job; // first: http_job_done hands it back as this
    struct pool_job work;
    struct slow_outcome outcome;
    struct endpoint_taken taken;
    bool of_user;
    enum brought_hash scheme;
    struct str hash, presented;
    char text[];
};

static void slow_job_destroy(struct http_job *job)
{
    struct slow_job *slow = (struct slow_job *)job;
    wipe(slow->text, slow->hash.len + slow->presented.len);
    free(slow);
}

static void slow_job_run(struct pool_job *work)
{
    struct slow_job *slow =
        (struct slow_job *)(void *)((char *)work - offsetof(struct slow_job, work));
    stop_point("slow.hash");
    enum twoleg_error error =
        work->late ? TWOLEG_OVERLOADED
                   : brought_hash_verify(slow->scheme, slow->hash, slow->presented);
    slow->outcome.matches = error == TWOLEG_NONE;
    slow->job.result = work->late || error == TWOLEG_NO_MEMORY ? error : TWOLEG_NONE;
    if (slow->job.result)
        endpoint_limit_not_compared(&slow->taken);
    http_job_done(&slow->job);
}

static uint64_t slow_hash_asker(const struct http_request *request)
{
    static const struct siphash_key fold = {0, 0}; // a collision costs a share of the queue only
    struct address network = endpoint_limit_network(request);
    return siphash(&fold, str_of(network.bytes, sizeof network.bytes));
}

struct sha256 slow_hash_digest(const struct http_request *request,
                               const struct slow_hash *question)
{
    struct address network = endpoint_limit_network(request);
    return slow_secret_digest(endpoint_context(request)->slow, question->secret, &network,
                              question->presented);
}

static enum twoleg_error slow_hash_submit(struct http_request *request,
                                          const struct slow_hash *question,
                                          const struct sha256 *digest,
                                          const struct endpoint_taken *taken)
{
    struct endpoint_context *context = endpoint_context(request);
    struct str hash = question->secret->slow_hash;
    struct slow_job *slow = fault_here(FAULT_MEMORY)
                                ? NULL
                                : malloc(sizeof *slow + hash.len + question->presented.len);
    if (!slow)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = http_job_init(&slow->job, request, &slow_kind, slow_job_destroy);
    slow->work = (struct pool_job){.run = slow_job_run,
                                   .owner = question->guess.application,
                                   .asker = slow_hash_asker(request)};
    slow->taken = *taken;
    slow->of_user = question->guess.of_user;
    slow->outcome.digest = *digest;
    memcpy(slow->text, hash.ptr, hash.len);
    memcpy(slow->text + hash.len, question->presented.ptr, question->presented.len);
    slow->scheme = (enum brought_hash)question->secret->scheme;
    slow->hash = str_of(slow->text, hash.len);
    slow->presented = str_of(slow->text + hash.len, question->presented.len);
    if (!error)
        error = pool_submit(context->server->pool, &slow->work);
    if (error)
        slow_job_destroy(&slow->job);
    return error;
}

enum twoleg_error slow_hash_start(struct http_request *request, const struct slow_hash *question,
                                  int64_t *ret_retry_us)
{
    struct endpoint_taken taken;
    struct sha256 digest = slow_hash_digest(request, question);
    bool again = slow_secret_asked(endpoint_context(request)->slow, &digest);
    enum twoleg_error error =
        endpoint_limit_guess(request, &question->guess, again, &taken, ret_retry_us);
    if (error)
        return error;
    error = slow_hash_submit(request, question, &digest, &taken);
    if (error)
        endpoint_limit_not_compared(&taken);
    return error ? error : TWOLEG_WAIT;
}

enum twoleg_error slow_hash_outcomes(struct http_request *request,
                                     const struct slow_outcome **ret_outcomes)
{
    const struct slow_outcome *outcomes = NULL;
    for (struct http_job *job = request->jobs; job; job = job->next) {
        if (job->kind != &slow_kind)
            continue;
        struct slow_job *slow = (struct slow_job *)job;
        if (slow->job.result)
            return slow->job.result;
        slow_secret_put(endpoint_context(request)->slow, &slow->outcome.digest,
                        slow->outcome.matches);
        slow->outcome.next = outcomes;
        outcomes = &slow->outcome;
    }
    *ret_outcomes = outcomes;
    return TWOLEG_NONE;
}

void slow_hash_right(struct http_request *request, bool of_user)
{
    for (struct http_job *job = request->jobs; job; job = job->next) {
        struct slow_job *slow = (struct slow_job *)job;
        if (job->kind == &slow_kind && slow->of_user == of_user)
            endpoint_limit_right(&slow->taken);
    }
}
