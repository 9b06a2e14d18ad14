// SPDX-License-Identifier: Apache-2.0
// What a server is once and for all: its issuer, its epoch, its default API. Written at the first
// start, read at each later one.
#pragma once
#include "config/config.h"
#include "store/store.h"

// Sets config->issuer to the one in force. A configured issuer that differs from the stored one is
// refused unless change_issuer; a derived one never replaces it.
enum twoleg_error identity_load(struct store *store, struct config *config, bool change_issuer,
                                struct env *env, uint32_t *ret_epoch,
                                char ret_reason[static 512]) TWOLEG_MUST_CHECK;
