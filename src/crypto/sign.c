// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypto/ecdsa_der.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/random.h"

// Both hold a context that was prepared once: preparing it for each message would fetch the
// algorithm anew and double the cost of a signature.
struct signer {
    const struct sign_algorithm *algorithm;
    EVP_PKEY_CTX *context;
};

struct verifier_ctx {
    const struct sign_algorithm *algorithm;
    EVP_PKEY_CTX *context;
};

enum twoleg_error signer_create(const struct sign_key *key, struct signer **ret_signer)
{
    EVP_PKEY_CTX *context = key_context(key->pkey);
    if (!context)
        return TWOLEG_NO_MEMORY;
    struct signer *signer = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *signer);
    if (!signer || EVP_PKEY_sign_init(context) != 1) {
        enum twoleg_error error = signer ? TWOLEG_INTERNAL : TWOLEG_NO_MEMORY;
        free(signer);
        EVP_PKEY_CTX_free(context);
        ERR_clear_error();
        return error;
    }
    *signer = (struct signer){key->algorithm, context};
    *ret_signer = signer;
    return TWOLEG_NONE;
}

const struct sign_algorithm *signer_algorithm(const struct signer *signer)
{
    return signer->algorithm;
}

enum twoleg_error signer_sign(struct signer *signer, struct str message,
                              struct signature *ret_signature)
{
    struct sha256 hash = sha256(message);
    uint8_t der[ECDSA_DER_MAX];
    size_t len = sizeof der;
    if (EVP_PKEY_sign(signer->context, der, &len, hash.bytes, sizeof hash.bytes) != 1) {
        ERR_clear_error();
        return random_has_failed() ? TWOLEG_NO_RANDOM : TWOLEG_INTERNAL;
    }
    const struct sign_algorithm *algorithm = signer->algorithm;
    if (!ecdsa_raw_from_der(str_of(der, len), algorithm->coordinate_len, ret_signature->bytes))
        return TWOLEG_INTERNAL;
    ret_signature->len = algorithm->signature_len;
    return TWOLEG_NONE;
}

void signer_free(struct signer **signer)
{
    if (!signer || !*signer)
        return;
    EVP_PKEY_CTX_free((*signer)->context);
    free(*signer);
    *signer = NULL;
}

enum twoleg_error verifier_create(const struct verify_key *key, struct verifier_ctx **ret_verifier)
{
    EVP_PKEY_CTX *context = key_context(key->pkey);
    if (!context)
        return TWOLEG_NO_MEMORY;
    struct verifier_ctx *verifier = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *verifier);
    if (!verifier || EVP_PKEY_verify_init(context) != 1) {
        enum twoleg_error error = verifier ? TWOLEG_INTERNAL : TWOLEG_NO_MEMORY;
        free(verifier);
        EVP_PKEY_CTX_free(context);
        ERR_clear_error();
        return error;
    }
    *verifier = (struct verifier_ctx){key->algorithm, context};
    *ret_verifier = verifier;
    return TWOLEG_NONE;
}

const struct sign_algorithm *verifier_algorithm(const struct verifier_ctx *verifier)
{
    return verifier->algorithm;
}

// 1 <= number < order, both big-endian. The library checks it too; CVE-2022-21449 is what happens
// when everybody leaves that to somebody else.
static bool verifier_in_range(const uint8_t *number, const uint8_t *order, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= number[i];
    return any != 0 && memcmp(number, order, len) < 0;
}

enum twoleg_error verifier_check(struct verifier_ctx *verifier, struct str message,
                                 struct str signature)
{
    const struct sign_algorithm *algorithm = verifier->algorithm;
    const uint8_t *raw = (const uint8_t *)signature.ptr;
    size_t len = algorithm->coordinate_len;
    if (signature.len != algorithm->signature_len ||
        !verifier_in_range(raw, algorithm->order, len) ||
        !verifier_in_range(raw + len, algorithm->order, len))
        return TWOLEG_TOKEN_FORGED;
    uint8_t der[ECDSA_DER_MAX];
    size_t der_len = ecdsa_der_from_raw(raw, len, der);
    struct sha256 hash = sha256(message);
    if (EVP_PKEY_verify(verifier->context, der, der_len, hash.bytes, sizeof hash.bytes) == 1)
        return TWOLEG_NONE;
    ERR_clear_error();
    return TWOLEG_TOKEN_FORGED;
}

void verifier_free(struct verifier_ctx **verifier)
{
    if (!verifier || !*verifier)
        return;
    EVP_PKEY_CTX_free((*verifier)->context);
    free(*verifier);
    *verifier = NULL;
}
