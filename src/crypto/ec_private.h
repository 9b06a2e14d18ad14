// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: the EC private key in a PKCS #8 (RFC 5208, RFC 5915), read without the
// decoders of the library.
#pragma once
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The point, uncompressed (1 + 2 * len bytes), and the private number in the order of this
// machine's bytes (len of them), which the caller wipes. Whether they belong together is not looked
// at. The group is the library's short name of a curve. False: no EC key, of another curve, with
// something behind it, or no memory.
bool ec_private_read(const char *group, const PKCS8_PRIV_KEY_INFO *pkcs8, size_t len,
                     uint8_t *ret_point, uint8_t *ret_number);
