// SPDX-License-Identifier: Apache-2.0
// The data folder: 0700 and ours, its files 0600 and ours, and one server at a time.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define FOLDER_REASON 512
#define FOLDER_STORE "twoleg.db"

struct folder {
    int fd;     // of the folder
    int lock;   // of its lock file, held as long as this is open
    char path[PATH_MAX]; // as the system resolves it: no symbolic links in it
};

// Checks, and with create makes, the folder (and those above it), then takes its lock.
// TWOLEG_NOT_FOUND: it is not there; TWOLEG_CONFLICT: another server holds it; TWOLEG_REFUSED:
// wide modes, foreign owner, symbolic link. ret_reason names the folder in each case.
enum twoleg_error folder_open(struct folder *folder, const char *path, bool create,
                              char ret_reason[static FOLDER_REASON]) TWOLEG_MUST_CHECK;
void folder_close(struct folder *folder);
// Makes the folder, which is not there, and those above it: 0700 and ours.
enum twoleg_error folder_make(const char *path, char ret_reason[static FOLDER_REASON])
    TWOLEG_MUST_CHECK;

// The size of a file, -1 when it is not there. Refused like the folder when it is not a file of
// ours with mode 0600.
enum twoleg_error folder_check_file(const struct folder *folder, const char *name,
                                    int64_t *ret_size,
                                    char ret_reason[static FOLDER_REASON]) TWOLEG_MUST_CHECK;
// An empty file, 0600, that was not there before.
enum twoleg_error folder_make_file(const struct folder *folder, const char *name,
                                   char ret_reason[static FOLDER_REASON]) TWOLEG_MUST_CHECK;
// Makes a finished file durable and gives it its name, in place of what has that name.
enum twoleg_error folder_publish(const struct folder *folder, const char *from,
                                 const char *name) TWOLEG_MUST_CHECK;
// What was renamed, made or removed in it survives a power loss.
enum twoleg_error folder_sync(const struct folder *folder) TWOLEG_MUST_CHECK;
// "FOLDER/name"; false when it does not fit.
bool folder_join(const struct folder *folder, const char *name, char ret_path[static PATH_MAX]);
