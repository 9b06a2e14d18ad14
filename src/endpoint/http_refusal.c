// SPDX-License-Identifier: Apache-2.0
#include "endpoint/limit.h"
#include "endpoint/routes.h"
#include "endpoint/server.h"
#include "http/listener.h"

// Which of a dialect's conditions it is. What has none is malformed, and keeps HTTP's status:
// libraries and proxies go by it.
static enum twoleg_error http_refusal_error(enum http_refusal refusal)
{
    switch (http_refusal_row(refusal)->status) {
    case 404:
        return TWOLEG_NOT_FOUND;
    case 413:
        return TWOLEG_TOO_LONG;
    case 500:
    case 503:
        return TWOLEG_OVERLOADED;
    default:
        return TWOLEG_PARAMETER_MALFORMED;
    }
}

// Only where a dialect speaks: at token endpoints, and where nothing stands. What else stands at a
// path has a form of its own, also for a method that it does not know.
static const struct dialect *http_refusal_dialect(const struct http_request *request)
{
    bool spoken = request->route ? request->route->handler == endpoint_token
                                 : !request->allowed && request->listener->doors & DOOR_PUBLIC;
    return spoken && !endpoint_is_for_operators(request) ? endpoint_dialect(request) : NULL;
}

bool endpoint_refuse_http(struct http_request *request, enum http_refusal refusal,
                          struct http_answer *ret_answer)
{
    // Whoever was parked too long is answered without another run of its handler.
    endpoint_limit_not_issued(request);
    const struct dialect *dialect = http_refusal_dialect(request);
    struct dialect_refusal said = {.error = http_refusal_error(refusal)};
    if (!dialect)
        return false;
    if (said.error == TWOLEG_OVERLOADED) // as all of HTTP's own: what is short is there in a moment
        said.retry_us = SECOND_US;
    if (said.error == TWOLEG_PARAMETER_MALFORMED) {
        said.status = http_refusal_row(refusal)->status;
        said.message = str_from(http_refusal_row(refusal)->reason);
    }
    dialect_answer_refusal(dialect, request, &said, ret_answer);
    return true;
}
