// SPDX-License-Identifier: Apache-2.0
// Grants: a table. Each decides who, scope, audience and life; none issues.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "model/request.h"

struct grant_context {
    const struct api_set *apis;
    struct arena *arena;
    int64_t now_us;     // env->latest_us
    int64_t jwt_max_ttl_us;
};

// Step 3 of the path: the grant that request->grant names.
enum twoleg_error grant_decide(const struct grant_context *context,
                               const struct token_request *request, const struct client *client,
                               struct decision *ret_decision) TWOLEG_MUST_CHECK;
