// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/actions.h"
#include "endpoint/admin/admin.h"

// A route's handler is its action behind the check of rights.
#define ACTION(name, path, methods)                                                                \
    static enum twoleg_error route_##name(struct http_request *request,                            \
                                          struct http_answer *ret_answer)                          \
    {                                                                                              \
        return admin_run(request, ret_answer, admin_##name);                                       \
    }
#include "endpoint/admin/actions.def"
#undef ACTION

const struct http_route admin_routes[] = {
#define ACTION(name, path, methods)                                                                \
    {"admin_" #name, "/admin/v1/" path, methods, DOOR_ADMIN, route_##name, false},
#include "endpoint/admin/actions.def"
#undef ACTION
};
const size_t admin_route_count = sizeof admin_routes / sizeof *admin_routes;
