// SPDX-License-Identifier: Apache-2.0
// Backups, and their way back.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "store/sqlite/copy.h"
#include "store/sqlite/migration.h"
#include "store/sqlite/restore.h"
#include "store/sqlite/state.h"

#define RESTORE_FILE "restore.tmp"
// Under this name the new store is whole and durable, and is the one: what is left to do is done by
// whoever opens the folder next.
#define RESTORE_READY "restore.ready"
#define RESTORE_UNKNOWN                                                                          \
    "the store that was there, if any, cannot be read: a signing key that was given up after the " \
    "copy was made is in use again, until `twoleg key compromise` ends it anew"

enum twoleg_error store_backup(struct store_reader *reader, const char *file,
                               char ret_reason[static 512])
{
    ret_reason[0] = '\0';
    stop_point("store.copy");
    return copy_out(&reader->database, file, ret_reason);
}

// What a restore works on.
struct restore {
    struct folder folder;
    char path[PATH_MAX]; // of the new store, before it has its name
    struct database old; // the store that is replaced; closed: none, or not readable
    uint64_t old_epoch;  // of that one; 0 = not known
    bool old_gone;       // which of its keys are gone was carried over
    bool keep_tokens;
};

static enum twoleg_error restore_refuse(const char *file, enum twoleg_error error, const char *why,
                                        char ret_reason[static 512])
{
    snprintf(ret_reason, 512, "%.240s: %.240s", file, why);
    return error;
}

static enum twoleg_error restore_read_epoch(struct database *database, uint64_t *ret_epoch)
{
    struct statement read = statement_begin(database, SQL_SETTING_ONE);
    statement_text(&read, STR("epoch"));
    uint64_t epoch = 0;
    if (statement_step(&read) && !str_to_u64(statement_get_text(&read, 0), &epoch))
        epoch = 0;
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_epoch = epoch;
    return error;
}

// A file that the backup left: sound, ours, and of a schema that this program knows.
static enum twoleg_error restore_check(struct database *from, const char *file,
                                       char ret_reason[static 512])
{
    char why[256];
    unsigned version;
    enum twoleg_error error = migration_check(from, &migration_plan, &version, why);
    if (error)
        return restore_refuse(file, error, why, ret_reason);
    if (version == 0)
        return restore_refuse(file, TWOLEG_REFUSED, "is not a twoleg store", ret_reason);
    if (!database_answers(from, "PRAGMA integrity_check(1)", "ok"))
        return restore_refuse(file, TWOLEG_REFUSED, "is damaged", ret_reason);
    return TWOLEG_NONE;
}

// Later than both epochs and than every earlier restore, also of the same backup: the clock is in
// it, so that no token from before can come to life again.
static enum twoleg_error restore_write_epoch(struct database *to, uint64_t old_epoch)
{
    uint64_t epoch = 0;
    enum twoleg_error error = restore_read_epoch(to, &epoch);
    if (error)
        return error;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    epoch = epoch > old_epoch ? epoch + 1 : old_epoch + 1;
    if ((uint64_t)now.tv_sec > epoch)
        epoch = (uint64_t)now.tv_sec;
    char digits[24];
    struct buf text;
    buf_init(&text, digits, sizeof digits);
    buf_add_u64(&text, epoch);
    struct statement set = statement_begin(to, SQL_SETTING_SET);
    statement_text(&set, STR("epoch"));
    statement_text(&set, buf_str(&text));
    statement_int(&set, (int64_t)now.tv_sec * SECOND_US);
    return statement_run(&set);
}

// D6: a key that was given up since the copy was made may be in somebody else's hands. Whatever it
// is in the copy, it stays gone. False when the old store cannot be read: an error of its own does
// not stop a restore, which is there to replace it.
static bool restore_carry_gone(struct database *to, struct database *old,
                               enum twoleg_error *ret_error)
{
    struct statement read = statement_begin(old, SQL_KEY_GONE_LIST);
    *ret_error = TWOLEG_NONE;
    while (!*ret_error && statement_step(&read)) {
        struct statement add = statement_begin(to, SQL_KEY_GONE_ADD);
        for (int column = 0; column < 3; column++)
            statement_text(&add, statement_get_text(&read, column));
        for (int column = 3; column < 6; column++)
            statement_int(&add, statement_get_int(&read, column));
        *ret_error = statement_run(&add);
    }
    return statement_end(&read) == TWOLEG_NONE;
}

static enum twoleg_error restore_fill(struct restore *restore, struct database *from,
                                      char ret_why[static 256])
{
    struct database to;
    enum twoleg_error error =
        database_open(&to, restore->path, DATABASE_COPY, DATABASE_BUSY_MS, ret_why);
    if (error)
        return error;
    errno = 0;
    error = copy_pages(&to, from);
    if (!error && !restore->keep_tokens)
        error = restore_write_epoch(&to, restore->old_epoch);
    if (!error && restore->old.db)
        restore->old_gone = restore_carry_gone(&to, &restore->old, &error);
    snprintf(ret_why, 256, "the copy failed: %s", store_failure_text(failure_of(&to)));
    database_close(&to);
    return error;
}

static enum twoleg_error restore_copy(struct restore *restore, const char *file,
                                      char ret_reason[static 512])
{
    char why[256];
    char real[PATH_MAX];
    struct database from;
    if (!realpath(file, real))
        return restore_refuse(file, errno == ENOENT ? TWOLEG_NOT_FOUND : TWOLEG_REFUSED,
                              strerror(errno), ret_reason);
    enum twoleg_error error =
        database_open(&from, real, DATABASE_SOURCE, DATABASE_BUSY_MS, why);
    if (error)
        return restore_refuse(file, error, why, ret_reason);
    unlinkat(restore->folder.fd, RESTORE_FILE, 0); // of a restore that was cut short
    error = restore_check(&from, file, ret_reason);
    if (!error)
        error = folder_make_file(&restore->folder, RESTORE_FILE, ret_reason);
    if (!error) {
        error = restore_fill(restore, &from, why);
        restore_refuse(restore->path, error, why, ret_reason);
    }
    database_close(&from);
    return error;
}

// Brings what lies in the old store's WAL into its file, so that the file alone is all of it. One
// that is too damaged for that is kept with its WAL beside it.
static void restore_settle_old(struct restore *restore)
{
    char why[256];
    char path[PATH_MAX];
    struct database *old = &restore->old;
    if (!folder_join(&restore->folder, FOLDER_STORE, path) ||
        database_open(old, path, DATABASE_WRITER, DATABASE_BUSY_MS, why)) {
        *old = (struct database){0};
        return;
    }
    if (restore_read_epoch(old, &restore->old_epoch))
        restore->old_epoch = 0;
    sqlite3_wal_checkpoint_v2(old->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static enum twoleg_error restore_keep_old(const struct restore *restore)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char name[64];
    char wal[80];
    snprintf(name, sizeof name, "before-restore-%lld.%06ld.db", (long long)now.tv_sec,
             now.tv_nsec / 1000);
    snprintf(wal, sizeof wal, "%s-wal", name);
    int fd = restore->folder.fd;
    // Second names only: until the new store is the one, the old one stays whole in its place, with
    // the WAL of a store that was too damaged for its WAL to be brought in.
    if (linkat(fd, FOLDER_STORE, fd, name, 0))
        return TWOLEG_STORE_FAILED;
    if (linkat(fd, FOLDER_STORE "-wal", fd, wal, 0) && errno != ENOENT)
        return TWOLEG_STORE_FAILED;
    return folder_sync(&restore->folder);
}

static bool restore_remove(const struct folder *folder, const char *name)
{
    return unlinkat(folder->fd, name, 0) == 0 || errno == ENOENT;
}

enum twoleg_error restore_resume(const struct folder *folder)
{
    struct stat info;
    if (fstatat(folder->fd, RESTORE_READY, &info, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? TWOLEG_NONE : TWOLEG_STORE_FAILED;
    // A WAL that is left would be played into the restored file.
    if (fault_here(FAULT_IO) || !restore_remove(folder, FOLDER_STORE "-wal") ||
        !restore_remove(folder, FOLDER_STORE "-shm") ||
        !restore_remove(folder, FOLDER_STORE "-journal"))
        return TWOLEG_STORE_FAILED;
    enum twoleg_error error = folder_sync(folder);
    return error ? error : folder_publish(folder, RESTORE_READY, FOLDER_STORE);
}

static enum twoleg_error restore_replace(const struct restore *restore)
{
    enum twoleg_error error = folder_publish(&restore->folder, RESTORE_FILE, RESTORE_READY);
    return error ? error : restore_resume(&restore->folder);
}

static enum twoleg_error restore_run(struct restore *restore, const char *file,
                                     char ret_reason[static 512])
{
    int64_t size;
    if (!folder_join(&restore->folder, RESTORE_FILE, restore->path))
        return restore_refuse(restore->folder.path, TWOLEG_TOO_LONG, "the name is too long",
                              ret_reason);
    enum twoleg_error error =
        folder_check_file(&restore->folder, FOLDER_STORE, &size, ret_reason);
    if (error)
        return error;
    if (size >= 0)
        restore_settle_old(restore);
    error = restore_copy(restore, file, ret_reason);
    if (restore->old.db)
        database_close(&restore->old);
    if (error)
        return error;
    restore_refuse(restore->folder.path, error, "the store could not be replaced", ret_reason);
    if (size >= 0)
        error = restore_keep_old(restore);
    return error ? error : restore_replace(restore);
}

enum twoleg_error store_restore(const char *folder, const char *file, bool keep_tokens,
                                char ret_reason[static 512])
{
    struct restore restore = {.keep_tokens = keep_tokens};
    enum twoleg_error error = folder_open(&restore.folder, folder, true, ret_reason);
    if (error)
        return error;
    restore_refuse(folder, error, "an earlier restore could not be ended", ret_reason);
    error = restore_resume(&restore.folder);
    if (!error)
        error = restore_run(&restore, file, ret_reason);
    if (error)
        unlinkat(restore.folder.fd, RESTORE_FILE, 0);
    else
        snprintf(ret_reason, 512, "%s", restore.old_gone ? "" : RESTORE_UNKNOWN);
    folder_close(&restore.folder);
    return error;
}
