// SPDX-License-Identifier: Apache-2.0
// RFC 6749 sections 5.1 and 5.2 as a table; RFC 8707 section 2 for invalid_target.
#include "dialect/dialect.h"

#define INVALID_REQUEST 400, 0, "invalid_request"
#define INVALID_CLIENT 401, 0, "invalid_client"
#define INVALID_SCOPE 400, 0, "invalid_scope"
#define INVALID_TARGET 400, 0, "invalid_target"
#define UNAVAILABLE 503, 1, "temporarily_unavailable"
#define LIMITED 429, 1, "temporarily_unavailable"

// Every way in which a client can fail to authenticate has the same words: which one it was is
// nobody's business but the log's.
#define WHO "client authentication failed"
#define FAILURES "too many failures of client authentication"

static const struct dialect_error errors[] = {
    {TWOLEG_MEDIA_TYPE, INVALID_REQUEST,
     "the body must be application/x-www-form-urlencoded"},
    {TWOLEG_PARAMETER_MALFORMED, INVALID_REQUEST, NULL},
    {TWOLEG_PARAMETER_DUPLICATE, INVALID_REQUEST, NULL},
    {TWOLEG_PARAMETER_COUNT, INVALID_REQUEST, NULL},
    {TWOLEG_TOO_LONG, 413, 0, "invalid_request", NULL},
    {TWOLEG_GRANT_TYPE_MISSING, INVALID_REQUEST, NULL},
    {TWOLEG_TOKEN_MISSING, INVALID_REQUEST, NULL},
    {TWOLEG_CLIENT_TWO_METHODS, INVALID_REQUEST, NULL},
    {TWOLEG_CLIENT_IN_QUERY, INVALID_REQUEST,
     "parameters belong in the body, never in the query"},
    {TWOLEG_GRANT_TYPE_UNSUPPORTED, 400, 0, "unsupported_grant_type", NULL},
    {TWOLEG_GRANT_TYPE_REFUSED, 400, 0, "unauthorized_client", NULL},
    {TWOLEG_SCOPE_MALFORMED, INVALID_SCOPE, NULL},
    {TWOLEG_SCOPE_REFUSED, INVALID_SCOPE, NULL},
    {TWOLEG_TARGET_UNKNOWN, INVALID_TARGET, NULL},
    {TWOLEG_TARGET_MISSING, INVALID_TARGET, NULL},
    {TWOLEG_TARGET_DUPLICATE, INVALID_TARGET, NULL},
    {TWOLEG_CLIENT_MISSING, INVALID_CLIENT, WHO},
    {TWOLEG_CLIENT_MALFORMED, INVALID_CLIENT, WHO},
    {TWOLEG_CLIENT_UNKNOWN, INVALID_CLIENT, WHO},
    {TWOLEG_SECRET_WRONG, INVALID_CLIENT, WHO},
    {TWOLEG_SECRET_EXPIRED, INVALID_CLIENT, WHO},
    {TWOLEG_SECRET_EARLY, INVALID_CLIENT, WHO},
    {TWOLEG_APPLICATION_DISABLED, INVALID_CLIENT, WHO},
    {TWOLEG_APPLICATION_DELETED, INVALID_CLIENT, WHO},
    {TWOLEG_ACCOUNT_DISABLED, INVALID_CLIENT, WHO},
    {TWOLEG_NOT_A_RESOURCE_SERVER, 403, 0, "unauthorized_client", NULL},
    {TWOLEG_TOKEN_FOREIGN, 400, 0, "invalid_grant", NULL}, // RFC 7009 section 2.1
    {TWOLEG_LIMIT, 429, 0, "temporarily_unavailable",
     "too many single revocations; have the operator run: twoleg app revoke-tokens"},
    {TWOLEG_FAILURES_ADDRESS, LIMITED, FAILURES},
    {TWOLEG_FAILURES_CLIENT, LIMITED, FAILURES},
    {TWOLEG_SLOW_HASHES, LIMITED, FAILURES},
    {TWOLEG_BUDGET, LIMITED, "the application's budget is used up; keep tokens until they expire"},
    {TWOLEG_NO_MEMORY, UNAVAILABLE, "try again"},
    {TWOLEG_NONE, UNAVAILABLE, "try again"}, // everything else
};

static const struct dialect_success success[] = {
    {"access_token", FIELD_ACCESS_TOKEN},
    {"token_type", FIELD_TOKEN_TYPE},
    {"expires_in", FIELD_EXPIRES_IN},
    {"scope", FIELD_SCOPE},
};

const struct dialect dialect_rfc6749 = {
    .name = "rfc6749",
    .errors = errors,
    .error_count = sizeof errors / sizeof *errors,
    .success = success,
    .success_count = sizeof success / sizeof *success,
    .realm = "twoleg",
};
