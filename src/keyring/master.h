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
    // While it is changed: the key of PATH.next, which the store's keys may be wrapped under.
    uint8_t *next; // MASTER_SIZE bytes
    bool has_next;
    char before[MASTER_PATH_MAX]; // where the last change left the old one; "" without one
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
// The same for PATH.next, which nobody needs to have: what cannot be read is not there.
void master_read_next(struct master *master);
// Exchanges the two in memory.
void master_swap(struct master *master);
// Makes PATH.next, in `next` and on the disk; has_next is the caller's to set. REFUSED: it cannot
// be changed where it lies, or the file is not the key in use.
enum twoleg_error master_make_next(struct master *master, struct env *env,
                                   char reason[static 512]) TWOLEG_MUST_CHECK;
// Where PATH.next is the key in use, it takes the place of PATH, whose old content stays beside it
// under the name that `before` gets. Else it goes. REFUSED: neither file is, or the system refuses.
enum twoleg_error master_place(struct master *master, int64_t now_us,
                               char reason[static 512]) TWOLEG_MUST_CHECK;
void master_forget_next(struct master *master); // in memory; wipes
// Makes a new one. The whole file appears at once or not at all, and is on the disk on return.
enum twoleg_error master_make(struct master *master, struct env *env,
                              char reason[static 512]) TWOLEG_MUST_CHECK;
