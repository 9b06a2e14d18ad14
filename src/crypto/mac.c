// SPDX-License-Identifier: Apache-2.0
#include "crypto/mac.h"

#include <endian.h>
#include <string.h>

#include "crypto/wipe.h"

#define MAC_BLOCK 64

static void mac_pad(struct sha256_state *state, const uint8_t key[MAC_BLOCK], uint8_t pad)
{
    uint8_t block[MAC_BLOCK];
    for (size_t i = 0; i < MAC_BLOCK; i++)
        block[i] = key[i] ^ pad;
    sha256_init(state);
    sha256_add(state, str_of(block, sizeof block));
    wipe(block, sizeof block);
}

enum twoleg_error mac_key_init(struct mac_key *key, const void *bytes, size_t len)
{
    uint8_t padded[MAC_BLOCK] = {0};
    if (len < MAC_KEY_MIN)
        return TWOLEG_RANGE;
    if (len > MAC_BLOCK) {
        struct sha256 short_key = sha256(str_of(bytes, len));
        memcpy(padded, short_key.bytes, sizeof short_key.bytes);
        wipe(&short_key, sizeof short_key);
    } else {
        memcpy(padded, bytes, len);
    }
    mac_pad(&key->inner, padded, 0x36);
    mac_pad(&key->outer, padded, 0x5c);
    wipe(padded, sizeof padded);
    return TWOLEG_NONE;
}

void mac_begin(struct mac_state *state, const struct mac_key *key)
{
    state->inner = key->inner;
    state->key = key;
}

void mac_add(struct mac_state *state, struct str part)
{
    sha256_add(&state->inner, part);
}

void mac_add_u64(struct mac_state *state, uint64_t value)
{
    uint64_t network = htobe64(value);
    sha256_add(&state->inner, str_of(&network, sizeof network));
}

#ifdef TWOLEG_TEST_HOOKS
static _Thread_local unsigned long mac_made;

unsigned long mac_count(void)
{
    return mac_made;
}
#endif

struct sha256 mac_end(struct mac_state *state)
{
#ifdef TWOLEG_TEST_HOOKS
    mac_made++;
#endif
    struct sha256 inner = sha256_finish(&state->inner);
    struct sha256_state outer = state->key->outer;
    sha256_add(&outer, str_of(inner.bytes, sizeof inner.bytes));
    wipe(&inner, sizeof inner);
    return sha256_finish(&outer);
}

struct sha256 mac(const struct mac_key *key, struct str text)
{
    struct mac_state state;
    mac_begin(&state, key);
    mac_add(&state, text);
    return mac_end(&state);
}
