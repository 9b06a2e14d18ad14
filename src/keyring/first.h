// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: the first keys of a new store.
#pragma once
#include "keyring/master.h"

// One batch. TWOLEG_CONFLICT: another server has made them meanwhile.
enum twoleg_error keyring_make_first(struct store *store, const uint8_t *master,
                                     struct env *env) TWOLEG_MUST_CHECK;
