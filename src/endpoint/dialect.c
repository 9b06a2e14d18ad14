// SPDX-License-Identifier: Apache-2.0
#include "endpoint/server.h"
#include "http/listener.h"

const struct dialect *endpoint_dialect(const struct http_request *request)
{
    return dialect_set_choose(endpoint_dialects(request), request->listener->number,
                              request->host);
}
