// SPDX-License-Identifier: Apache-2.0
// What endpoints wait for where a token is a row of the store.
#pragma once
#include "endpoint/server.h"

// Writes the token's row. TWOLEG_WAIT: it is on its way, and the handler is to be run again. On
// TWOLEG_NONE it is durable; the token's text is good as long as the request.
enum twoleg_error reference_issue(struct http_request *request, const struct decision *decision,
                                  struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// What this request has asked the store for already; NULL: nothing.
const struct token_known *reference_known(const struct http_request *request);
// Asks it for the token. TWOLEG_WAIT, or the reason why nobody can tell.
enum twoleg_error reference_look_up(struct http_request *request,
                                    struct str text) TWOLEG_MUST_CHECK;
