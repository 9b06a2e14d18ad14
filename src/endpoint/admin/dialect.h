// SPDX-License-Identifier: Apache-2.0
// What is said of dialects where applications are managed.
#pragma once
#include "endpoint/admin/call.h"
#include "model/application.h"

// How a new application gets its first token at the issuer's own address, as members: "issuer";
// "dialect", what is spoken there to this application; "dialect_format", that of its tokens;
// "example", its line for a grant that the application has. What there is not is left out.
void admin_dialect_show_example(struct admin_call *call, const struct application *application);
