// SPDX-License-Identifier: Apache-2.0
// The schema's versions: making it, checking it, migrating it.
#pragma once
#include "store/sqlite/database.h"
#include "store/sqlite/folder.h"

struct migration_step {
    unsigned version;
    const char *sql;
};

struct migration_plan {
    const struct migration_step *steps; // ascending, from 1
    unsigned count;
};

// Those of src/store/schema, carried in the program.
extern const struct migration_plan migration_plan;

// The latest step that has run on the store; 0: an empty file. It may be newer than the plan's last
// when a newer program's steps only added what this one can leave alone. TWOLEG_REFUSED: not a
// store of ours, or a newer one; the reason says which.
enum twoleg_error migration_check(struct database *database, const struct migration_plan *plan,
                               unsigned *ret_version,
                               char ret_reason[static 256]) TWOLEG_MUST_CHECK;
// Runs the steps that are missing, each in a transaction of its own; before the first one on a
// store that has data, a copy is left as before-NNN.db in the folder. That is said in ret_reason
// then, which is left alone when nothing was to be done.
enum twoleg_error migration_run(struct database *database, const struct folder *folder,
                                 const struct migration_plan *plan, unsigned version,
                                 char ret_reason[static 256]) TWOLEG_MUST_CHECK;
