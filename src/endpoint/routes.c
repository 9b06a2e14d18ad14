// SPDX-License-Identifier: Apache-2.0
#include "endpoint/routes.h"

#include <string.h>

#include "endpoint/admin/admin.h"
#include "endpoint/test_hooks.h"

// Where token endpoints stand, and which methods they take, is their dialects' to say. Tried when
// nothing else stands at a path.
static const struct http_route token_route = {"token", "/{*}", HTTP_ANY, DOOR_PUBLIC,
                                              endpoint_token, false};

static const struct http_route routes[] = {
    {"introspect", "/oauth/introspect", HTTP_POST, DOOR_PUBLIC, endpoint_introspect, false},
    {"revoke", "/oauth/revoke", HTTP_POST, DOOR_PUBLIC, endpoint_revoke, false},
    {"metadata", "/.well-known/oauth-authorization-server", HTTP_GET | HTTP_HEAD | HTTP_OPTIONS,
     DOOR_PUBLIC, endpoint_metadata, false},
    {"metadata", "/.well-known/openid-configuration", HTTP_GET | HTTP_HEAD | HTTP_OPTIONS,
     DOOR_PUBLIC, endpoint_metadata, false},
    {"jwks", "/.well-known/jwks.json", HTTP_GET | HTTP_HEAD | HTTP_OPTIONS, DOOR_PUBLIC,
     endpoint_jwks, false},
    {"healthz", "/healthz", HTTP_GET | HTTP_HEAD, DOOR_PUBLIC, endpoint_healthz, false},
    {"readyz", "/readyz", HTTP_GET | HTTP_HEAD, DOOR_PUBLIC, endpoint_readyz, false},
    {"check", "/check", HTTP_ANY, DOOR_GATE, endpoint_check, true},
    {"check", "/check/{*}", HTTP_ANY, DOOR_GATE, endpoint_check, true},
    {"metrics", "/metrics", HTTP_GET | HTTP_HEAD, DOOR_METRICS, endpoint_metrics, false},
#ifdef TWOLEG_TEST_HOOKS
    {"test", "/test/clock", HTTP_POST, DOOR_ADMIN, test_hook_clock, false},
    {"test", "/test/stop", HTTP_POST, DOOR_ADMIN, test_hook_stop, false},
    {"test", "/test/fault", HTTP_POST, DOOR_ADMIN, test_hook_fault, false},
    {"test", "/test/keys", HTTP_POST, DOOR_ADMIN, test_hook_keys, false},
    {"test", "/test/mutant", HTTP_POST, DOOR_ADMIN, test_hook_mutant, false},
#endif
};
#define ROUTES (sizeof routes / sizeof *routes)
#define ADMIN_ROUTES_MAX 64

const struct http_route *endpoint_routes(size_t *ret_count)
{
    // One array for the router: ours first, then the admin API's, then what takes all the rest.
    static struct http_route all[ROUTES + ADMIN_ROUTES_MAX + 1];
    size_t admin = admin_route_count < ADMIN_ROUTES_MAX ? admin_route_count : ADMIN_ROUTES_MAX;
    memcpy(all, routes, sizeof routes);
    memcpy(all + ROUTES, admin_routes, admin * sizeof *admin_routes);
    all[ROUTES + admin] = token_route;
    *ret_count = ROUTES + admin + 1;
    return all;
}
