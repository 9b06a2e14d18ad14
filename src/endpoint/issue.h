// SPDX-License-Identifier: Apache-2.0
// The fourth step of the token endpoint, with its wait.
#pragma once
#include "endpoint/server.h"

// TWOLEG_WAIT: the token is being signed on the pool, or its row written, and the handler is to be
// run again. The token's text is good as long as the request. OVERLOADED: the pool, or the
// application's share of it, is full.
enum twoleg_error endpoint_issue(struct http_request *request, const struct decision *decision,
                                 struct issued_token *ret_token) TWOLEG_MUST_CHECK;
