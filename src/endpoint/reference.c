// SPDX-License-Identifier: Apache-2.0
#include "endpoint/reference.h"

#define LOOK_UP_CAP ((size_t)16 * 1024)

// ---------------------------------------------------------------------------------- write

enum twoleg_error reference_take(struct http_request *request, const struct decision *decision,
                                 struct issued_token *ret_token)
{
    for (const struct issue_commit *each = NULL; (each = issue_commit_next(request, each));) {
        enum twoleg_error error = each->commit.job.result;
        if (!each->has_token || issue_commit_lost(each))
            continue;
        if (!error)
            error = token_reference_take(&endpoint_context(request)->token, decision, &each->token,
                                         ret_token);
        if (error != TWOLEG_NOT_FOUND)
            return error;
    }
    return TWOLEG_NOT_FOUND;
}

enum twoleg_error reference_start(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use, reference_build *build,
                                  const void *plan)
{
    struct issue_commit *commit;
    enum twoleg_error error = issue_commit_create(request, &commit);
    if (error)
        return error;
    commit->has_token = true;
    error = build(request, decision, plan, commit);
    if (!error)
        error = refresh_write(request, decision, use, commit->token.record.expires_s, commit);
    commit->token.record.scope = store_batch_copy(commit->commit.batch, decision->scope);
    return endpoint_commit_start(request, &commit->commit, error);
}

static enum twoleg_error reference_build_new(struct http_request *request,
                                             const struct decision *decision, const void *plan,
                                             struct issue_commit *commit)
{
    (void)plan;
    enum twoleg_error error =
        token_reference_make(&endpoint_context(request)->token, decision, &commit->token);
    if (error)
        return error;
    struct store_verb *verb =
        store_batch_add(commit->commit.batch, VERB_TOKEN_ADD, decision->application->account);
    verb->token.key = commit->token.key;
    verb->token.record = &commit->token.record;
    return TWOLEG_NONE;
}

enum twoleg_error reference_issue(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use, struct issued_token *ret_token)
{
    if (decision->reissue == REISSUE_SAME)
        return reissue_same(request, decision, use, ret_token);
    if (decision->reissue == REISSUE_REPLACE)
        return reissue_replace(request, decision, use, ret_token);
    // One whose place was taken is another one's: a new one will do.
    enum twoleg_error error = reference_take(request, decision, ret_token);
    return error == TWOLEG_NOT_FOUND
               ? reference_start(request, decision, use, reference_build_new, NULL)
               : error;
}

// ---------------------------------------------------------------------------------- look up

// One for each request: what a look finds that began before the request came could be older than
// an answer that the client has already.
struct look_up_job {
    struct endpoint_look look;
    struct token_known known[AGAIN_COUNT];
    size_t count;
};
ENDPOINT_FIRST(struct look_up_job, look);

static enum twoleg_error look_up_one(struct look_up_job *look, struct store_reader *reader,
                                     struct token_known *known)
{
    enum twoleg_error error = TWOLEG_NOT_FOUND;
    for (size_t i = 0; i < known->keys.count && error == TWOLEG_NOT_FOUND; i++)
        error = store_token(reader, &known->keys.all[i], &look->look.arena, &known->record);
    known->found = error == TWOLEG_NONE;
    return error == TWOLEG_NOT_FOUND ? TWOLEG_NONE : error;
}

static enum twoleg_error look_up_run(struct endpoint_look *job, struct store_reader *reader)
{
    struct look_up_job *look = (struct look_up_job *)job;
    enum twoleg_error error = TWOLEG_NONE;
    for (size_t i = 0; i < look->count && !error; i++)
        error = look_up_one(look, reader, &look->known[i]);
    return error;
}

static const struct endpoint_look_kind look_up_kind = {
    .size = sizeof(struct look_up_job), .arena_cap = LOOK_UP_CAP, .run = look_up_run};

enum twoleg_error reference_look_up_all(struct http_request *request, const struct str *texts,
                                        size_t count)
{
    struct endpoint_look *job;
    enum twoleg_error error = endpoint_look_create(request, &look_up_kind, &job);
    if (error)
        return error;
    struct look_up_job *look = (struct look_up_job *)job;
    look->count = count;
    for (size_t i = 0; i < count && !error; i++)
        error = token_reference_keys(&endpoint_context(request)->token, texts[i],
                                     &look->known[i].keys);
    error = endpoint_look_start(request, job, error);
    if (error == TWOLEG_WAIT)
        metrics_add(request->metrics, METRIC_TOKEN_LOOKED_UP, 1);
    return error;
}

const struct token_known *reference_known(const struct http_request *request)
{
    const struct look_up_job *look =
        (const struct look_up_job *)http_job_find(request, &look_up_kind);
    return look && !look->look.job.result ? look->known : NULL;
}

const struct token_known *reference_known_last(const struct http_request *request,
                                               unsigned *ret_count,
                                               enum twoleg_error *ret_failed)
{
    const struct http_job *last = request->jobs;
    bool looked = last && last->kind == &look_up_kind;
    *ret_failed = looked ? last->result : TWOLEG_NONE;
    *ret_count = 0;
    for (const struct http_job *job = request->jobs; job; job = job->next)
        *ret_count += job->kind == &look_up_kind;
    return looked ? reference_known(request) : NULL;
}

enum twoleg_error reference_look_up(struct http_request *request, struct str text)
{
    const struct http_job *last = http_job_find(request, &look_up_kind);
    if (last) // a second one would be for another token, and there is only one
        return last->result ? last->result : TWOLEG_INTERNAL;
    return reference_look_up_all(request, &text, 1);
}
