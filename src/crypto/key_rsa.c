// SPDX-License-Identifier: Apache-2.0
// RSA with SHA-256: RS256 (RFC 7518 3.3) and PS256 (3.5).
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/key.h"

#define RSA_BITS 2048 // of keys that we make
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_EXPONENT_MIN 65537
#define RSA_EXPONENT_SIZE 4

static EVP_PKEY *rsa_generate(const struct sign_algorithm *algorithm)
{
    (void)algorithm;
    return EVP_RSA_gen(RSA_BITS);
}

// A number without leading zeros that is odd: modulus and exponent both are.
static bool rsa_odd(const struct public_member *number)
{
    return number->len > 0 && number->len <= sizeof number->bytes && number->bytes[0] != 0 &&
           (number->bytes[number->len - 1] & 1);
}

// Not the library's own check: it tests that the modulus is no prime, for 4 ms, and what it leaves
// open (that it has two large factors) nobody can see.
static bool rsa_good(const struct public_key *key)
{
    const struct public_member *n = &key->first, *e = &key->second;
    uint64_t exponent = 0;
    if (!rsa_odd(n) || !rsa_odd(e) || e->len > RSA_EXPONENT_SIZE)
        return false;
    for (size_t i = 0; i < e->len; i++)
        exponent = exponent << 8 | e->bytes[i];
    size_t bits = 8 * n->len;
    for (uint8_t top = n->bytes[0]; !(top & 0x80); top = (uint8_t)(top << 1))
        bits--;
    return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && exponent >= RSA_EXPONENT_MIN;
}

static bool rsa_read(const struct sign_algorithm *algorithm, const EVP_PKEY *pkey,
                     struct public_key *ret_key)
{
    (void)algorithm;
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA &&
           key_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, &ret_key->first) &&
           key_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, &ret_key->second) && rsa_good(ret_key);
}

static bool rsa_prepare(EVP_PKEY_CTX *context, const struct sign_algorithm *algorithm)
{
    bool pss = algorithm->kind == SIGN_RSA_PSS;
    return EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING
                                                     : RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
           (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

// One signature that verifies shows it, in 1 ms; the library's check proves the primes anew, for
// 40 ms, whenever keys are read.
static bool rsa_private_good(EVP_PKEY *pkey)
{
    static const uint8_t hash[SHA256_SIZE];
    uint8_t signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    KEY_CONTEXT signer = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    KEY_CONTEXT verifier = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    return signer && verifier && EVP_PKEY_sign_init(signer) == 1 &&
           EVP_PKEY_sign(signer, signature, &len, hash, sizeof hash) == 1 &&
           EVP_PKEY_verify_init(verifier) == 1 &&
           EVP_PKEY_verify(verifier, signature, len, hash, sizeof hash) == 1;
}

static void rsa_numbers_free(BIGNUM *(*numbers)[2])
{
    BN_free((*numbers)[0]);
    BN_free((*numbers)[1]);
}

static EVP_PKEY *rsa_build(const struct sign_algorithm *algorithm, const struct public_key *key)
{
    (void)algorithm;
    if (!rsa_good(key))
        return NULL;
    __attribute__((cleanup(rsa_numbers_free))) BIGNUM *numbers[2] = {
        BN_bin2bn(key->first.bytes, (int)key->first.len, NULL),
        BN_bin2bn(key->second.bytes, (int)key->second.len, NULL)};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;
    if (build && numbers[0] && numbers[1] &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, numbers[0]) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, numbers[1]) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    KEY_CONTEXT maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (maker && params && EVP_PKEY_fromdata_init(maker) == 1 &&
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

// The context shares the key: a copy would have to work out anew, for each signature, what the
// library keeps with the key.
static bool rsa_prepare_sign(const struct sign_key *key, struct signer *signer)
{
    signer->signature_len = key->public_key.first.len;
    signer->context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    return signer->context && EVP_PKEY_sign_init(signer->context) == 1 &&
           rsa_prepare(signer->context, key->algorithm);
}

static bool rsa_sign(struct signer *signer, struct str message,
                     uint8_t ret_signature[SIGNATURE_MAX])
{
    struct sha256 hash = sha256(message);
    size_t len = SIGNATURE_MAX;
    return EVP_PKEY_sign(signer->context, ret_signature, &len, hash.bytes, SHA256_SIZE) == 1 &&
           len == signer->signature_len;
}

static bool rsa_prepare_check(const struct verify_key *key, struct verifier_ctx *verifier)
{
    verifier->signature_len = key->public_key.first.len;
    verifier->context = key_context(key->pkey);
    return verifier->context && EVP_PKEY_verify_init(verifier->context) == 1 &&
           rsa_prepare(verifier->context, key->algorithm);
}

static int rsa_check(struct verifier_ctx *verifier, struct str message, const uint8_t *signature)
{
    struct sha256 hash = sha256(message);
    return EVP_PKEY_verify(verifier->context, signature, verifier->signature_len, hash.bytes,
                           sizeof hash.bytes);
}

const struct key_kind key_kind_rsa = {
    .generate = rsa_generate,
    .open = key_decode,
    .read = rsa_read,
    .private_good = rsa_private_good,
    .build = rsa_build,
    .prepare_sign = rsa_prepare_sign,
    .sign = rsa_sign,
    .prepare_check = rsa_prepare_check,
    .check = rsa_check,
};
