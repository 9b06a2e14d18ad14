// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: the file with the master key.
#pragma once
#include "keyring/keyring.h"

#define MASTER_SIZE 32
#define MASTER_PATH_MAX 4096

struct master {
    char path[MASTER_PATH_MAX];
    bool given; // by the operator, so it is never created
    bool credential; // systemd's: an access list shows as group bits
    uint8_t *bytes; // MASTER_SIZE bytes of memory from crypto/wipe.h
};

// Chooses the path. TOO_LONG, NO_MEMORY.
enum twoleg_error master_init(struct master *master, const struct keyring_settings *settings,
                              char reason[static 512]) TWOLEG_MUST_CHECK;
void master_finish(struct master *master); // wipes
// Removes what a start that was cut short has left beside it: a second name of the key, which would
// outlive the first one.
void master_sweep(const struct master *master);
// NOT_FOUND: there is no such file. REFUSED: there is something else, or others may read it.
enum twoleg_error master_read(struct master *master, char reason[static 512]) TWOLEG_MUST_CHECK;
// Makes a new one. The whole file appears at once or not at all, and is on the disk on return.
enum twoleg_error master_make(struct master *master, struct env *env,
                              char reason[static 512]) TWOLEG_MUST_CHECK;
