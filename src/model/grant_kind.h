// SPDX-License-Identifier: Apache-2.0
// The grants that there are, and sets of them: what an application may use.
#pragma once
#include "base/buf.h"

enum grant_kind {
    GRANT_MISSING, // no grant_type was sent, and the dialect has no default
    GRANT_UNKNOWN, // none of ours, or not at this endpoint
    GRANT_CLIENT_CREDENTIALS,
    GRANT_PASSWORD,
    GRANT_REFRESH_TOKEN,
    GRANTS
};

#define GRANT_BIT(kind) (1u << (kind))
#define GRANTS_DEFAULT GRANT_BIT(GRANT_CLIENT_CREDENTIALS)
#define GRANTS_TEXT_MAX 48
#define GRANTS_WORDS \
    "client_credentials, password, or both, separated by blanks; with password also refresh_token"

// Bits of a set as the words of RFC 6749, in the order above, separated by blanks.
void grants_write(struct buf *out, unsigned grants);
// And back, in any order. False: an unknown word, none at all, or refresh_token without password,
// which is the only grant that has refresh tokens.
bool grants_read(struct str text, unsigned *ret_grants);
bool grants_valid(unsigned grants);
