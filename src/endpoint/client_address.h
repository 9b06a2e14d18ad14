// SPDX-License-Identifier: Apache-2.0
// Whose request a proxy asks about.
#pragma once
#include "config/config.h"
#include "http/http.h"

// The transport's peer, unless that is a trusted proxy (the listener's, or one of `more`; the peer
// of a Unix socket always is): then the rightmost address of X-Forwarded-For that is no trusted
// proxy itself. Family 0 ("local", which no allowlist holds) when the header is missing or what
// stands there is no address. Addresses left of that one are the client's own words.
struct address endpoint_client_address(const struct http_request *request,
                                       const struct config_proxies *more);
