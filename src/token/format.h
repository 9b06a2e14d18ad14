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

void token_jwt_write_id(const struct token_record *record, struct buf *out);

// The signature cache behind token_jwt_read. A hit says only that these bytes were once verified
// under a key of the set with this serial; the gate runs all the same.
bool jwt_cache_find(const struct jwt_cache *cache, struct str text, uint64_t keys,
                    struct arena *arena, struct token_record *ret_record);
void jwt_cache_put(struct jwt_cache *cache, struct str text, uint64_t keys,
                   const struct token_record *record);
