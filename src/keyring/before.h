// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: the keys that each change of the master key has left beside it.
#pragma once
#include "keyring/inside.h"

// After a start that was refused: where a file PATH.before-TIME of the master key's PATH, or of
// master.key in the data folder, opens the keys of the store, reason names it; else it stays.
void before_explain(struct keyring *keyring, const char *folder, char reason[static 512]);
