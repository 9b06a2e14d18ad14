// SPDX-License-Identifier: Apache-2.0
// Copies of the store as single files: backups, and what a migration or a restore keeps.
#pragma once
#include <limits.h>

#include "store/sqlite/database.h"

#define COPY_REASON 512

// A consistent copy into a new file, 0600, complete and durable before it has its name; the server
// may go on writing. TWOLEG_CONFLICT: file, or file.tmp, exists. ret_reason names the file.
enum twoleg_error copy_out(struct database *from, const char *file,
                           char ret_reason[static COPY_REASON]) TWOLEG_MUST_CHECK;
// All pages of one connection's file into the (empty) one of another, as one file without a WAL.
enum twoleg_error copy_pages(struct database *to, struct database *from) TWOLEG_MUST_CHECK;
