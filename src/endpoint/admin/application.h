// SPDX-License-Identifier: Apache-2.0
// What a body says of an application, for each way in which one comes to be or is changed.
#pragma once
#include "endpoint/admin/body.h"
#include "manage/application.h"

struct application_body {
    struct str name, scope, token_format, grants, budget, budget_mode, dialects;
    struct str client_id, client_secret; // of a new one
    struct str client_secret_hash;       // of an imported one, and the next three
    struct admin_bool long_secret, update, dry_run;
    struct admin_life token_ttl;
    struct manage_texts audience, serves;
    struct admin_bool resource_server;
    // What admin_application_read makes of the words above.
    enum token_format format;
    unsigned grants_read; // 0: not given
    struct budget budget_read;
    struct str dialects_read;
};

enum admin_application_use { APPLICATION_UPDATED, APPLICATION_NEW, APPLICATION_IMPORTED };

// Only the fields of this use may be there.
enum twoleg_error admin_application_read(struct admin_call *call, enum admin_application_use use,
                                         struct application_body *ret_body) TWOLEG_MUST_CHECK;
struct manage_policy admin_application_policy(const struct admin_call *call);
// Without number and secret.
struct manage_application_new admin_application_new(const struct application_body *body);
struct manage_application_update admin_application_changes(const struct application_body *body);
// Members that tell what else there is to know: "declared", scopes that were not known before;
// "grants_off" where it was given users' grants and the configuration refuses them.
void admin_application_words(struct admin_call *call, const struct application_body *body,
                             const struct manage_access *access);
