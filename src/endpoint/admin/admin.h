// SPDX-License-Identifier: Apache-2.0
// The admin API, /admin/v1: what the CLI speaks. JSON in and out. An application is named by the
// query parameter client_id, since a brought ID may hold any visible character and a path may not.
#pragma once
#include "http/http.h"

extern const struct http_route admin_routes[]; // all behind DOOR_ADMIN
extern const size_t admin_route_count;
