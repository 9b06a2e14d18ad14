// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032 5.1, RFC 8037). OpenSSL makes the keys and their PKCS#8; libsodium signs and
// checks: its check refuses an s that is not reduced and keys of small order, and both are calls
// without a context.
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "crypto/key.h"

_Static_assert(crypto_sign_PUBLICKEYBYTES == OKP_KEY_SIZE, "an Ed25519 key");
_Static_assert(crypto_sign_SECRETKEYBYTES == 2 * OKP_KEY_SIZE, "the seed and the public key");

static EVP_PKEY *okp_generate(const struct sign_algorithm *algorithm)
{
    (void)algorithm;
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static bool okp_read(const struct sign_algorithm *algorithm, const EVP_PKEY *pkey,
                     struct public_key *ret_key)
{
    ret_key->first.len = algorithm->coordinate_len;
    ret_key->second.len = 0;
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519 &&
           EVP_PKEY_get_raw_public_key(pkey, ret_key->first.bytes, &ret_key->first.len) == 1 &&
           ret_key->first.len == algorithm->coordinate_len;
}

// The public half was worked out from the private one.
static bool okp_private_good(EVP_PKEY *pkey)
{
    (void)pkey;
    return true;
}

static EVP_PKEY *okp_build(const struct sign_algorithm *algorithm, const struct public_key *key)
{
    if (key->first.len != algorithm->coordinate_len || key->second.len != 0 ||
        crypto_core_ed25519_is_valid_point(key->first.bytes) != 1)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->first.bytes, key->first.len);
}

static bool okp_prepare_sign(const struct sign_key *key, struct signer *signer)
{
    uint8_t seed[OKP_KEY_SIZE];
    size_t len = sizeof seed;
    uint8_t public_bytes[OKP_KEY_SIZE];
    bool good = EVP_PKEY_get_raw_private_key(key->pkey, seed, &len) == 1 && len == sizeof seed &&
                crypto_sign_seed_keypair(public_bytes, signer->seed_and_public, seed) == 0;
    sodium_memzero(seed, sizeof seed);
    signer->signature_len = key->algorithm->signature_len;
    return good && memcmp(public_bytes, key->public_key.first.bytes, sizeof public_bytes) == 0;
}

static bool okp_sign(struct signer *signer, struct str message,
                     uint8_t ret_signature[SIGNATURE_MAX])
{
    return crypto_sign_detached(ret_signature, NULL, (const uint8_t *)message.ptr, message.len,
                                signer->seed_and_public) == 0;
}

static bool okp_prepare_check(const struct verify_key *key, struct verifier_ctx *verifier)
{
    verifier->signature_len = key->algorithm->signature_len;
    memcpy(verifier->okp, key->public_key.first.bytes, sizeof verifier->okp);
    return true;
}

static int okp_check(struct verifier_ctx *verifier, struct str message, const uint8_t *signature)
{
    return crypto_sign_verify_detached(signature, (const uint8_t *)message.ptr, message.len,
                                       verifier->okp) == 0;
}

const struct key_kind key_kind_okp = {
    .generate = okp_generate,
    .open = key_decode,
    .read = okp_read,
    .private_good = okp_private_good,
    .build = okp_build,
    .prepare_sign = okp_prepare_sign,
    .sign = okp_sign,
    .prepare_check = okp_prepare_check,
    .check = okp_check,
};
