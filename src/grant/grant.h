// SPDX-License-Identifier: Apache-2.0
// Grants: a table. Each decides who, scope, audience and life; none issues.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "model/request.h"
#include "model/user.h"

struct grant_context {
    const struct api_set *apis;
    struct arena *arena;
    int64_t now_us;     // env->latest_us
    int64_t jwt_max_ttl_us;
    bool users;                          // the server's option password_grant
    const struct user *user;             // GRANT_PASSWORD, GRANT_REFRESH_TOKEN: who was found good
    const struct refresh_family *family; // GRANT_REFRESH_TOKEN: what was granted before
    uint64_t login; // the number of the family whose refresh token comes with it; 0: none does
};

// Whether request->grant may be asked for at all, by this client and with what was sent; before
// anything dear is done for it.
enum twoleg_error grant_check(const struct grant_context *context,
                              const struct token_request *request,
                              const struct client *client) TWOLEG_MUST_CHECK;
// The words of a request's scope, whoever asks: sorted, each once. SCOPE_MALFORMED, also when there
// is none; NO_MEMORY.
enum twoleg_error grant_read_scope(struct arena *arena, struct str text,
                                   struct str *ret_scope) TWOLEG_MUST_CHECK;
// Step 3 of the path: the grant that request->grant names, once grant_check has passed.
enum twoleg_error grant_decide(const struct grant_context *context,
                               const struct token_request *request, const struct client *client,
                               struct decision *ret_decision) TWOLEG_MUST_CHECK;
