// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: one set with all that it owns.
#pragma once
#include "keyring/master.h"

struct keyring_body {
    struct epoch_note note;
    struct keyring_set set; // what readers see
    struct arena arena;     // its text
    struct data_key *data;  // memory from crypto/wipe.h
    struct signing_key *signing;
    size_t rows; // room in both arrays
};

// Unwraps all keys that are not gone. REFUSED: wrong master key, a damaged or unknown row, or no
// active key for a purpose.
enum twoleg_error keyring_body_create(const struct master *master, const struct store_key *keys,
                                      size_t count, uint64_t serial,
                                      struct keyring_body **ret_body,
                                      char reason[static 512]) TWOLEG_MUST_CHECK;
void keyring_body_destroy(void *body); // wipes; NULL accepted
