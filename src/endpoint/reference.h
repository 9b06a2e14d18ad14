// SPDX-License-Identifier: Apache-2.0
// What endpoints wait for where a token is a row of the store.
#pragma once
#include "endpoint/issue.h"

// Writes the token's row. TWOLEG_WAIT: it is on its way, and the handler is to be run again. On
// TWOLEG_NONE it is durable; the token's text is good as long as the request.
enum twoleg_error reference_issue(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use,
                                  struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// What this request has asked the store for already; NULL: nothing.
const struct token_known *reference_known(const struct http_request *request);
// Asks it for the token. TWOLEG_WAIT, or the reason why nobody can tell.
enum twoleg_error reference_look_up(struct http_request *request,
                                    struct str text) TWOLEG_MUST_CHECK;

// For the rules of what whoever asks again gets (reissue.c): reference_issue of such a decision.
enum twoleg_error reissue_same(struct http_request *request, const struct decision *decision,
                               const struct refresh_use *use,
                               struct issued_token *ret_token) TWOLEG_MUST_CHECK;
enum twoleg_error reissue_replace(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use,
                                  struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// And what they have in common with it. Makes commit->token and adds the verb that writes it.
typedef enum twoleg_error reference_build(struct http_request *request,
                                          const struct decision *decision, const void *plan,
                                          struct issue_commit *commit);
// Writes the row that is built, and what belongs to it.
enum twoleg_error reference_start(struct http_request *request, const struct decision *decision,
                                  const struct refresh_use *use, reference_build *build,
                                  const void *plan) TWOLEG_MUST_CHECK;
// The token whose row was written for this request. NOT_FOUND: there is none, or none that is still
// right; its row stays until it expires, and nobody has its text.
enum twoleg_error reference_take(struct http_request *request, const struct decision *decision,
                                 struct issued_token *ret_token) TWOLEG_MUST_CHECK;
// Asks the store for several, of which reference_known gives as many.
enum twoleg_error reference_look_up_all(struct http_request *request, const struct str *texts,
                                        size_t count) TWOLEG_MUST_CHECK;
// What the last look has said, if nothing was done since; else NULL. ret_failed: why it said
// nothing. ret_count: of all looks.
const struct token_known *reference_known_last(const struct http_request *request,
                                               unsigned *ret_count,
                                               enum twoleg_error *ret_failed);
