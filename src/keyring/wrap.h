// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: keys sealed under the master key, as the store has them: 24 bytes of
// nonce, then the sealed key. What the key is for is associated data: a blob that is moved to
// another row does not open.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "store/store.h"

// Fills in key->wrapped, in the arena, from id, purpose, algorithm and kid of the key.
enum twoleg_error wrap_seal(const uint8_t *master, struct env *env, struct str plain,
                            struct arena *arena, struct store_key *key) TWOLEG_MUST_CHECK;
// Appends the plain key. False: damaged, of another row, or another master key.
bool wrap_open(const uint8_t *master, const struct store_key *key, struct buf *out)
    __attribute__((warn_unused_result));
