// SPDX-License-Identifier: Apache-2.0
// The verbs, one function each, inside the writer's transaction. An error refuses the batch; those
// that statement_error calls lost take the whole transaction with them.
#pragma once
#include "store/sqlite/round.h"

enum twoleg_error verb_run(struct round *round,
                           const struct store_verb *verb) TWOLEG_MUST_CHECK;

// What belongs to an account and has a row version, as the transaction sees it.
enum verb_entity_kind { ENTITY_APPLICATION, ENTITY_USER, ENTITY_API };
struct verb_entity {
    uint64_t number, account, version;
    struct application_state state; // an API is active, of generation 0
};
// TWOLEG_NOT_FOUND: deleted, or of another account.
enum twoleg_error verb_entity_head(struct round *round, enum verb_entity_kind kind,
                                   uint64_t number, uint64_t account,
                                   struct verb_entity *ret_head) TWOLEG_MUST_CHECK;
// Checks account and expected version, raises the row version once per batch.
enum twoleg_error verb_entity_touch(struct round *round, enum verb_entity_kind kind,
                                    uint64_t number, const struct store_verb *verb,
                                    struct verb_entity *ret_head) TWOLEG_MUST_CHECK;
// Tells of an application or a user what its row says now.
enum twoleg_error verb_entity_changed(struct round *round, enum verb_entity_kind kind,
                                      uint64_t number) TWOLEG_MUST_CHECK;
// Of the fields that are to change those that do: who is made active and is so already keeps what
// was issued.
unsigned verb_entity_fields(const struct verb_entity *head, unsigned fields,
                            enum entity_status status);
// The generation that a change which asks for `wanted` sets: never back to one that tokens were
// issued under, whatever the clock says.
uint64_t verb_entity_generation(const struct verb_entity *head, uint64_t wanted);
// The words that an application or a user may use of one API.
enum twoleg_error verb_entity_scopes_add(struct round *round, enum verb_entity_kind kind,
                                         const struct verb_entity *head,
                                         const struct application_api *link) TWOLEG_MUST_CHECK;
// The API must be one of the given account's, or the operator says so.
enum twoleg_error verb_application_api_add(struct round *round, uint64_t account,
                                           const struct verb_entity *head,
                                           const struct application_api *link) TWOLEG_MUST_CHECK;
enum twoleg_error verb_secret_add(struct round *round, const struct verb_entity *head,
                                  const struct secret *secret) TWOLEG_MUST_CHECK;
// A slice of the families that expired before; round->purged.more: there may be others.
enum twoleg_error verb_refresh_purge(struct round *round, int64_t before_us) TWOLEG_MUST_CHECK;
// NULL, which leaves a column as it is, unless a value is given.
void verb_bind_field(struct statement *update, bool given, int64_t value);
void verb_bind_text(struct statement *update, bool given, struct str value);
// Runs a statement of parameters (number) or (number, number).
enum twoleg_error verb_simple(struct round *round, enum statement_id id,
                              uint64_t first) TWOLEG_MUST_CHECK;
enum twoleg_error verb_simple_two(struct round *round, enum statement_id id, uint64_t first,
                                  uint64_t second) TWOLEG_MUST_CHECK;

enum twoleg_error verb_application_create(struct round *round,
                                          const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_application_update(struct round *round,
                                          const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_application_delete(struct round *round,
                                          const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_application_api_set(struct round *round,
                                           const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_secret_create(struct round *round,
                                     const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_secret_remove(struct round *round,
                                     const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_secret_used(struct round *round,
                                   const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_api_create(struct round *round,
                                  const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_api_rename_default(struct round *round,
                                          const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_scope_create(struct round *round,
                                    const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_scope_remove(struct round *round,
                                    const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_token_revoke(struct round *round,
                                    const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_credential_revoke(struct round *round,
                                         const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_revocations_purge(struct round *round,
                                         const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_key_create(struct round *round,
                                  const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_key_state(struct round *round,
                                 const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_key_rewrap(struct round *round,
                                  const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_setting_set(struct round *round,
                                   const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_token_add(struct round *round,
                                 const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_token_replace(struct round *round,
                                     const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_tokens_purge(struct round *round,
                                    const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_audit(struct round *round, const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_user_create(struct round *round,
                                   const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_user_update(struct round *round,
                                   const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_user_delete(struct round *round,
                                   const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_refresh_add(struct round *round,
                                   const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_refresh_rotate(struct round *round,
                                      const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_refresh_note(struct round *round,
                                    const struct store_verb *verb) TWOLEG_MUST_CHECK;
enum twoleg_error verb_refresh_revoke(struct round *round,
                                      const struct store_verb *verb) TWOLEG_MUST_CHECK;
