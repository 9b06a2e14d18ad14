// SPDX-License-Identifier: Apache-2.0
// What the routes of the admin API do; routes.c says which is where.
#pragma once
#include "endpoint/admin/call.h"

admin_action admin_application_list, admin_application_create, admin_application_show;
admin_action admin_application_update, admin_application_delete;
admin_action admin_application_disable, admin_application_enable, admin_application_revoke_tokens;
admin_action admin_secret_list, admin_secret_add, admin_secret_remove;
admin_action admin_api_list, admin_api_create;
admin_action admin_scope_add, admin_scope_remove;
admin_action admin_token_inspect, admin_token_revoke;
admin_action admin_key_list, admin_key_rotate, admin_key_compromise, admin_master_rotate;
admin_action admin_backup, admin_audit_list, admin_status, admin_reload;
