// SPDX-License-Identifier: Apache-2.0
#include "endpoint/server.h"
#include "http/listener.h"

const struct dialect *endpoint_dialect(const struct http_request *request)
{
    const struct dialect_set *dialects = endpoint_dialects(request);
    return dialect_set_choose(dialects, request->listener->number,
                              dialect_set_has_hosts(dialects)
                                  ? http_request_header(request, STR("Host"))
                                  : STR_NONE);
}
