// SPDX-License-Identifier: Apache-2.0
// What a server is once and for all: its issuer, its epoch, its default API. Written at the first
// start, read at each later one.
#pragma once
#include "config/config.h"
#include "store/store.h"

// Sets config->issuer to the one in force. One that differs from the stored one replaces it only
// with change_issuer. Without it a configured one is refused, and a derived one gives way: it says
// where the server listens today, which need not be where its clients find it.
enum twoleg_error identity_load(struct store *store, struct config *config, bool change_issuer,
                                struct env *env, uint32_t *ret_epoch,
                                char ret_reason[static 512]) TWOLEG_MUST_CHECK;
