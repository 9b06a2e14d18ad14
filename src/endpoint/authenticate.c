// SPDX-License-Identifier: Apache-2.0
#include "endpoint/authenticate.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/refusal.h"
#include "endpoint/limit.h"
#include "endpoint/log.h"
#include "endpoint/reference.h"
#include "endpoint/slow_hash.h"

// A body can be dropped again between its load and the next run; this many times is bad luck.
#define LOADS_PER_REQUEST 4

static const char load_kind;

static void load_job_destroy(struct http_job *job)
{
    free(job);
}

static unsigned endpoint_count_jobs(const struct http_request *request, const void *kind)
{
    unsigned count = 0;
    for (const struct http_job *job = request->jobs; job; job = job->next)
        count += job->kind == kind;
    return count;
}

// What it means when the application went away while it was being loaded: the caller's refusal.
static enum twoleg_error endpoint_gone(enum twoleg_error error, enum twoleg_error refusal)
{
    return error == TWOLEG_NOT_FOUND ? refusal : error;
}

enum twoleg_error endpoint_load(struct http_request *request, uint64_t number)
{
    struct http_job *last = http_job_find(request, &load_kind);
    if (last && last->result)
        return last->result;
    if (endpoint_count_jobs(request, &load_kind) == LOADS_PER_REQUEST)
        return REFUSE_FULL(CAP_REPEATS);
    struct http_job *job = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *job);
    if (!job)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = http_job_init(job, request, &load_kind, load_job_destroy);
    if (!error)
        error = registry_load(endpoint_context(request)->server->registry, number, job);
    if (error) {
        free(job);
        return error;
    }
    return TWOLEG_WAIT;
}

static enum twoleg_error endpoint_compare_slow(struct http_request *request,
                                               const struct client_auth_wait *wait,
                                               int64_t *ret_retry_us)
{
    const struct slow_hash question = {.guess = {.application = wait->application},
                                       .secret = wait->slow,
                                       .presented = wait->presented};
    return slow_hash_start(request, &question, ret_retry_us);
}

// What the server remembers is asked for its limit when something of it has counted: so a keyed
// secret is asked for none.
static enum twoleg_error endpoint_client(const struct http_request *request,
                                         struct client_auth_context *auth,
                                         const struct token_request *form,
                                         struct client *ret_client,
                                         struct client_auth_wait *ret_wait)
{
    enum twoleg_error error = client_auth(auth, form, ret_client, ret_wait);
    const struct endpoint_guess guess = {.application = ret_wait->application};
    auth->doubts = ret_wait->remembered && !endpoint_limit_believes(request, &guess);
    return auth->doubts ? client_auth(auth, form, ret_client, ret_wait) : error;
}

enum twoleg_error endpoint_authenticate(struct http_request *request, enum gate_door door,
                                        const struct token_request *form,
                                        struct client *ret_client, int64_t *ret_retry_us)
{
    struct endpoint_context *context = endpoint_context(request);
    const struct dialect *dialect = endpoint_dialect(request);
    struct client_auth_context auth = {
        .registry = context->server->registry,
        .keys = keyring_current(context->server->keyring),
        .slow = slow_hashes_known(context->server->slow),
        .network = endpoint_limit_network(request),
        .arena = request->arena,
        .door = door,
        .dialect = dialect ? dialect->name : STR_NONE,
        .now_us = request->env->latest_us,
    };
    struct client_auth_wait wait;
    enum twoleg_error error = slow_hash_outcomes(request, &auth.outcomes);
    if (error)
        return error;
    error = endpoint_client(request, &auth, form, ret_client, &wait);
    if (!error)
        slow_hash_right(request, false, wait.matched ? &wait.digest : NULL);
    if (error == TWOLEG_WAIT)
        return wait.slow ? endpoint_compare_slow(request, &wait, ret_retry_us)
                         : endpoint_gone(endpoint_load(request, wait.application),
                                         TWOLEG_CLIENT_UNKNOWN);
    if (error && endpoint_is_verdict(error) && wait.client_id.len)
        return endpoint_limit_failure(request, &wait, error, ret_retry_us);
    return error;
}

enum twoleg_error endpoint_inspect(struct http_request *request,
                                   const struct token_question *question,
                                   struct token_verdict *ret_verdict)
{
    struct token_question asked = *question;
    asked.known = reference_known(request);
    enum twoleg_error error = token_inspect(&endpoint_context(request)->token, &asked,
                                            request->arena, ret_verdict);
    if (error == TWOLEG_WAIT && !ret_verdict->read)
        return reference_look_up(request, question->text);
    if (error == TWOLEG_WAIT)
        return endpoint_gone(endpoint_load(request, ret_verdict->view.number),
                             TWOLEG_APPLICATION_DELETED);
    return error;
}

enum twoleg_error endpoint_refuse(struct http_request *request, const struct dialect *dialect,
                                  struct str client_id, const struct dialect_refusal *refusal,
                                  struct http_answer *ret_answer)
{
    if (refusal->error == TWOLEG_WAIT)
        return TWOLEG_WAIT;
    dialect_answer_refusal(dialect, request, refusal, ret_answer);
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = refusal->error, .client_id = client_id,
        .status = ret_answer->status});
    return TWOLEG_NONE;
}

bool endpoint_is_verdict(enum twoleg_error error)
{
    switch (error) {
    case TWOLEG_WAIT:
    case TWOLEG_NO_MEMORY:
    case TWOLEG_NO_RANDOM:
    case TWOLEG_INTERNAL:
    case TWOLEG_STORE_FAILED:
    case TWOLEG_STORE_BUSY:
    case TWOLEG_STORE_STOPPED:
    case TWOLEG_OVERLOADED:
    case TWOLEG_STOPPING:
        return false;
    default:
        return true;
    }
}
