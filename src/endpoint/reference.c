// SPDX-License-Identifier: Apache-2.0
#include "endpoint/reference.h"

#include "crypto/wipe.h"
#include "endpoint/job.h"

// What was written may be wrong by the time it is durable, or its place taken; this many times is
// bad luck.
#define ROWS_PER_REQUEST 4
#define LOOK_UP_CAP ((size_t)16 * 1024)

static const char commit_kind;

// ---------------------------------------------------------------------------------- write

struct commit_job {
    struct endpoint_commit commit;
    struct token_reference token; // its scope lies in the batch
    struct store_token_key unless[AGAIN_COUNT];
    struct token_id replaced;
};
ENDPOINT_FIRST(struct commit_job, commit);

// The token whose row was written for this request. NOT_FOUND: there is none, or none that is still
// right; its row stays until it expires, and nobody has its text.
static enum twoleg_error reference_take(struct http_request *request,
                                        const struct decision *decision,
                                        struct issued_token *ret_token)
{
    unsigned count = 0;
    for (struct http_job *job = request->jobs; job; job = job->next) {
        if (job->kind != &commit_kind)
            continue;
        count++;
        enum twoleg_error error = job->result;
        if (!error)
            error = token_reference_take(&endpoint_context(request)->token, decision,
                                         &((struct commit_job *)job)->token, ret_token);
        else if (error == TWOLEG_CONFLICT)
            error = TWOLEG_NOT_FOUND; // its place was taken: another token will do
        if (error != TWOLEG_NOT_FOUND)
            return error;
    }
    return count < ROWS_PER_REQUEST ? TWOLEG_NOT_FOUND : TWOLEG_OVERLOADED;
}

// What a row is written for: at most one of a decision's tokens may live.
struct commit_again {
    const struct token_again *again;
    enum token_again_which from; // of those that must not be there
    const struct token_record *replaced; // what is revoked with it; NULL: nothing
};

static void commit_add_again(const struct commit_again *plan, struct commit_job *commit,
                             uint64_t account, struct store_verb *verb)
{
    size_t count = 0;
    commit->token = plan->again->tokens[AGAIN_NOW];
    for (enum token_again_which i = plan->from; i < AGAIN_COUNT; i++)
        commit->unless[count++] = plan->again->tokens[i].key;
    verb->token.unless = commit->unless;
    verb->token.unless_count = count;
    if (!plan->replaced)
        return;
    commit->replaced = plan->replaced->id;
    verb->token.replaced = &commit->replaced;
    struct store_verb *revoke = store_batch_add(commit->commit.batch, VERB_TOKEN_REVOKE, account);
    revoke->revoke.id = plan->replaced->id;
    revoke->revoke.application = plan->replaced->application;
    revoke->revoke.expires_s = token_record_forget_s(plan->replaced);
}

static enum twoleg_error commit_build(struct http_request *request,
                                      const struct decision *decision,
                                      const struct commit_again *plan, struct commit_job *commit)
{
    uint64_t account = decision->application->account;
    struct store_verb *verb = store_batch_add(commit->commit.batch, VERB_TOKEN_ADD, account);
    enum twoleg_error error = TWOLEG_NONE;
    if (plan)
        commit_add_again(plan, commit, account, verb);
    else
        error = token_reference_make(&endpoint_context(request)->token, decision, &commit->token);
    if (error)
        return error;
    commit->token.record.scope = store_batch_copy(commit->commit.batch, decision->scope);
    verb->token.key = commit->token.key;
    verb->token.record = &commit->token.record;
    return TWOLEG_NONE;
}

// plan: NULL for a token of its own.
static enum twoleg_error reference_start(struct http_request *request,
                                         const struct decision *decision,
                                         const struct commit_again *plan)
{
    struct endpoint_commit *commit;
    enum twoleg_error error =
        endpoint_commit_create(request, &commit_kind, sizeof(struct commit_job), &commit);
    if (error)
        return error;
    return endpoint_commit_start(
        request, commit, commit_build(request, decision, plan, (struct commit_job *)commit));
}

// ---------------------------------------------------------------------------------- look up

// One for each request: what a look finds that began before the request came could be older than
// an answer that the client has already.
struct look_up_job {
    struct endpoint_look look;
    struct token_known known[AGAIN_NEXT];
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

static enum twoleg_error look_up_start(struct http_request *request, const struct str *texts,
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

enum twoleg_error reference_look_up(struct http_request *request, struct str text)
{
    const struct http_job *last = http_job_find(request, &look_up_kind);
    if (last) // a second one would be for another token, and there is only one
        return last->result ? last->result : TWOLEG_INTERNAL;
    return look_up_start(request, &text, 1);
}

// ---------------------------------------------------------------------------------- issue

static bool again_is_one(const struct token_again *again, const struct token_reference *token)
{
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_NEXT; i++)
        if (str_equal(str_of(token->text, token->len),
                      str_of(again->tokens[i].text, again->tokens[i].len)))
            return true;
    return false;
}

// Ours, if it was written and still is one that is asked for. One that another has replaced since
// is nobody else's, and dead: whoever asked last has the live one.
static enum twoleg_error again_take_written(struct http_request *request,
                                            const struct decision *decision,
                                            const struct token_again *again,
                                            struct issued_token *ret_token)
{
    for (struct http_job *job = request->jobs; job; job = job->next) {
        const struct token_reference *token = &((struct commit_job *)job)->token;
        if (job->kind != &commit_kind || job->result == TWOLEG_CONFLICT)
            continue;
        if (job->result)
            return job->result;
        bool ours = decision->reissue == REISSUE_REPLACE || again_is_one(again, token);
        if (ours && token_reference_take(&endpoint_context(request)->token, decision, token,
                                         ret_token) == TWOLEG_NONE)
            return TWOLEG_NONE;
    }
    return TWOLEG_NOT_FOUND;
}

// The token that lives, if it is what the decision asks for; else NOT_FOUND.
static enum twoleg_error again_give(struct http_request *request, const struct decision *decision,
                                    struct token_again *again,
                                    const struct token_again_found *alive,
                                    struct issued_token *ret_token)
{
    struct token_reference *token = &again->tokens[alive->which];
    token->record = alive->record;
    enum twoleg_error error =
        token_again_take(&endpoint_context(request)->token, decision, token, ret_token);
    if (error)
        return error;
    ret_token->text = arena_copy(request->arena, ret_token->text);
    return ret_token->text.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

static enum twoleg_error again_replace(struct http_request *request,
                                       const struct decision *decision, struct token_again *again,
                                       const struct token_again_found *alive)
{
    enum twoleg_error error = TWOLEG_NONE;
    if (alive->which == AGAIN_NOW)
        error = token_again_follow(&endpoint_context(request)->token, decision, again);
    const struct commit_again plan = {again, AGAIN_NOW, &alive->record};
    return error ? error : reference_start(request, decision, &plan);
}

// What this request has done so far.
struct again_past {
    unsigned jobs;
    bool lost;                       // somebody else's row was there first
    const struct token_known *known; // what the store said after that
    enum twoleg_error failed;
};

static struct again_past again_past(const struct http_request *request)
{
    const struct http_job *last = request->jobs;
    bool looked = last && last->kind == &look_up_kind;
    struct again_past past = {.known = looked ? reference_known(request) : NULL,
                              .failed = looked ? last->result : TWOLEG_NONE};
    for (const struct http_job *job = request->jobs; job; job = job->next) {
        past.jobs += job->kind == &commit_kind || job->kind == &look_up_kind;
        past.lost = past.lost || (job->kind == &commit_kind && job->result == TWOLEG_CONFLICT);
    }
    return past;
}

static enum twoleg_error again_run(struct http_request *request, const struct decision *decision,
                                   struct token_again *again, struct issued_token *ret_token)
{
    const struct again_past past = again_past(request);
    struct token_again_found alive;
    enum twoleg_error error = again_take_written(request, decision, again, ret_token);
    if (error != TWOLEG_NOT_FOUND || past.failed)
        return error != TWOLEG_NOT_FOUND ? error : past.failed;
    enum twoleg_error found = token_again_find(&endpoint_context(request)->token, decision, again,
                                               past.known, request->arena, &alive);
    if (found && found != TWOLEG_WAIT && found != TWOLEG_NOT_FOUND)
        return found;
    // Of those who ask at once one makes a token, for all: else they would take it from each other.
    if (!found && (past.lost || decision->reissue == REISSUE_SAME)) {
        error = again_give(request, decision, again, &alive, ret_token);
        if (error != TWOLEG_NOT_FOUND || decision->reissue == REISSUE_SAME)
            return error;
    }
    if (past.jobs >= 2 * ROWS_PER_REQUEST)
        return TWOLEG_OVERLOADED;
    if (!found)
        return again_replace(request, decision, again, &alive);
    const struct commit_again plan = {again, AGAIN_BEFORE, NULL};
    if (found == TWOLEG_NOT_FOUND)
        return reference_start(request, decision, &plan);
    const struct str texts[] = {
        str_of(again->tokens[AGAIN_BEFORE].text, again->tokens[AGAIN_BEFORE].len),
        str_of(again->tokens[AGAIN_NOW].text, again->tokens[AGAIN_NOW].len)};
    return look_up_start(request, texts, AGAIN_NEXT);
}

static enum twoleg_error reference_again(struct http_request *request,
                                         const struct decision *decision,
                                         struct issued_token *ret_token)
{
    struct token_again again;
    enum twoleg_error error =
        token_again_make(&endpoint_context(request)->token, decision, &again);
    if (!error)
        error = again_run(request, decision, &again, ret_token);
    wipe(&again, sizeof again);
    return error;
}

enum twoleg_error reference_issue(struct http_request *request, const struct decision *decision,
                                  struct issued_token *ret_token)
{
    if (decision->reissue != REISSUE_NEW)
        return reference_again(request, decision, ret_token);
    enum twoleg_error error = reference_take(request, decision, ret_token);
    return error == TWOLEG_NOT_FOUND ? reference_start(request, decision, NULL) : error;
}
