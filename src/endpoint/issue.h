// SPDX-License-Identifier: Apache-2.0
// The fourth step of the token endpoint, with its wait.
#pragma once
#include "endpoint/job.h"
#include "endpoint/refresh.h"

// TWOLEG_WAIT: the token is being signed on the pool, or its row written, and the handler is to be
// run again. The token's text is good as long as the request. OVERLOADED: the pool, or the
// application's share of it, is full. use: as refresh_keep has it.
enum twoleg_error endpoint_issue(struct http_request *request, const struct decision *decision,
                                 const struct refresh_use *use,
                                 struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// An earlier run of this request's handler has come to this step: all before it was good then.
bool issue_begun(const struct http_request *request);

// What is durable before a token is given out, all of it or nothing: the row of a reference, and
// what becomes of the refresh tokens that it comes with. So nobody's answer comes between the two.
struct issue_commit {
    struct endpoint_commit commit;
    bool has_token;
    struct token_reference token; // its scope lies in the batch
    struct refresh_kept kept;
};
ENDPOINT_FIRST(struct issue_commit, commit);
// What was looked at is older than what is there by the time of the writing; so often is bad luck.
#define ISSUE_COMMITS_MAX 6

// The next one of the request's jobs, from the latest on; after: NULL for the first.
const struct issue_commit *issue_commit_next(const struct http_request *request,
                                             const struct issue_commit *after);
// An empty one, for the caller to fill. OVERLOADED also after ISSUE_COMMITS_MAX.
enum twoleg_error issue_commit_create(const struct http_request *request,
                                      struct issue_commit **ret_commit) TWOLEG_MUST_CHECK;
// Somebody else was there first.
static inline bool issue_commit_lost(const struct issue_commit *commit)
{
    enum twoleg_error error = commit->commit.job.result;
    return error == TWOLEG_CONFLICT || error == TWOLEG_VERSION_CONFLICT;
}
