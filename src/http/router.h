// SPDX-License-Identifier: Apache-2.0
// The route table. An exact path wins over patterns; patterns are tried in the table's order.
#pragma once
#include "http/http.h"

#define HTTP_ROUTES_MAX 128
#define HTTP_ROUTER_BUCKETS 64

struct http_router {
    const struct http_route *routes;
    uint8_t count;
    uint8_t exact[HTTP_ROUTER_BUCKETS]; // by the path's length: row + 1, 0 = none
    uint8_t exact_next[HTTP_ROUTES_MAX];
    uint8_t patterns[HTTP_ROUTES_MAX];
    uint8_t pattern_count;
    uint16_t lengths[HTTP_ROUTES_MAX];
    uint16_t prefixes[HTTP_ROUTES_MAX]; // what stands before a pattern's first hole
};

struct http_match {
    const struct http_route *route; // NULL: 404 when allowed is 0, else 405
    unsigned allowed;               // methods of all routes with this path
    struct str segments[HTTP_SEGMENTS];
    size_t segment_count;
};

// RANGE: too many rows or segments; MALFORMED: a path that does not start with '/', or with {*}
// elsewhere than at its end.
enum twoleg_error http_router_init(struct http_router *router, const struct http_route *routes,
                                   size_t count) TWOLEG_MUST_CHECK;
void http_router_match(const struct http_router *router, struct str path, enum http_method method,
                       unsigned doors, struct http_match *ret_match);
enum http_method http_method_parse(struct str method); // HTTP_OTHER for what no route knows
// "Allow: GET, HEAD\r\n" in the arena; STR_NONE without memory.
struct str http_method_allow(unsigned methods, struct arena *arena);
