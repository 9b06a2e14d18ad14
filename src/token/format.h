// SPDX-License-Identifier: Apache-2.0
// The table of token formats behind token.h.
#pragma once
#include "token/token.h"

// A genuine token's content; expiry, revocation and the rest are not looked at.
typedef enum twoleg_error token_format_issue(const struct token_context *context,
                                             const struct decision *decision,
                                             const struct token_record *record,
                                             struct arena *arena, struct str *ret_text);
typedef enum twoleg_error token_format_read(const struct token_context *context, struct str text,
                                            struct arena *arena, struct token_record *ret_record);

token_format_issue token_jwt_issue, token_sealed_issue;
token_format_read token_jwt_read, token_sealed_read;

// A JWT before its signature. The key is good until the loop turn ends; claims lie in the arena.
struct jwt_draft {
    const struct signing_key *key;
    struct str claims;
};
enum twoleg_error token_jwt_draft(const struct token_context *context,
                                  const struct decision *decision,
                                  const struct token_record *record, struct arena *arena,
                                  struct jwt_draft *ret_draft) TWOLEG_MUST_CHECK;

// What a new token of this decision says. NO_RANDOM.
enum twoleg_error token_record_make(const struct token_context *context,
                                    const struct decision *decision,
                                    struct token_record *ret_record) TWOLEG_MUST_CHECK;

// A token of the request that it was made for. It is said to have all of its life, also when a
// second began while its row or its signature was waited for: callers compare with what is
// documented, and the end is rounded down to whole seconds anyway.
struct issued_token token_issued(const struct token_record *record,
                                 const struct decision *decision, struct str text);

// Is a token with this record, made a while ago, what the decision asks for now?
bool token_record_holds(const struct token_record *record, const struct decision *decision);

// Text and key of a reference whose record is made but for its id. From a seed, which is secret, it
// is the same each time.
enum twoleg_error token_reference_spell(const struct token_context *context,
                                        const struct decision *decision, const struct sha256 *seed,
                                        struct token_reference *token) TWOLEG_MUST_CHECK;

// known: what the store was asked for already; may be NULL. TWOLEG_WAIT: the store must be asked.
enum twoleg_error token_reference_read(const struct token_context *context, struct str text,
                                       const struct token_known *known, struct arena *arena,
                                       struct token_record *ret_record) TWOLEG_MUST_CHECK;

void token_jwt_write_id(const struct token_record *record, struct buf *out);

// What reading a token has cost before. A hit says only that these bytes were once verified under a
// key of the set with this serial, or stood in the store; the gate runs all the same.
#define TOKEN_CACHE_ROW UINT64_MAX // the serial of what came from a row: that never changes
bool token_cache_find(const struct token_cache *cache, struct str text, uint64_t keys,
                      struct arena *arena, struct token_record *ret_record);
void token_cache_put(struct token_cache *cache, struct str text, uint64_t keys,
                     const struct token_record *record);
