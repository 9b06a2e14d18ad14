// SPDX-License-Identifier: Apache-2.0
#include "endpoint/client_address.h"

#include "endpoint/server.h"
#include "http/listener.h"

static bool client_trusts_of(const struct config_proxies *proxies, const struct address *address)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (cidr_match(&proxies->items[i], address))
            return true;
    return false;
}

static bool client_trusts(const struct http_request *request, const struct config_proxies *more,
                          const struct address *address)
{
    const struct config_listeners *listeners = &endpoint_config(request)->listen;
    size_t number = request->listener->number;
    return (number < listeners->count &&
            client_trusts_of(&listeners->items[number].trusted_proxies, address)) ||
           (more && client_trusts_of(more, address));
}

// Takes the last element off a comma-separated list.
static struct str client_take_last(struct str *list)
{
    size_t at = list->len;
    while (at > 0 && list->ptr[at - 1] != ',')
        at--;
    struct str last = str_trim(str_slice(*list, at, list->len), " \t");
    *list = str_slice(*list, 0, at ? at - 1 : 0);
    return last;
}

// Proxies write an address, IPv6 with or without brackets, some with a port.
static bool client_parse(struct str text, struct address *ret_address)
{
    if (address_parse(text, ret_address) == TWOLEG_NONE ||
        address_parse_port(text, ret_address) == TWOLEG_NONE)
        return true;
    bool brackets = text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
    return brackets &&
           address_parse(str_slice(text, 1, text.len - 1), ret_address) == TWOLEG_NONE;
}

struct address endpoint_client_address(const struct http_request *request,
                                       const struct config_proxies *more)
{
    static const struct address unknown = {.family = ADDRESS_LOCAL};
    if (request->peer.family != ADDRESS_LOCAL && !client_trusts(request, more, &request->peer))
        return request->peer;
    // Several header lines are one list (RFC 9110 section 5.3): the last line is its end.
    for (size_t i = request->header_count; i-- > 0;) {
        struct str list = request->headers[i].value;
        if (!str_equal_nocase(request->headers[i].name, STR("X-Forwarded-For")))
            continue;
        while (list.len > 0) {
            struct address address;
            if (!client_parse(client_take_last(&list), &address))
                return unknown;
            address.port = 0;
            if (!client_trusts(request, more, &address))
                return address;
        }
    }
    return unknown;
}
