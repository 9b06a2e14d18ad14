// SPDX-License-Identifier: Apache-2.0
// Tokens whose signature is made on the pool.
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/refusal.h"
#include "crypto/wipe.h"
#include "token/format.h"

struct token_slow {
    struct signer *signer;
    struct jws_header header;
    struct token_record record; // its scope lies in memory
    struct str ext;
    struct str claims;
    struct buf text; // the token, once it is signed
    char memory[];   // scope, ext, claims, token
};

static struct str slow_copy(struct str text, char **at)
{
    char *to = *at;
    if (text.len)
        memcpy(to, text.ptr, text.len);
    *at += text.len;
    return str_of(to, text.len);
}

static enum twoleg_error slow_make(const struct jwt_draft *draft,
                                   const struct token_record *record, struct str ext,
                                   struct token_slow **ret_slow)
{
    struct signer *signer;
    enum twoleg_error error = signer_create(draft->key->private_key, &signer);
    if (error)
        return error;
    size_t size = jws_size(&draft->key->header, signer_signature_len(signer), draft->claims.len);
    struct token_slow *slow =
        fault_here(FAULT_MEMORY)
            ? NULL
            : malloc(sizeof *slow + record->scope.len + ext.len + draft->claims.len + size);
    if (!slow) {
        signer_free(&signer);
        return TWOLEG_NO_MEMORY;
    }
    char *at = slow->memory;
    slow->signer = signer;
    slow->header = draft->key->header;
    slow->record = *record;
    slow->record.scope = slow_copy(record->scope, &at);
    slow->ext = slow_copy(ext, &at);
    slow->claims = slow_copy(draft->claims, &at);
    buf_init(&slow->text, at, size);
    *ret_slow = slow;
    return TWOLEG_NONE;
}

enum twoleg_error token_slow_create(const struct token_context *context,
                                    const struct decision *decision, struct arena *arena,
                                    struct token_slow **ret_slow)
{
    struct token_record record;
    struct jwt_draft draft;
    if (decision->format != FORMAT_JWT)
        return REFUSE(TWOLEG_INTERNAL);
    enum twoleg_error error = token_record_make(context, decision, &record);
    if (!error)
        error = token_jwt_draft(context, decision, &record, arena, &draft);
    return error ? error : slow_make(&draft, &record, decision->ext, ret_slow);
}

enum twoleg_error token_slow_sign(struct token_slow *slow)
{
    return jws_write(&slow->header, slow->signer, slow->claims, &slow->text);
}

// The key that signed it still signs; each key has its own header.
static bool slow_key_signs(const struct token_context *context, const struct decision *decision,
                           const struct token_slow *slow)
{
    const struct signing_key *key =
        keyring_signing(keyring_current(context->keyring), decision->api->algorithm);
    return key && !keyring_stale(context->keyring) &&
           str_equal(str_of(key->header.text, key->header.len),
                     str_of(slow->header.text, slow->header.len));
}

enum twoleg_error token_slow_take(const struct token_context *context,
                                  const struct decision *decision, const struct token_slow *slow,
                                  struct issued_token *ret_token)
{
    if (decision->format != FORMAT_JWT || !token_record_holds(&slow->record, decision) ||
        !str_equal(slow->ext, decision->ext) ||
        !slow_key_signs(context, decision, slow))
        return TWOLEG_NOT_FOUND;
    *ret_token = token_issued(&slow->record, decision, buf_str(&slow->text));
    return TWOLEG_NONE;
}

void token_slow_free(struct token_slow **slow)
{
    if (!slow || !*slow)
        return;
    signer_free(&(*slow)->signer);
    wipe((*slow)->text.ptr, (*slow)->text.len);
    free(*slow);
    *slow = NULL;
}
