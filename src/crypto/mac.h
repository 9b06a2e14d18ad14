// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA256 (RFC 2104, RFC 4231) with the key's two blocks hashed beforehand: no allocation and
// two compressions fewer per message. A tag is compared with crypto/compare.h only.
#pragma once
#include "base/error.h"
#include "base/str.h"
#include "crypto/hash.h"

#define MAC_KEY_MIN 16

// As secret as the key itself: keep it in memory from crypto/wipe.h.
struct mac_key {
    struct sha256_state inner;
    struct sha256_state outer;
};

struct mac_state {
    struct sha256_state inner;
    const struct mac_key *key; // must outlive the state
};

// RANGE when the key is shorter than MAC_KEY_MIN bytes: an empty or short key is never a key.
TWOLEG_MUST_CHECK enum twoleg_error mac_key_init(struct mac_key *key, const void *bytes,
                                                 size_t len);

// Parts are concatenated: whoever adds several of free length adds their lengths too.
void mac_begin(struct mac_state *state, const struct mac_key *key);
void mac_add(struct mac_state *state, struct str part);
void mac_add_u64(struct mac_state *state, uint64_t value); // 8 bytes, network order
struct sha256 mac_end(struct mac_state *state);            // wipes the state

struct sha256 mac(const struct mac_key *key, struct str text);

#ifdef TWOLEG_TEST_HOOKS
// How many MACs this thread has made: a test compares what two refusals cost.
unsigned long mac_count(void);
#endif
