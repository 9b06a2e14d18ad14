// SPDX-License-Identifier: Apache-2.0
// What the routes of the admin API do: admin_application_list and so on.
#pragma once
#include "endpoint/admin/call.h"

#define ACTION(name, path, methods) admin_action admin_##name;
#include "endpoint/admin/actions.def"
#undef ACTION
