// SPDX-License-Identifier: Apache-2.0
#include "crypto/key.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypto/random.h"

#define KEY_UNCOMPRESSED 0x04 // SEC 1 2.3.3

static void key_pkey_free(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static void key_context_free(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void key_pkcs8_free(PKCS8_PRIV_KEY_INFO **pkcs8)
{
    PKCS8_PRIV_KEY_INFO_free(*pkcs8); // wipes the key in it
}

#define KEY_PKEY __attribute__((cleanup(key_pkey_free))) EVP_PKEY *
#define KEY_CONTEXT __attribute__((cleanup(key_context_free))) EVP_PKEY_CTX *
#define KEY_PKCS8 __attribute__((cleanup(key_pkcs8_free))) PKCS8_PRIV_KEY_INFO *

// The library queues the reasons of each failure per thread; nobody reads them, so they must not
// pile up.
static enum twoleg_error key_refused(enum twoleg_error error)
{
    ERR_clear_error();
    return error;
}

static bool key_coordinate(const EVP_PKEY *pkey, const char *name, uint8_t *ret, size_t len)
{
    BIGNUM *number = NULL;
    bool fits = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
                BN_bn2binpad(number, ret, (int)len) == (int)len;
    BN_free(number);
    return fits;
}

static bool key_read_point(const EVP_PKEY *pkey, struct ec_point *ret_point)
{
    return key_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, ret_point->x, sizeof ret_point->x) &&
           key_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, ret_point->y, sizeof ret_point->y);
}

// Type and curve are the row's, and the key's parts belong together.
static bool key_matches(const struct sign_algorithm *algorithm, EVP_PKEY *pkey)
{
    char group[64];
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1 ||
        strcmp(group, algorithm->group) != 0)
        return false;
    KEY_CONTEXT context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    return context && EVP_PKEY_check(context) == 1;
}

// Takes the key over on success only.
static enum twoleg_error sign_key_wrap(const struct sign_algorithm *algorithm, EVP_PKEY **pkey,
                                       struct sign_key **ret_key)
{
    struct ec_point point;
    if (!key_read_point(*pkey, &point))
        return key_refused(TWOLEG_INTERNAL);
    struct sign_key *key = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *key);
    if (!key)
        return TWOLEG_NO_MEMORY;
    *key = (struct sign_key){algorithm, *pkey, point};
    *pkey = NULL;
    *ret_key = key;
    return TWOLEG_NONE;
}

enum twoleg_error sign_key_create(const struct sign_algorithm *algorithm,
                                  struct sign_key **ret_key)
{
    KEY_PKEY pkey = EVP_EC_gen(algorithm->group);
    if (!pkey)
        return key_refused(random_has_failed() ? TWOLEG_NO_RANDOM : TWOLEG_INTERNAL);
    return sign_key_wrap(algorithm, &pkey, ret_key);
}

enum twoleg_error sign_key_from_der(const struct sign_algorithm *algorithm, struct str der,
                                    struct sign_key **ret_key)
{
    const uint8_t *at = (const uint8_t *)der.ptr;
    if (der.len == 0 || der.len > SIGN_KEY_DER_MAX)
        return TWOLEG_MALFORMED;
    KEY_PKCS8 pkcs8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    if (!pkcs8 || at != (const uint8_t *)der.ptr + der.len)
        return key_refused(TWOLEG_MALFORMED);
    KEY_PKEY pkey = EVP_PKCS82PKEY(pkcs8);
    if (!pkey || !key_matches(algorithm, pkey))
        return key_refused(TWOLEG_MALFORMED);
    return sign_key_wrap(algorithm, &pkey, ret_key);
}

enum twoleg_error sign_key_to_der(const struct sign_key *key, struct buf *out)
{
    KEY_PKCS8 pkcs8 = EVP_PKEY2PKCS8(key->pkey);
    int len = pkcs8 ? i2d_PKCS8_PRIV_KEY_INFO(pkcs8, NULL) : -1;
    if (len <= 0 || len > SIGN_KEY_DER_MAX)
        return key_refused(TWOLEG_INTERNAL);
    uint8_t *at = (uint8_t *)buf_reserve(out, (size_t)len);
    if (!at)
        return TWOLEG_TOO_LONG;
    if (i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &at) == len)
        return TWOLEG_NONE;
    out->len -= (size_t)len;
    return key_refused(TWOLEG_INTERNAL);
}

struct ec_point sign_key_point(const struct sign_key *key)
{
    return key->point;
}

void sign_key_free(struct sign_key **key)
{
    if (!key || !*key)
        return;
    EVP_PKEY_free((*key)->pkey); // wipes the private number
    free(*key);
    *key = NULL;
}

// The library checks that the point is on the curve when it takes it in, and the check behind it
// that it is none of small order and not the one at infinity.
static EVP_PKEY *key_from_point(const struct sign_algorithm *algorithm,
                                const struct ec_point *point)
{
    uint8_t encoded[1 + sizeof *point];
    encoded[0] = KEY_UNCOMPRESSED;
    memcpy(encoded + 1, point->x, sizeof point->x);
    memcpy(encoded + 1 + sizeof point->x, point->y, sizeof point->y);
    char group[64] = {0};
    memcpy(group, algorithm->group, strnlen(algorithm->group, sizeof group - 1));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof encoded),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    KEY_CONTEXT maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (!maker || EVP_PKEY_fromdata_init(maker) != 1 ||
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    KEY_CONTEXT checker = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (checker && EVP_PKEY_public_check(checker) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

enum twoleg_error verify_key_from_point(const struct sign_algorithm *algorithm,
                                        const struct ec_point *point,
                                        struct verify_key **ret_key)
{
    KEY_PKEY pkey = key_from_point(algorithm, point);
    if (!pkey)
        return key_refused(TWOLEG_MALFORMED);
    struct verify_key *key = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *key);
    if (!key)
        return TWOLEG_NO_MEMORY;
    *key = (struct verify_key){algorithm, pkey, *point};
    pkey = NULL;
    *ret_key = key;
    return TWOLEG_NONE;
}

const struct sign_algorithm *verify_key_algorithm(const struct verify_key *key)
{
    return key->algorithm;
}

struct ec_point verify_key_point(const struct verify_key *key)
{
    return key->point;
}

void verify_key_free(struct verify_key **key)
{
    if (!key || !*key)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

EVP_PKEY_CTX *key_context(EVP_PKEY *pkey)
{
    KEY_PKEY copy = EVP_PKEY_dup(pkey);
    EVP_PKEY_CTX *context = copy ? EVP_PKEY_CTX_new_from_pkey(NULL, copy, NULL) : NULL;
    if (!context)
        ERR_clear_error();
    return context; // holds the copy
}
