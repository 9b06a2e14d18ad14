// SPDX-License-Identifier: Apache-2.0
// ECDSA over a curve of the table, with SHA-256 (RFC 7518 3.4).
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <string.h>

#include "crypto/ec_private.h"
#include "crypto/ecdsa_der.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/wipe.h"

#define EC_UNCOMPRESSED 0x04 // SEC 1 2.3.3

static EVP_PKEY *ec_generate(const struct sign_algorithm *algorithm)
{
    return EVP_EC_gen(algorithm->group);
}

static bool ec_read(const struct sign_algorithm *algorithm, const EVP_PKEY *pkey,
                    struct public_key *ret_key)
{
    char group[64];
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
           strcmp(group, algorithm->group) == 0 &&
           key_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, algorithm->coordinate_len,
                      &ret_key->first) &&
           key_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, algorithm->coordinate_len,
                      &ret_key->second);
}

static bool ec_private_good(EVP_PKEY *pkey)
{
    KEY_CONTEXT context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    return context && EVP_PKEY_check(context) == 1;
}

// An uncompressed point, and the private number behind it or NULL. The library checks that the
// point is on the curve.
static EVP_PKEY *ec_make(const struct sign_algorithm *algorithm, const uint8_t *point,
                         const uint8_t *number)
{
    size_t len = algorithm->coordinate_len;
    char group[64] = {0};
    memcpy(group, algorithm->group, strnlen(algorithm->group, sizeof group - 1));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, 1 + 2 * len),
        number ? OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, (void *)number, len)
               : OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    KEY_CONTEXT maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    int parts = number ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (!maker || EVP_PKEY_fromdata_init(maker) != 1 ||
        EVP_PKEY_fromdata(maker, &pkey, parts, params) != 1)
        return NULL;
    return pkey;
}

// Not by the library's decoders: each start would look for all that there are first, a fifth of
// what it takes.
static EVP_PKEY *ec_open(const struct sign_algorithm *algorithm, const PKCS8_PRIV_KEY_INFO *pkcs8)
{
    uint8_t point[1 + 2 * EC_COORDINATE_SIZE], number[EC_COORDINATE_SIZE];
    EVP_PKEY *pkey = NULL;
    if (ec_private_read(algorithm->group, pkcs8, algorithm->coordinate_len, point, number))
        pkey = ec_make(algorithm, point, number);
    wipe(number, sizeof number);
    return pkey;
}

// Behind the library's own check, this one says that it is none of small order and not the one at
// infinity.
static EVP_PKEY *ec_build(const struct sign_algorithm *algorithm, const struct public_key *key)
{
    size_t len = algorithm->coordinate_len;
    uint8_t encoded[1 + 2 * EC_COORDINATE_SIZE];
    if (key->first.len != len || key->second.len != len)
        return NULL;
    encoded[0] = EC_UNCOMPRESSED;
    memcpy(encoded + 1, key->first.bytes, len);
    memcpy(encoded + 1 + len, key->second.bytes, len);
    EVP_PKEY *pkey = ec_make(algorithm, encoded, NULL);
    if (!pkey)
        return NULL;
    KEY_CONTEXT checker = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (checker && EVP_PKEY_public_check(checker) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static bool ec_prepare_sign(const struct sign_key *key, struct signer *signer)
{
    signer->signature_len = key->algorithm->signature_len;
    signer->context = key_context(key->pkey);
    return signer->context && EVP_PKEY_sign_init(signer->context) == 1;
}

static bool ec_sign(struct signer *signer, struct str message,
                    uint8_t ret_signature[SIGNATURE_MAX])
{
    struct sha256 hash = sha256(message);
    uint8_t der[ECDSA_DER_MAX];
    size_t len = sizeof der;
    return EVP_PKEY_sign(signer->context, der, &len, hash.bytes, sizeof hash.bytes) == 1 &&
           ecdsa_raw_from_der(str_of(der, len), signer->algorithm->coordinate_len, ret_signature);
}

static bool ec_prepare_check(const struct verify_key *key, struct verifier_ctx *verifier)
{
    verifier->signature_len = key->algorithm->signature_len;
    verifier->context = key_context(key->pkey);
    return verifier->context && EVP_PKEY_verify_init(verifier->context) == 1;
}

// 1 <= number < order, both big-endian. The library checks it too; CVE-2022-21449 is what happens
// when everybody leaves that to somebody else.
static bool ec_in_range(const uint8_t *number, const uint8_t *order, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= number[i];
    return any != 0 && memcmp(number, order, len) < 0;
}

static int ec_check(struct verifier_ctx *verifier, struct str message, const uint8_t *signature)
{
    const struct sign_algorithm *algorithm = verifier->algorithm;
    size_t len = algorithm->coordinate_len;
    if (!ec_in_range(signature, algorithm->order, len) ||
        !ec_in_range(signature + len, algorithm->order, len))
        return 0;
    uint8_t der[ECDSA_DER_MAX];
    size_t der_len = ecdsa_der_from_raw(signature, len, der);
    struct sha256 hash = sha256(message);
    return EVP_PKEY_verify(verifier->context, der, der_len, hash.bytes, sizeof hash.bytes);
}

const struct key_kind key_kind_ec = {
    .generate = ec_generate,
    .open = ec_open,
    .read = ec_read,
    .private_good = ec_private_good,
    .build = ec_build,
    .prepare_sign = ec_prepare_sign,
    .sign = ec_sign,
    .prepare_check = ec_prepare_check,
    .check = ec_check,
};
