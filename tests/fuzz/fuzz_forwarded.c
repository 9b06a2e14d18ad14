// SPDX-License-Identifier: Apache-2.0
// X-Forwarded-For: lines for the peer, the listener's trusted proxies and
// the gate's (separated by commas), then one for each header. Whose address it is never depends on
// what a client wrote itself, left of what a trusted proxy added.
#include "base/arena.h"
#include "endpoint/client_address.h"
#include "endpoint/server.h"
#include "fuzz.h"
#include "http/listener.h"

#define NETWORKS_MAX 16
#define HEADERS_MAX 8

static size_t fuzz_networks(struct str line, struct cidr *ret_networks)
{
    struct str part;
    size_t count = 0;
    while (count < NETWORKS_MAX && str_split(&line, ',', &part))
        count += cidr_parse(part, &ret_networks[count]) == TWOLEG_NONE;
    return count;
}

static bool fuzz_trusted(const struct cidr *networks, size_t count, const struct address *address)
{
    for (size_t i = 0; i < count; i++)
        if (cidr_match(&networks[i], address))
            return true;
    return false;
}

struct fuzz_case {
    struct cidr networks[2 * NETWORKS_MAX];
    struct http_header headers[HEADERS_MAX];
    struct http_listener listener; // the first of the configuration's
    struct config_listener configured;
    struct snapshot snapshot;
    struct endpoint_context context;
    struct config_proxies more;
    struct http_request request;
};

static struct config_proxies *fuzz_own(struct fuzz_case *c)
{
    return &c->configured.trusted_proxies;
}

static void fuzz_read(struct str input, struct fuzz_case *c)
{
    *c = (struct fuzz_case){.listener = {.fd = -1}};
    if (address_parse(fuzz_line(&input), &c->request.peer))
        c->request.peer = (struct address){.family = ADDRESS_LOCAL};
    fuzz_own(c)->items = c->networks;
    fuzz_own(c)->count = fuzz_networks(fuzz_line(&input), c->networks);
    c->more.items = c->networks + fuzz_own(c)->count;
    c->more.count = fuzz_networks(fuzz_line(&input), c->networks + fuzz_own(c)->count);
    c->snapshot.config.listen = (struct config_listeners){.items = &c->configured, .count = 1};
    c->context.snapshot = &c->snapshot;
    c->request.context = &c->context;
    c->request.listener = &c->listener;
    c->request.headers = c->headers;
    while (input.len && c->request.header_count < HEADERS_MAX) {
        struct str line = fuzz_line(&input);
        struct str name = STR("x-forwarded-FOR");
        // Another header, whose value does not count.
        if (str_starts_with(line, STR("!")))
            name = STR("Forwarded");
        c->headers[c->request.header_count++] = (struct http_header){name, line};
    }
}

// Whatever stands before the list that was looked at changes nothing.
static void fuzz_client_words(struct fuzz_case *c, const struct address *found)
{
    struct http_header with[HEADERS_MAX + 1];
    with[0] = (struct http_header){STR("X-Forwarded-For"), STR("192.0.2.77, 10.0.0.1")};
    for (size_t i = 0; i < c->request.header_count; i++)
        with[i + 1] = c->headers[i];
    c->request.headers = with;
    c->request.header_count++;
    struct address again = endpoint_client_address(&c->request, &c->more);
    FUZZ_MUST(address_equal(&again, found));
    c->request.headers = c->headers;
    c->request.header_count--;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_case c;
    fuzz_read(str_of(data, size), &c);
    size_t count = fuzz_own(&c)->count + c.more.count;
    struct address found = endpoint_client_address(&c.request, &c.more);
    bool local = c.request.peer.family == ADDRESS_LOCAL;
    if (!local && !fuzz_trusted(c.networks, count, &c.request.peer)) {
        FUZZ_MUST(address_equal(&found, &c.request.peer));
        return 0;
    }
    if (found.family == ADDRESS_LOCAL)
        return 0;
    FUZZ_MUST(!fuzz_trusted(c.networks, count, &found) && found.port == 0);
    fuzz_client_words(&c, &found);
    struct address alone = endpoint_client_address(&c.request, NULL);
    FUZZ_MUST(c.more.count || address_equal(&alone, &found));
    return 0;
}
