// SPDX-License-Identifier: Apache-2.0
// Letters and digits (0-9 A-Z a-z) for secrets and tokens, and the checksum at the end of each
// credential: six of them, the CRC-32 of all that stands before. Leak scanners check it offline.
// It is no protection against forgery.
#pragma once
#include "base/buf.h"

#define CREDENTIAL_CHECKSUM_LEN 6
#define BASE62_BYTES_MAX 64
// Characters for so many bytes, enough for each value; 32 bytes give 43.
#define BASE62_LEN(bytes) (((bytes)*800000 + 595418) / 595419)

extern const char base62_digits[63]; // with the NUL behind them

// CRC-32 of IEEE 802.3 (reflected 0xEDB88320), as in zlib and PNG.
uint32_t crc32_ieee(struct str text);

// The bytes as one big-endian number in exactly BASE62_LEN(len) characters. More than
// BASE62_BYTES_MAX bytes make the buffer fail.
void base62_encode(struct buf *out, const void *bytes, size_t len);

// Appends the checksum of what the buffer holds from position `from` on (the credential's prefix
// included).
void credential_checksum_append(struct buf *buf, size_t from);
// The last six characters are the checksum of those before. Needs at least one before.
bool credential_checksum_ok(struct str text);
