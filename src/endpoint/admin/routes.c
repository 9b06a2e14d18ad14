// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/actions.h"
#include "endpoint/admin/admin.h"

// A route's handler is its action behind the check of rights; C has no closures to say that in the
// table, so each has its two lines.
static enum twoleg_error route_application_list(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_list);
}

static enum twoleg_error route_application_create(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_create);
}

static enum twoleg_error route_application_show(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_show);
}

static enum twoleg_error route_application_update(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_update);
}

static enum twoleg_error route_application_delete(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_delete);
}

static enum twoleg_error route_application_disable(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_disable);
}

static enum twoleg_error route_application_enable(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_application_enable);
}

static enum twoleg_error route_application_revoke_tokens(struct http_request *r,
                                                         struct http_answer *a)
{
    return admin_run(r, a, admin_application_revoke_tokens);
}

static enum twoleg_error route_secret_list(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_secret_list);
}

static enum twoleg_error route_secret_add(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_secret_add);
}

static enum twoleg_error route_secret_remove(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_secret_remove);
}

static enum twoleg_error route_api_list(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_api_list);
}

static enum twoleg_error route_api_create(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_api_create);
}

static enum twoleg_error route_scope_add(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_scope_add);
}

static enum twoleg_error route_scope_remove(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_scope_remove);
}

static enum twoleg_error route_token_inspect(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_token_inspect);
}

static enum twoleg_error route_token_revoke(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_token_revoke);
}

static enum twoleg_error route_key_list(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_key_list);
}

static enum twoleg_error route_key_rotate(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_key_rotate);
}

static enum twoleg_error route_key_compromise(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_key_compromise);
}

static enum twoleg_error route_master_rotate(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_master_rotate);
}

static enum twoleg_error route_backup(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_backup);
}

static enum twoleg_error route_audit_list(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_audit_list);
}

static enum twoleg_error route_status(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_status);
}

static enum twoleg_error route_reload(struct http_request *r, struct http_answer *a)
{
    return admin_run(r, a, admin_reload);
}

const struct http_route admin_routes[] = {
    {.name = "admin_application_list", .path = "/admin/v1/applications",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_application_list},
    {.name = "admin_application_create", .path = "/admin/v1/applications",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_application_create},
    {.name = "admin_application_show", .path = "/admin/v1/application",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_application_show},
    {.name = "admin_application_update", .path = "/admin/v1/application",
     .methods = HTTP_PATCH, .doors = DOOR_ADMIN, .handler = route_application_update},
    {.name = "admin_application_delete", .path = "/admin/v1/application",
     .methods = HTTP_DELETE, .doors = DOOR_ADMIN, .handler = route_application_delete},
    {.name = "admin_application_disable", .path = "/admin/v1/application/disable",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_application_disable},
    {.name = "admin_application_enable", .path = "/admin/v1/application/enable",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_application_enable},
    {.name = "admin_application_revoke_tokens", .path = "/admin/v1/application/revoke-tokens",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_application_revoke_tokens},
    {.name = "admin_secret_list", .path = "/admin/v1/application/secrets",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_secret_list},
    {.name = "admin_secret_add", .path = "/admin/v1/application/secrets",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_secret_add},
    {.name = "admin_secret_remove", .path = "/admin/v1/application/secrets/remove",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_secret_remove},
    {.name = "admin_api_list", .path = "/admin/v1/apis",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_api_list},
    {.name = "admin_api_create", .path = "/admin/v1/apis",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_api_create},
    {.name = "admin_scope_add", .path = "/admin/v1/scopes",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_scope_add},
    {.name = "admin_scope_remove", .path = "/admin/v1/scopes/remove",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_scope_remove},
    {.name = "admin_token_inspect", .path = "/admin/v1/tokens/inspect",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_token_inspect},
    {.name = "admin_token_revoke", .path = "/admin/v1/tokens/revoke",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_token_revoke},
    {.name = "admin_key_list", .path = "/admin/v1/keys",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_key_list},
    {.name = "admin_key_rotate", .path = "/admin/v1/keys/rotate",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_key_rotate},
    {.name = "admin_key_compromise", .path = "/admin/v1/keys/compromise",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_key_compromise},
    {.name = "admin_master_rotate", .path = "/admin/v1/master/rotate",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_master_rotate},
    {.name = "admin_backup", .path = "/admin/v1/backup",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_backup},
    {.name = "admin_audit_list", .path = "/admin/v1/audit",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_audit_list},
    {.name = "admin_status", .path = "/admin/v1/status",
     .methods = HTTP_GET | HTTP_HEAD, .doors = DOOR_ADMIN, .handler = route_status},
    {.name = "admin_reload", .path = "/admin/v1/reload",
     .methods = HTTP_POST, .doors = DOOR_ADMIN, .handler = route_reload},
};
const size_t admin_route_count = sizeof admin_routes / sizeof *admin_routes;
