// SPDX-License-Identifier: Apache-2.0
// Refresh tokens as text: prefix, base64url of the family's number and 32 bytes, checksum. The
// store keeps the SHA-256 of it. The first token of a family is random; each later one is derived
// from the one before, so that a client whose answer was lost can be given the same one again
// though nothing readable was kept.
#pragma once
#include "base/arena.h"
#include "crypto/hash.h"
#include "keyring/keyring.h"

#define REFRESH_TEXT_MAX 96

struct refresh_token {
    size_t len;
    char text[REFRESH_TEXT_MAX]; // whoever frees it wipes it
};

static inline struct str refresh_token_str(const struct refresh_token *token)
{
    return str_of(token->text, token->len);
}

// NO_RANDOM.
enum twoleg_error refresh_token_first(struct env *env, struct str prefix, uint64_t family,
                                      struct refresh_token *ret_token) TWOLEG_MUST_CHECK;
// The one that follows the token with this hash, under a key of KEY_SECRET.
void refresh_token_next(const struct data_key *key, struct str prefix, uint64_t family,
                        const struct sha256 *shown, struct refresh_token *ret_token);
// False: no text of ours. Whether there is such a family, and this token is its present one, is
// the store's to say.
bool refresh_token_read(struct str text, struct str prefix, uint64_t *ret_family);
