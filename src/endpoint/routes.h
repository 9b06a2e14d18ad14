// SPDX-License-Identifier: Apache-2.0
// The table of all routes; which doors they belong to stands in it.
#pragma once
#include "http/http.h"
#include "http/refusal.h"

// The public, gate, metrics and admin routes. Made once, before the workers start.
const struct http_route *endpoint_routes(size_t *ret_count);

// What the HTTP layer answers by itself, in the words of the dialect that is spoken to the host: of
// token requests, and where nothing stands. See struct http_settings.
bool endpoint_refuse_http(struct http_request *request, enum http_refusal refusal,
                          struct http_answer *ret_answer);

http_handler endpoint_token, endpoint_introspect, endpoint_revoke, endpoint_check;
http_handler endpoint_metadata, endpoint_jwks, endpoint_healthz, endpoint_readyz, endpoint_metrics;
