// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <string.h>

#include "base/buf.h"
#include "http/target.h"

static const struct router_method {
    enum http_method method;
    struct str name;
} router_methods[] = {
    {HTTP_GET, {"GET", 3}},         {HTTP_HEAD, {"HEAD", 4}},   {HTTP_POST, {"POST", 4}},
    {HTTP_PUT, {"PUT", 3}},         {HTTP_PATCH, {"PATCH", 5}}, {HTTP_DELETE, {"DELETE", 6}},
    {HTTP_OPTIONS, {"OPTIONS", 7}},
};
#define ROUTER_METHODS (sizeof router_methods / sizeof router_methods[0])

enum http_method http_method_parse(struct str method)
{
    for (size_t i = 0; i < ROUTER_METHODS; i++)
        if (str_equal(method, router_methods[i].name))
            return router_methods[i].method;
    return HTTP_OTHER;
}

struct str http_method_allow(unsigned methods, struct arena *arena)
{
    struct buf line;
    buf_init_arena(&line, arena, 80);
    buf_add(&line, STR("Allow: "));
    bool first = true;
    for (size_t i = 0; i < ROUTER_METHODS; i++) {
        if (!(methods & router_methods[i].method))
            continue;
        if (!first)
            buf_add(&line, STR(", "));
        buf_add(&line, router_methods[i].name);
        first = false;
    }
    buf_add(&line, STR("\r\n"));
    return buf_str(&line);
}

static enum twoleg_error router_check(const char *path, bool *ret_pattern)
{
    struct str rest = str_from(path);
    struct str segment;
    size_t holes = 0;
    bool tail = false;
    if (rest.len < 1 || rest.len > UINT16_MAX || rest.ptr[0] != '/')
        return TWOLEG_MALFORMED;
    while (str_split(&rest, '/', &segment)) {
        bool hole = str_equal(segment, STR("{}"));
        if (tail || (!hole && !str_equal(segment, STR("{*}")) &&
                     str_find(segment, '{') != segment.len))
            return TWOLEG_MALFORMED;
        tail = str_equal(segment, STR("{*}"));
        holes += hole || tail;
    }
    if (holes > HTTP_SEGMENTS)
        return TWOLEG_RANGE;
    *ret_pattern = holes > 0;
    return TWOLEG_NONE;
}

enum twoleg_error http_router_init(struct http_router *router, const struct http_route *routes,
                                   size_t count)
{
    if (count > HTTP_ROUTES_MAX)
        return TWOLEG_RANGE;
    *router = (struct http_router){.routes = routes, .count = (uint8_t)count};
    // Backwards, so that rows of one path keep the table's order in their bucket.
    for (size_t i = count; i-- > 0;) {
        bool pattern;
        enum twoleg_error error = router_check(routes[i].path, &pattern);
        if (error)
            return error;
        router->lengths[i] = (uint16_t)strlen(routes[i].path);
        router->prefixes[i] = (uint16_t)str_find(str_from(routes[i].path), '{');
        if (pattern)
            continue;
        uint8_t *bucket = &router->exact[router->lengths[i] % HTTP_ROUTER_BUCKETS];
        router->exact_next[i] = *bucket;
        *bucket = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < count; i++)
        if (strchr(routes[i].path, '{'))
            router->patterns[router->pattern_count++] = (uint8_t)i;
    return TWOLEG_NONE;
}

static void router_take(struct http_match *match, const struct http_route *route,
                        enum http_method method)
{
    match->allowed |= route->methods;
    if (!match->route && (route->methods & method))
        match->route = route;
}

static bool router_exact(const struct http_router *router, struct str path,
                         enum http_method method, unsigned doors, struct http_match *match)
{
    uint8_t at = router->exact[path.len % HTTP_ROUTER_BUCKETS];
    for (; at; at = router->exact_next[at - 1]) {
        const struct http_route *route = &router->routes[at - 1];
        if (router->lengths[at - 1] == path.len && (route->doors & doors) &&
            memcmp(route->path, path.ptr, path.len) == 0)
            router_take(match, route, method);
    }
    return match->allowed != 0;
}

// Segment by segment; a hole takes one that is not empty, a tail all that is left.
static bool router_fits(struct str pattern, struct str path, struct http_match *match)
{
    struct str want;
    struct str have;
    match->segment_count = 0;
    while (str_split(&pattern, '/', &want)) {
        if (str_equal(want, STR("{*}"))) {
            match->segments[match->segment_count++] = path;
            return path.len > 0;
        }
        if (!str_split(&path, '/', &have))
            return false;
        if (!str_equal(want, STR("{}"))) {
            if (!str_equal(want, have))
                return false;
            continue;
        }
        if (have.len == 0)
            return false;
        match->segments[match->segment_count++] = have;
    }
    return path.ptr == NULL;
}

static void router_pattern(const struct http_router *router, struct str path,
                           enum http_method method, unsigned doors, struct http_match *match)
{
    bool canonical = http_path_is_canonical(path);
    for (uint8_t i = 0; i < router->pattern_count && !match->route; i++) {
        const struct http_route *route = &router->routes[router->patterns[i]];
        struct str pattern = str_of(route->path, router->lengths[router->patterns[i]]);
        size_t prefix = router->prefixes[router->patterns[i]];
        if (path.len < prefix || memcmp(path.ptr, route->path, prefix) != 0)
            continue;
        if (!canonical && !route->foreign)
            continue;
        // What takes every path is for those that no other row knows.
        if (match->allowed && str_equal(pattern, STR("/{*}")))
            continue;
        if ((route->doors & doors) && router_fits(pattern, path, match))
            router_take(match, route, method);
    }
    if (!match->route)
        match->segment_count = 0;
}

void http_router_match(const struct http_router *router, struct str path, enum http_method method,
                       unsigned doors, struct http_match *ret_match)
{
    ret_match->route = NULL;
    ret_match->allowed = 0;
    ret_match->segment_count = 0;
    if (!router_exact(router, path, method, doors, ret_match))
        router_pattern(router, path, method, doors, ret_match);
}
