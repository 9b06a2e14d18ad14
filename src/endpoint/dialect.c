// SPDX-License-Identifier: Apache-2.0
#include "endpoint/server.h"
#include "http/listener.h"

bool endpoint_is_for_operators(const struct http_request *request)
{
    return request->listener->doors & DOOR_ADMIN && str_starts_with(request->path, STR("/admin/"));
}

const struct dialect *endpoint_dialect(const struct http_request *request)
{
    return dialect_set_choose(endpoint_dialects(request), request->listener->number,
                              request->host);
}

// The authority of https://HOST:PORT/PATH.
static struct str issuer_host(struct str url)
{
    size_t begin = 0;
    while (begin < url.len && url.ptr[begin] != '/')
        begin++;
    struct str rest = str_slice(url, begin < url.len ? begin + 2 : url.len, url.len);
    return str_slice(rest, 0, str_find(rest, '/'));
}

bool endpoint_answers_issuer(const struct config *config, const struct dialect_set *dialects)
{
    struct str host = issuer_host(config->issuer);
    bool asked = false;
    for (size_t i = 0; i < config->listen.count; i++) {
        bool public = config->listen.items[i].doors & DOOR_PUBLIC;
        if (public && dialect_set_choose(dialects, i, host))
            return true;
        asked = asked || public;
    }
    return !asked;
}

// The issuer is where the first listener is reached.
const struct dialect *endpoint_issuer_dialect(const struct http_request *request)
{
    return dialect_set_choose(endpoint_dialects(request), 0,
                              issuer_host(endpoint_config(request)->issuer));
}
