// SPDX-License-Identifier: Apache-2.0
// The one token of an application, or of a user at it, that the next one takes the place of. Its
// row is found by whose it is; its text is derived from a nonce in that row, so that whoever asked
// at the same moment can be given the same:
//
//   seed    MAC(key, "replace" | application | subject | nonce)
#include "base/refusal.h"
#include "crypto/compare.h"
#include "crypto/wipe.h"
#include "token/format.h"

static enum twoleg_error sole_spell(const struct token_context *context,
                                    const struct decision *decision,
                                    const struct token_nonce *nonce, struct token_reference *token)
{
    const struct data_key *key = keyring_active(keyring_current(context->keyring), KEY_JTI);
    if (!key)
        return REFUSE(TWOLEG_INTERNAL);
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("replace"));
    mac_add_u64(&state, token->record.application);
    mac_add_u64(&state, token->record.subject);
    mac_add(&state, str_of(nonce->bytes, sizeof nonce->bytes));
    struct sha256 seed = mac_end(&state);
    enum twoleg_error error = token_reference_spell(context, decision, &seed, token);
    wipe(&seed, sizeof seed);
    return error;
}

enum twoleg_error token_sole_make(const struct token_context *context,
                                  const struct decision *decision, struct token_nonce *ret_nonce,
                                  struct token_reference *ret_token)
{
    struct token_nonce nonce;
    if (decision->format != FORMAT_REFERENCE)
        return REFUSE(TWOLEG_INTERNAL);
    enum twoleg_error error = token_record_make(context, decision, &ret_token->record);
    if (error)
        return error;
    if (!env_random(context->env, nonce.bytes, sizeof nonce.bytes))
        return TWOLEG_NO_RANDOM;
    error = sole_spell(context, decision, &nonce, ret_token);
    if (!error)
        *ret_nonce = nonce;
    return error;
}

// Of another shape, or made under a key that is retired by now, it is spelt otherwise.
enum twoleg_error token_sole_find(const struct token_context *context,
                                  const struct decision *decision,
                                  const struct store_token_sole *found,
                                  struct token_reference *ret_token)
{
    if (keyring_stale(context->keyring))
        return REFUSE(TWOLEG_STORE_FAILED);
    if (registry_token_revoked(context->registry, &found->record.id) ||
        !token_record_holds(&found->record, decision))
        return TWOLEG_NOT_FOUND;
    ret_token->record = found->record;
    enum twoleg_error error = sole_spell(context, decision, &found->nonce, ret_token);
    if (error)
        return error;
    return secret_equal(ret_token->key.hash.bytes, found->hash.bytes, SHA256_SIZE)
               ? TWOLEG_NONE
               : TWOLEG_NOT_FOUND;
}
