// SPDX-License-Identifier: Apache-2.0
// Changes to applications. Each function checks the right, adds the verbs and the audit rows.
// Refusals leave words in change->problem; the batch is then to be destroyed.
#pragma once
#include "manage/access.h"

// Defaults and bounds of the server's configuration.
struct manage_policy {
    enum token_format format; // where the request says nothing
    int64_t ttl_us;
    int64_t jwt_max_ttl_us;
    bool references; // are what all are given out, whatever the format that an application has
};

struct manage_application_new {
    uint64_t number;      // random, from the caller
    uint64_t account;     // 0: the default API's
    struct str client_id; // brought, or STR_NONE: the number's text
    struct str name;
    bool has_format, has_ttl;
    enum token_format format;
    int64_t ttl_us;
    unsigned grants; // 0: GRANTS_DEFAULT
    struct budget budget;
    struct str dialects; // as application_dialects_read gives them
    struct manage_access_request access;
    struct secret secret; // its first one, in its stored form
    bool imported;        // for the audit row
};

// ret_application lives in the batch. RANGE, MALFORMED, TOO_LONG and what access gives.
enum twoleg_error manage_application_create(struct manage_change *change,
                                            const struct manage_policy *policy,
                                            const struct api_set *apis,
                                            const struct manage_application_new *request,
                                            struct application **ret_application,
                                            struct manage_access *ret_access) TWOLEG_MUST_CHECK;

struct manage_application_update {
    bool has_name, has_format, has_ttl, has_budget, has_budget_mode, has_dialects, has_grants;
    bool has_scope, has_audience, has_serves, has_resource_server;
    struct str name;
    enum token_format format;
    int64_t ttl_us;
    unsigned grants;
    struct budget budget;
    struct str dialects;
    struct manage_access_request access; // what is not given stays as it is
};

// TWOLEG_MISSING: nothing to change was asked for. The change is made from exactly this version of
// the application.
enum twoleg_error manage_application_update(struct manage_change *change,
                                            const struct manage_policy *policy,
                                            const struct api_set *apis,
                                            const struct application *application,
                                            const struct manage_application_update *request,
                                            struct manage_access *ret_access) TWOLEG_MUST_CHECK;

// The names of the facts that such an update would change, separated by ", "; nothing where all is
// so already. Refuses what the update would.
enum twoleg_error manage_application_differs(struct manage_change *change,
                                             const struct manage_policy *policy,
                                             const struct api_set *apis,
                                             const struct application *application,
                                             const struct manage_application_update *request,
                                             struct buf *out) TWOLEG_MUST_CHECK;

// All its tokens are dead at once, and no new ones are issued.
enum twoleg_error manage_application_disable(struct manage_change *change,
                                             const struct application *application)
    TWOLEG_MUST_CHECK;
// Tokens from before stay dead unless keep_tokens.
enum twoleg_error manage_application_enable(struct manage_change *change,
                                            const struct application *application,
                                            bool keep_tokens) TWOLEG_MUST_CHECK;
// A new generation: every token issued until now is dead, the secrets stay good.
enum twoleg_error manage_application_revoke_tokens(struct manage_change *change,
                                                   const struct application *application)
    TWOLEG_MUST_CHECK;
// For ever: the number is never used again; the client_id is free for another application.
enum twoleg_error manage_application_delete(struct manage_change *change,
                                            const struct application *application)
    TWOLEG_MUST_CHECK;
