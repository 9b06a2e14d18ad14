// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: the bodies of what crypto/sign.h declares, and what each kind of key does
// in its own way. This header shows the library.
#pragma once
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/sign.h"

struct sign_key {
    const struct sign_algorithm *algorithm;
    EVP_PKEY *pkey;
    struct public_key public_key;
};

struct verify_key {
    const struct sign_algorithm *algorithm;
    EVP_PKEY *pkey;
    struct public_key public_key;
};

// EC and RSA hold a context that was prepared once: preparing it for each message would fetch the
// algorithm anew and double the cost of a signature. Ed25519 is libsodium's and needs none.
struct signer {
    const struct sign_algorithm *algorithm;
    size_t signature_len;
    EVP_PKEY_CTX *context;
    uint8_t seed_and_public[2 * OKP_KEY_SIZE]; // wiped
};

struct verifier_ctx {
    const struct sign_algorithm *algorithm;
    size_t signature_len;
    EVP_PKEY_CTX *context;
    uint8_t okp[OKP_KEY_SIZE];
};

// One row for each sign_kind; the library's queue of reasons is the caller's to clear.
struct key_kind {
    EVP_PKEY *(*generate)(const struct sign_algorithm *algorithm);
    // A private key as it is stored. NULL: it is no key of this kind.
    EVP_PKEY *(*open)(const struct sign_algorithm *algorithm, const PKCS8_PRIV_KEY_INFO *pkcs8);
    // The numbers of either half. False: it is not a key of this kind and curve.
    bool (*read)(const struct sign_algorithm *algorithm, const EVP_PKEY *pkey,
                 struct public_key *ret_key);
    // Whether the parts of a private key that has been read belong together.
    bool (*private_good)(EVP_PKEY *pkey);
    // NULL: not a key of the algorithm (see verify_key_create).
    EVP_PKEY *(*build)(const struct sign_algorithm *algorithm, const struct public_key *key);
    bool (*prepare_sign)(const struct sign_key *key, struct signer *signer);
    // Writes signature_len bytes.
    bool (*sign)(struct signer *signer, struct str message, uint8_t ret_signature[SIGNATURE_MAX]);
    bool (*prepare_check)(const struct verify_key *key, struct verifier_ctx *verifier);
    // The signature has the right length. 1: it is good; 0: it is not; less: nobody can say.
    int (*check)(struct verifier_ctx *verifier, struct str message, const uint8_t *signature);
};

extern const struct key_kind key_kind_ec, key_kind_okp, key_kind_rsa;
const struct key_kind *key_kind_of(const struct sign_algorithm *algorithm);

// An open() for each kind: what the library's decoders make of it. To find them takes some
// milliseconds, once.
EVP_PKEY *key_decode(const struct sign_algorithm *algorithm, const PKCS8_PRIV_KEY_INFO *pkcs8);

// A number of the key, big-endian: in exactly len bytes, or without leading zeros when len is 0.
bool key_number(const EVP_PKEY *pkey, const char *name, size_t len, struct public_member *ret);

// A copy that shares nothing with the key and a context for it, not yet prepared for an operation.
// NULL when out of memory. The caller frees the context; it holds the copy.
EVP_PKEY_CTX *key_context(EVP_PKEY *pkey);

void key_pkey_free(EVP_PKEY **pkey);
void key_context_free(EVP_PKEY_CTX **context);
#define KEY_PKEY __attribute__((cleanup(key_pkey_free))) EVP_PKEY *
#define KEY_CONTEXT __attribute__((cleanup(key_context_free))) EVP_PKEY_CTX *
