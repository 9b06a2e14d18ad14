// SPDX-License-Identifier: Apache-2.0
// Entities as JSON: what may be shown of them. Never a secret, never its stored form.
#pragma once
#include "codec/json_write.h"
#include "model/api.h"
#include "model/application.h"
#include "manage/access.h"
#include "model/number.h"
#include "registry/registry.h"

// The members that a list has: client_id, name, status, token_format, token_ttl (seconds, null =
// never), grants, budget, budget_mode, created and updated (seconds since 1970).
void admin_view_summary(struct json_writer *json, const struct application *application);
// These, budget_limited and budget_observed (requests beyond the budget since the start; spent may
// be NULL), application (its number), scope, audience, serves, apis, secrets, version. The arena is
// for the joined scopes.
void admin_view_application(struct json_writer *json, struct arena *arena,
                            const struct application *application, const struct api_set *apis,
                            struct registry_spent *spent, int64_t now_us);
// Member "apis": what an application or user may do with which.
void admin_view_rights(struct json_writer *json, const struct application_api *rows, size_t count,
                       const struct api_set *apis);
void admin_view_grants(struct json_writer *json, unsigned grants); // member "grants"
void admin_view_secrets(struct json_writer *json, const struct application *application,
                        int64_t now_us); // member "secrets"
void admin_view_api(struct json_writer *json, const struct api *api); // a whole object
void admin_view_number(struct json_writer *json, struct str key, enum number_kind kind,
                       uint64_t number);
// Microseconds as whole seconds; TIME_NEVER and 0 as null.
void admin_view_time(struct json_writer *json, struct str key, int64_t us);
// The words as they were given, each once: the stored form is sorted.
struct str admin_view_scope_given(struct arena *arena, struct str scope);
// Member "declared": scopes that were not known before, in the order in which they were given.
void admin_view_declared(struct json_writer *json, struct arena *arena, struct str scope,
                         const struct manage_access *access);
