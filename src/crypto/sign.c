// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "base/fault.h"
#include "crypto/key.h"
#include "crypto/library_memory.h"
#include "crypto/random.h"

enum twoleg_error signer_create(const struct sign_key *key, struct signer **ret_signer)
{
    LIBRARY_SECRET secret = library_secret_begin(); // a copy of the key is in it
    struct signer *signer = fault_here(FAULT_MEMORY) ? NULL : OPENSSL_zalloc(sizeof *signer);
    if (!signer)
        return TWOLEG_NO_MEMORY;
    signer->algorithm = key->algorithm;
    if (!key_kind_of(key->algorithm)->prepare_sign(key, signer)) {
        ERR_clear_error();
        signer_free(&signer);
        return TWOLEG_NO_MEMORY; // nothing else can fail with a key that was read
    }
    *ret_signer = signer;
    return TWOLEG_NONE;
}

size_t signer_signature_len(const struct signer *signer)
{
    return signer->signature_len;
}

enum twoleg_error signer_sign(struct signer *signer, struct str message,
                              struct signature *ret_signature)
{
    if (key_kind_of(signer->algorithm)->sign(signer, message, ret_signature->bytes)) {
        ret_signature->len = signer->signature_len;
        return TWOLEG_NONE;
    }
    ERR_clear_error();
    return random_has_failed() ? TWOLEG_NO_RANDOM : TWOLEG_INTERNAL;
}

void signer_free(struct signer **signer)
{
    if (!signer || !*signer)
        return;
    EVP_PKEY_CTX_free((*signer)->context);
    OPENSSL_clear_free(*signer, sizeof **signer);
    *signer = NULL;
}

enum twoleg_error verifier_create(const struct verify_key *key, struct verifier_ctx **ret_verifier)
{
    struct verifier_ctx *verifier = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *verifier);
    if (!verifier)
        return TWOLEG_NO_MEMORY;
    verifier->algorithm = key->algorithm;
    if (!key_kind_of(key->algorithm)->prepare_check(key, verifier)) {
        ERR_clear_error();
        verifier_free(&verifier);
        return TWOLEG_NO_MEMORY;
    }
    *ret_verifier = verifier;
    return TWOLEG_NONE;
}

const struct sign_algorithm *verifier_algorithm(const struct verifier_ctx *verifier)
{
    return verifier->algorithm;
}

enum twoleg_error verifier_check(struct verifier_ctx *verifier, struct str message,
                                 struct str signature)
{
    const struct key_kind *kind = key_kind_of(verifier->algorithm);
    if (signature.len != verifier->signature_len)
        return TWOLEG_TOKEN_FORGED;
    int result = kind->check(verifier, message, (const uint8_t *)signature.ptr);
    if (result == 1)
        return TWOLEG_NONE;
    return library_lacked_memory() || result < 0 ? TWOLEG_NO_MEMORY : TWOLEG_TOKEN_FORGED;
}

void verifier_free(struct verifier_ctx **verifier)
{
    if (!verifier || !*verifier)
        return;
    EVP_PKEY_CTX_free((*verifier)->context);
    free(*verifier);
    *verifier = NULL;
}
