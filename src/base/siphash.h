// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 (Aumasson, Bernstein): the keyed hash of our in-memory tables, so that nobody outside
// can choose keys that collide. Not a MAC.
#pragma once
#include "base/str.h"

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash(const struct siphash_key *key, struct str text);
