// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: the bodies of the keys of crypto/sign.h. This header shows the library.
#pragma once
#include <openssl/evp.h>

#include "crypto/sign.h"

struct sign_key {
    const struct sign_algorithm *algorithm;
    EVP_PKEY *pkey;
    struct ec_point point;
};

struct verify_key {
    const struct sign_algorithm *algorithm;
    EVP_PKEY *pkey;
    struct ec_point point;
};

// A copy that shares nothing with the key and a context for it, not yet prepared for an operation.
// NULL when out of memory. The caller frees the context; it holds the copy.
EVP_PKEY_CTX *key_context(EVP_PKEY *pkey);
