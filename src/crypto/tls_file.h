// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: a certificate with its key, read from PEM files and checked.
#pragma once
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/tls.h"

struct tls_credentials {
    X509 *leaf;
    STACK_OF(X509) *chain; // those that follow it in the file
    EVP_PKEY *key;
};

// As tls_set_load, for one pair.
enum twoleg_error tls_credentials_load(const struct tls_pair *pair, int64_t now_us,
                                       struct tls_credentials *ret_credentials,
                                       char ret_reason[static TLS_REASON]) TWOLEG_MUST_CHECK;
void tls_credentials_finish(struct tls_credentials *credentials);
