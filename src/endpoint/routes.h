// SPDX-License-Identifier: Apache-2.0
// The table of all routes; which doors they belong to stands in it.
#pragma once
#include "http/http.h"

// The public, gate, metrics and admin routes. Made once, before the workers start.
const struct http_route *endpoint_routes(size_t *ret_count);

http_handler endpoint_token, endpoint_introspect, endpoint_revoke, endpoint_check;
http_handler endpoint_metadata, endpoint_jwks, endpoint_healthz, endpoint_readyz, endpoint_metrics;
