// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) without any allocation: the state lies with the caller.
#pragma once
#include <stdint.h>

#include "base/str.h"

#define SHA256_SIZE 32

struct sha256 {
    uint8_t bytes[SHA256_SIZE];
};

// The library's state, kept opaque so that nobody above crypto/ sees its headers. May be copied:
// the copy goes on from the same point.
struct sha256_state {
    uint64_t opaque[14];
};

struct sha256 sha256(struct str text);

void sha256_init(struct sha256_state *state);
void sha256_add(struct sha256_state *state, struct str part);
// The state is wiped; init it again before further use.
struct sha256 sha256_finish(struct sha256_state *state);
