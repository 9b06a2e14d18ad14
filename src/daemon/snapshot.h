// SPDX-License-Identifier: Apache-2.0
// The life of a snapshot: made, put in force for all at once, freed when nobody reads it any more.
#pragma once
#include "endpoint/server.h"

// Takes the configuration, also when it fails. NO_MEMORY.
enum twoleg_error snapshot_create(struct config *config,
                                  struct snapshot **ret_snapshot) TWOLEG_MUST_CHECK;
void snapshot_destroy(void *snapshot); // NULL accepted

// Takes the snapshot, which nobody changes from now on. Each worker has it from its next turn on;
// the one before is freed when all of them have. One thread at a time.
void snapshot_publish(struct server *server, struct snapshot *snapshot);

// What the keyring wants to know of a configuration.
struct rotation_rules snapshot_rotation(const struct config *config);

// For the main thread, which is no worker: between the two it is good.
const struct snapshot *snapshot_enter(struct server *server);
void snapshot_leave(struct server *server);
