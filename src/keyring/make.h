// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: a new signing key as a row of the store.
#pragma once
#include "keyring/keyring.h"

struct make_order {
    uint64_t id; // the store refuses a second one of the same number
    const struct sign_algorithm *algorithm;
    struct str state; // "announced" or "signing"
    // A key that the master key opens, as the store has it: it must still be there. Empty in a new
    // store.
    struct str guard;
};

// The row of this private key, in the arena. NO_MEMORY, NO_RANDOM, INTERNAL.
enum twoleg_error make_row(const struct sign_key *private_key, const uint8_t *master,
                           struct env *env, const struct make_order *order, struct arena *arena,
                           struct store_key *ret_key) TWOLEG_MUST_CHECK;

// Makes a key and adds VERB_KEY_CREATE. ret_kid (may be NULL) is the batch's. NO_MEMORY, NO_RANDOM,
// INTERNAL.
enum twoleg_error make_signing_key(struct store_batch *batch, const uint8_t *master,
                                   struct env *env, const struct make_order *order,
                                   struct str *ret_kid) TWOLEG_MUST_CHECK;
