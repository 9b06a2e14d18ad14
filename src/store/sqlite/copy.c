// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/sqlite/state.h"

static enum twoleg_error copy_errno(const char *file, int number,
                                    char ret_reason[static COPY_REASON])
{
    snprintf(ret_reason, COPY_REASON, "%.380s: %s", file, strerror(number));
    return number == EEXIST ? TWOLEG_CONFLICT : TWOLEG_STORE_FAILED;
}

enum twoleg_error copy_pages(struct database *to, struct database *from)
{
    if (fault_here(FAULT_STORE))
        return TWOLEG_STORE_FAILED;
    sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (!backup)
        return statement_error(sqlite3_extended_errcode(to->db));
    // In one go: under one snapshot, so that writes meanwhile neither wait nor start it again.
    int code = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        return code == SQLITE_OK ? TWOLEG_STORE_BUSY : statement_error(code);
    if (end)
        return statement_error(end);
    // The copy says WAL like its source; a single file must not need a second one beside it.
    return database_answers(to, "PRAGMA journal_mode = DELETE", "delete") ? TWOLEG_NONE
                                                                            : TWOLEG_STORE_FAILED;
}

static enum twoleg_error copy_fill(struct database *from, const char *real, const char *file,
                                   char ret_reason[static COPY_REASON])
{
    char why[256];
    struct database to;
    enum twoleg_error error = database_open(&to, real, DATABASE_COPY, DATABASE_BUSY_MS, why);
    if (!error) {
        errno = 0;
        error = copy_pages(&to, from);
        snprintf(why, sizeof why, "%s", store_failure_text(failure_of(&to)));
        database_close(&to);
    }
    if (error)
        snprintf(ret_reason, COPY_REASON, "%.240s: the copy failed: %s", file, why);
    return error;
}

// Folders of a file, for the fsync that makes its new name last.
static int copy_open_folder(const char *file)
{
    char folder[PATH_MAX];
    size_t len = strlen(file);
    if (len >= sizeof folder)
        return -1;
    memcpy(folder, file, len + 1);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    return open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// Durable first, then named: whoever finds the file finds all of it.
static enum twoleg_error copy_publish(const char *temporary, const char *file,
                                      char ret_reason[static COPY_REASON])
{
    int fd = open(temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int failed = fault_here(FAULT_IO) || fd < 0 || fsync(fd);
    int number = errno ? errno : EIO;
    if (fd >= 0)
        close(fd);
    if (failed)
        return copy_errno(file, number, ret_reason);
    // link and not rename: it refuses a name that is taken.
    if (link(temporary, file))
        return copy_errno(file, errno, ret_reason);
    unlink(temporary);
    int folder = copy_open_folder(file);
    failed = folder < 0 || fsync(folder);
    number = errno;
    if (folder >= 0)
        close(folder);
    return failed ? copy_errno(file, number, ret_reason) : TWOLEG_NONE;
}

enum twoleg_error copy_out(struct database *from, const char *file,
                           char ret_reason[static COPY_REASON])
{
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof temporary, "%s.tmp", file);
    if (len < 0 || (size_t)len >= sizeof temporary)
        return copy_errno(file, ENAMETOOLONG, ret_reason);
    if (access(file, F_OK) == 0)
        return copy_errno(file, EEXIST, ret_reason);
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return copy_errno(errno == EEXIST ? temporary : file, errno, ret_reason);
    close(fd);
    char real[PATH_MAX]; // SQLite, too, is told to follow no link
    enum twoleg_error error;
    if (realpath(temporary, real))
        error = copy_fill(from, real, file, ret_reason);
    else
        error = copy_errno(file, errno, ret_reason);
    if (!error)
        error = copy_publish(temporary, file, ret_reason);
    if (error)
        unlink(temporary);
    return error;
}
