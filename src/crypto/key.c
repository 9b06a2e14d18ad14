// SPDX-License-Identifier: Apache-2.0
#include "crypto/key.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "base/fault.h"
#include "crypto/library_memory.h"
#include "crypto/random.h"

const struct key_kind *key_kind_of(const struct sign_algorithm *algorithm)
{
    static const struct key_kind *const kinds[] = {
        [SIGN_EC] = &key_kind_ec,
        [SIGN_OKP] = &key_kind_okp,
        [SIGN_RSA] = &key_kind_rsa,
        [SIGN_RSA_PSS] = &key_kind_rsa,
    };
    return kinds[algorithm->kind];
}

void key_pkey_free(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

void key_context_free(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void key_pkcs8_free(PKCS8_PRIV_KEY_INFO **pkcs8)
{
    PKCS8_PRIV_KEY_INFO_free(*pkcs8); // wipes the key in it
}

#define KEY_PKCS8 __attribute__((cleanup(key_pkcs8_free))) PKCS8_PRIV_KEY_INFO *

// The library queues the reasons of each failure per thread. Without memory a good key looks like a
// bad one.
static enum twoleg_error key_refused(enum twoleg_error error)
{
    return library_lacked_memory() ? TWOLEG_NO_MEMORY : error;
}

// With an algorithm of the table, or with a key that was read, nothing else can be missing; not
// each part of the library says so.
static enum twoleg_error key_lacked_memory(void)
{
    ERR_clear_error();
    return TWOLEG_NO_MEMORY;
}

bool key_number(const EVP_PKEY *pkey, const char *name, size_t len, struct public_member *ret)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
        return false;
    ret->len = len ? len : (size_t)BN_num_bytes(number);
    bool fits = ret->len <= sizeof ret->bytes &&
                BN_bn2binpad(number, ret->bytes, (int)ret->len) == (int)ret->len;
    BN_free(number);
    return fits;
}

EVP_PKEY *key_decode(const struct sign_algorithm *algorithm, const PKCS8_PRIV_KEY_INFO *pkcs8)
{
    (void)algorithm; // read() looks at what it is
    return EVP_PKCS82PKEY(pkcs8);
}

// Takes the library's key over on success only.
static enum twoleg_error sign_key_wrap(const struct sign_algorithm *algorithm, EVP_PKEY **pkey,
                                       const struct public_key *public_key,
                                       struct sign_key **ret_key)
{
    struct sign_key *key = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *key);
    if (!key)
        return TWOLEG_NO_MEMORY;
    *key = (struct sign_key){algorithm, *pkey, *public_key};
    *pkey = NULL;
    *ret_key = key;
    return TWOLEG_NONE;
}

enum twoleg_error sign_key_create(const struct sign_algorithm *algorithm,
                                  struct sign_key **ret_key)
{
    const struct key_kind *kind = key_kind_of(algorithm);
    struct public_key public_key = {0};
    LIBRARY_SECRET secret = library_secret_begin();
    KEY_PKEY pkey = kind->generate(algorithm);
    if (!pkey && random_has_failed())
        return key_refused(TWOLEG_NO_RANDOM);
    if (!pkey || !kind->read(algorithm, pkey, &public_key))
        return key_lacked_memory();
    return sign_key_wrap(algorithm, &pkey, &public_key, ret_key);
}

enum twoleg_error sign_key_from_der(const struct sign_algorithm *algorithm, struct str der,
                                    struct sign_key **ret_key)
{
    const struct key_kind *kind = key_kind_of(algorithm);
    const uint8_t *at = (const uint8_t *)der.ptr;
    struct public_key public_key = {0};
    if (der.len == 0 || der.len > SIGN_KEY_DER_MAX)
        return TWOLEG_MALFORMED;
    LIBRARY_SECRET secret = library_secret_begin();
    KEY_PKCS8 pkcs8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    if (!pkcs8 || at != (const uint8_t *)der.ptr + der.len)
        return key_refused(TWOLEG_MALFORMED);
    KEY_PKEY pkey = kind->open(algorithm, pkcs8);
    if (!pkey || !kind->read(algorithm, pkey, &public_key) || !kind->private_good(pkey))
        return key_refused(TWOLEG_MALFORMED);
    return sign_key_wrap(algorithm, &pkey, &public_key, ret_key);
}

enum twoleg_error sign_key_to_der(const struct sign_key *key, struct buf *out)
{
    LIBRARY_SECRET secret = library_secret_begin();
    KEY_PKCS8 pkcs8 = EVP_PKEY2PKCS8(key->pkey);
    int len = pkcs8 ? i2d_PKCS8_PRIV_KEY_INFO(pkcs8, NULL) : -1;
    if (len <= 0)
        return key_lacked_memory();
    if (len > SIGN_KEY_DER_MAX)
        return TWOLEG_TOO_LONG;
    uint8_t *at = (uint8_t *)buf_reserve(out, (size_t)len);
    if (!at)
        return TWOLEG_TOO_LONG;
    if (i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &at) == len)
        return TWOLEG_NONE;
    out->len -= (size_t)len;
    return key_lacked_memory();
}

const struct public_key *sign_key_public(const struct sign_key *key)
{
    return &key->public_key;
}

void sign_key_free(struct sign_key **key)
{
    if (!key || !*key)
        return;
    EVP_PKEY_free((*key)->pkey); // wipes the private number
    free(*key);
    *key = NULL;
}

enum twoleg_error verify_key_create(const struct sign_algorithm *algorithm,
                                    const struct public_key *public_key,
                                    struct verify_key **ret_key)
{
    KEY_PKEY pkey = key_kind_of(algorithm)->build(algorithm, public_key);
    if (!pkey)
        return key_refused(TWOLEG_MALFORMED);
    struct verify_key *key = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *key);
    if (!key)
        return TWOLEG_NO_MEMORY;
    *key = (struct verify_key){algorithm, pkey, *public_key};
    pkey = NULL;
    *ret_key = key;
    return TWOLEG_NONE;
}

const struct sign_algorithm *verify_key_algorithm(const struct verify_key *key)
{
    return key->algorithm;
}

const struct public_key *verify_key_public(const struct verify_key *key)
{
    return &key->public_key;
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
