// SPDX-License-Identifier: Apache-2.0
// The rules of dialects for whoever asks again (docs/why/2026-11-22-dialects.md): the same token
// while it lives, or one that takes its place.
#include "base/refusal.h"
#include "crypto/wipe.h"
#include "endpoint/reference.h"

#define REISSUE_JOBS_MAX 8 // what was found is out of date by the time of the writing: bad luck
#define REISSUE_LOOK_CAP ((size_t)16 * 1024)

// Somebody else's token, or an older one: with what is left of its life.
static enum twoleg_error reissue_give(struct http_request *request,
                                      const struct decision *decision,
                                      const struct token_reference *token,
                                      struct issued_token *ret_token)
{
    enum twoleg_error error =
        token_again_take(&endpoint_context(request)->token, decision, token, ret_token);
    if (error)
        return error;
    ret_token->text = arena_copy(request->arena, ret_token->text);
    return ret_token->text.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

// ---------------------------------------------------------------------------------- same

static bool same_is_one(const struct token_again *again, const struct token_reference *token)
{
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_COUNT; i++)
        if (str_equal(str_of(token->text, token->len),
                      str_of(again->tokens[i].text, again->tokens[i].len)))
            return true;
    return false;
}

// Ours, if it was written and still is one that is asked for.
static enum twoleg_error same_take_written(struct http_request *request,
                                           const struct decision *decision,
                                           const struct token_again *again,
                                           struct issued_token *ret_token)
{
    for (const struct issue_commit *each = NULL; (each = issue_commit_next(request, each));) {
        if (!each->has_token || issue_commit_lost(each))
            continue;
        if (each->commit.job.result)
            return each->commit.job.result;
        if (same_is_one(again, &each->token) &&
            token_reference_take(&endpoint_context(request)->token, decision, &each->token,
                                 ret_token) == TWOLEG_NONE)
            return TWOLEG_NONE;
    }
    return TWOLEG_NOT_FOUND;
}

static enum twoleg_error same_build(struct http_request *request, const struct decision *decision,
                                    const void *plan, struct issue_commit *commit)
{
    const struct token_again *again = plan;
    struct store_batch *batch = commit->commit.batch;
    struct store_token_key *unless = arena_alloc(&batch->arena, AGAIN_COUNT * sizeof *unless);
    (void)request;
    if (!unless)
        return TWOLEG_NO_MEMORY;
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_COUNT; i++)
        unless[i] = again->tokens[i].key;
    commit->token = again->tokens[AGAIN_NOW];
    struct store_verb *verb =
        store_batch_add(batch, VERB_TOKEN_ADD, decision->application->account);
    verb->token.key = commit->token.key;
    verb->token.record = &commit->token.record;
    verb->token.unless = unless;
    verb->token.unless_count = AGAIN_COUNT;
    return TWOLEG_NONE;
}

// What was done so far, and what the store said last.
struct same_past {
    unsigned jobs;
    const struct token_known *known;
    enum twoleg_error failed;
};

static struct same_past same_past(const struct http_request *request)
{
    struct same_past past = {.jobs = 0};
    past.known = reference_known_last(request, &past.jobs, &past.failed);
    for (const struct issue_commit *each = NULL; (each = issue_commit_next(request, each));)
        past.jobs++;
    return past;
}

static enum twoleg_error same_run(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use, struct token_again *again,
                                  struct issued_token *ret_token)
{
    const struct same_past past = same_past(request);
    struct token_again_found alive;
    enum twoleg_error error = same_take_written(request, decision, again, ret_token);
    if (error != TWOLEG_NOT_FOUND || past.failed)
        return error != TWOLEG_NOT_FOUND ? error : past.failed;
    error = token_again_find(&endpoint_context(request)->token, decision, again, past.known,
                             request->arena, &alive);
    if (!error) {
        again->tokens[alive.which].record = alive.record;
        return reissue_give(request, decision, &again->tokens[alive.which], ret_token);
    }
    if (past.jobs >= REISSUE_JOBS_MAX)
        return REFUSE_FULL(CAP_REPEATS);
    if (error == TWOLEG_NOT_FOUND)
        return reference_start(request, decision, use, same_build, again);
    if (error != TWOLEG_WAIT)
        return error;
    struct str texts[AGAIN_COUNT];
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_COUNT; i++)
        texts[i] = str_of(again->tokens[i].text, again->tokens[i].len);
    return reference_look_up_all(request, texts, AGAIN_COUNT);
}

enum twoleg_error reissue_same(struct http_request *request, const struct decision *decision,
                               const struct refresh_use *use, struct issued_token *ret_token)
{
    struct token_again again;
    enum twoleg_error error =
        token_again_make(&endpoint_context(request)->token, decision, &again);
    if (!error)
        error = same_run(request, decision, use, &again, ret_token);
    wipe(&again, sizeof again);
    return error;
}

// ---------------------------------------------------------------------------------- replace

struct replace_look {
    struct endpoint_look look;
    uint64_t application, subject;
    bool found;
    struct store_token_sole sole;
};
ENDPOINT_FIRST(struct replace_look, look);

static enum twoleg_error replace_look_run(struct endpoint_look *job, struct store_reader *reader)
{
    struct replace_look *look = (struct replace_look *)job;
    enum twoleg_error error = store_token_sole(reader, look->application, look->subject,
                                               &job->arena, &look->sole);
    look->found = error == TWOLEG_NONE;
    return error == TWOLEG_NOT_FOUND ? TWOLEG_NONE : error;
}

static const struct endpoint_look_kind replace_look_kind = {
    .size = sizeof(struct replace_look), .arena_cap = REISSUE_LOOK_CAP, .run = replace_look_run};

static enum twoleg_error replace_look_start(struct http_request *request,
                                            const struct decision *decision)
{
    struct endpoint_look *job;
    enum twoleg_error error = endpoint_look_create(request, &replace_look_kind, &job);
    if (error)
        return error;
    struct replace_look *look = (struct replace_look *)job;
    look->application = decision->application->number;
    look->subject = decision->subject;
    return endpoint_look_start(request, job, TWOLEG_NONE);
}

// What was done so far.
struct replace_past {
    bool lost;                       // somebody else's was there first
    const struct replace_look *look; // after that; NULL: none
};

static struct replace_past replace_past(const struct http_request *request)
{
    struct replace_past past = {.lost = false};
    const struct issue_commit *commit = NULL;
    while ((commit = issue_commit_next(request, commit)) && !past.lost)
        past.lost = commit->has_token && issue_commit_lost(commit);
    commit = issue_commit_next(request, NULL);
    while (commit && !commit->has_token)
        commit = issue_commit_next(request, commit);
    // The latest stands first in the list.
    const struct http_job *job = request->jobs;
    while (job && job->kind != &replace_look_kind && (!commit || job != &commit->commit.job))
        job = job->next;
    if (job && job->kind == &replace_look_kind)
        past.look = (const struct replace_look *)job;
    return past;
}

static enum twoleg_error replace_build(struct http_request *request,
                                       const struct decision *decision, const void *plan,
                                       struct issue_commit *commit)
{
    const struct replace_past *past = plan;
    struct token_nonce nonce;
    enum twoleg_error error = token_sole_make(&endpoint_context(request)->token, decision, &nonce,
                                              &commit->token);
    if (error)
        return error;
    struct store_verb *verb =
        store_batch_add(commit->commit.batch, VERB_TOKEN_REPLACE, decision->application->account);
    verb->replace.key = commit->token.key;
    verb->replace.record = &commit->token.record;
    verb->replace.nonce = nonce;
    verb->replace.whichever = past->lost;
    if (past->look->found)
        verb->replace.before = past->look->sole.record.id;
    return TWOLEG_NONE;
}

// Of those who ask for the same at the same moment one makes the token, for all: else they would
// take it from each other. Who asks for another one, as each login does, takes the place in any
// case. A token of ours that was replaced since was so after its answer was durable: whoever came
// last has the one that lives.
enum twoleg_error reissue_replace(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use, struct issued_token *ret_token)
{
    enum twoleg_error error = reference_take(request, decision, ret_token);
    if (error != TWOLEG_NOT_FOUND)
        return error;
    const struct replace_past past = replace_past(request);
    if (!past.look)
        return replace_look_start(request, decision);
    if (past.look->look.job.result)
        return past.look->look.job.result;
    metrics_add(request->metrics, METRIC_TOKEN_LOOKED_UP, 1);
    if (past.lost && past.look->found) {
        struct token_reference token;
        error = token_sole_find(&endpoint_context(request)->token, decision, &past.look->sole,
                                &token);
        if (!error)
            error = reissue_give(request, decision, &token, ret_token);
        wipe(&token, sizeof token);
        if (error != TWOLEG_NOT_FOUND)
            return error;
    }
    return reference_start(request, decision, use, replace_build, &past);
}
