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
enum twoleg_error tls_credentials_load(const struct tls_pair *pair,
                                       struct tls_credentials *ret_credentials,
                                       char ret_reason[static TLS_REASON]) TWOLEG_MUST_CHECK;
void tls_credentials_finish(struct tls_credentials *credentials);

// The end of its life, seconds since 1970; 0: it cannot be read.
int64_t tls_life_end(const X509 *leaf);
// As tls_set_doubt; empty: nothing is to be said.
void tls_life_doubt(const X509 *leaf, int64_t now_us, char ret_words[static TLS_DOUBT]);
