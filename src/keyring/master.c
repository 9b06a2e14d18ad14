// SPDX-License-Identifier: Apache-2.0
#include "keyring/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "crypto/wipe.h"
#include "keyring/reason.h"

#define MASTER_NEW "master.key.new"

static void master_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define MASTER_CLOSED __attribute__((cleanup(master_close)))

enum twoleg_error master_init(struct master *master, const struct keyring_settings *settings,
                              char reason[static 512])
{
    *master = (struct master){.given = true};
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    int len = -1;
    if (settings->master_key_file) {
        len = snprintf(master->path, sizeof master->path, "%s", settings->master_key_file);
    } else if (folder && *folder) {
        len = snprintf(master->path, sizeof master->path, "%s/twoleg-master-key", folder);
        // A unit may have credentials of another kind only.
        master->credential = access(master->path, F_OK) == 0;
    }
    if (!settings->master_key_file && !master->credential) {
        master->given = false;
        len = snprintf(master->path, sizeof master->path, "%s/master.key", settings->folder);
    }
    if (len < 0 || (size_t)len >= sizeof master->path)
        return reason_set(reason, TWOLEG_TOO_LONG, "the path of the master key is too long");
    master->bytes = secret_memory_alloc(MASTER_SIZE);
    master->next = secret_memory_alloc(MASTER_SIZE);
    if (!master->bytes || !master->next)
        return reason_set(reason, TWOLEG_NO_MEMORY, "no memory for the master key");
    return TWOLEG_NONE;
}

void master_finish(struct master *master)
{
    secret_memory_free(master->bytes, MASTER_SIZE);
    secret_memory_free(master->next, MASTER_SIZE);
    master->bytes = master->next = NULL;
}

static bool master_owner_trusted(const struct stat *status)
{
    return status->st_uid == 0 || status->st_uid == geteuid();
}

// The folder, and the file's name in it.
static enum twoleg_error master_folder(const struct master *master, int *ret_folder,
                                       const char **ret_name, char reason[static 512])
{
    char folder[MASTER_PATH_MAX];
    const char *slash = strrchr(master->path, '/');
    size_t len = slash ? (size_t)(slash - master->path) : 0;
    memcpy(folder, master->path, len);
    folder[len] = '\0';
    const char *where = !slash ? "." : len == 0 ? "/" : folder;
    struct stat status;
    int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        int problem = errno;
        master_close(&fd);
        return reason_set(reason, problem == ENOENT ? TWOLEG_NOT_FOUND : TWOLEG_REFUSED,
                          "the folder of the master key, %s: %s", where, strerror(problem));
    }
    // Who may write there may put another key in its place.
    enum twoleg_error error = TWOLEG_NONE;
    if (!master_owner_trusted(&status))
        error = reason_set(reason, TWOLEG_REFUSED,
                           "the folder of the master key, %s, belongs to another user (uid %u): "
                           "chown it to the server's user",
                           where, status.st_uid);
    else if (status.st_mode & (S_IWGRP | S_IWOTH))
        error = reason_set(reason, TWOLEG_REFUSED,
                           "the folder of the master key, %s, is writable by others: "
                           "chmod go-w %s",
                           where, where);
    if (error) {
        close(fd);
        return error;
    }
    *ret_folder = fd;
    *ret_name = slash ? slash + 1 : master->path;
    return TWOLEG_NONE;
}

static enum twoleg_error master_check(const struct master *master, const struct stat *status,
                                      char reason[static 512])
{
    mode_t wide = master->credential ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    if (!S_ISREG(status->st_mode))
        return reason_set(reason, TWOLEG_REFUSED, "the master key %s is not a regular file",
                          master->path);
    if (!master_owner_trusted(status))
        return reason_set(reason, TWOLEG_REFUSED,
                          "the master key %s belongs to another user (uid %u): chown it to the "
                          "server's user",
                          master->path, status->st_uid);
    if (status->st_mode & wide)
        return reason_set(reason, TWOLEG_REFUSED,
                          "the master key %s is open to others (mode %04o): chmod 600 %s",
                          master->path, status->st_mode & 07777, master->path);
    if (status->st_size != MASTER_SIZE)
        return reason_set(reason, TWOLEG_REFUSED,
                          "the master key %s has %lld bytes, not %d: put the right file there",
                          master->path, (long long)status->st_size, MASTER_SIZE);
    return TWOLEG_NONE;
}

static bool master_fill(int fd, uint8_t *bytes)
{
    size_t have = 0;
    while (have < MASTER_SIZE) {
        ssize_t got = fault_here(FAULT_IO) ? -1 : read(fd, bytes + have, MASTER_SIZE - have);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        have += got > 0 ? (size_t)got : 0;
    }
    return true;
}

void master_sweep(const struct master *master)
{
    char reason[512];
    int folder MASTER_CLOSED = -1;
    const char *name;
    // Only where we make keys; what is wrong with the folder is said when the key is read.
    if (master->given || master_folder(master, &folder, &name, reason) != TWOLEG_NONE)
        return;
    if (unlinkat(folder, MASTER_NEW, 0) == 0)
        fsync(folder);
}

enum twoleg_error master_read(struct master *master, char reason[static 512])
{
    int folder MASTER_CLOSED = -1;
    const char *name;
    enum twoleg_error error = master_folder(master, &folder, &name, reason);
    if (error)
        return error;
    // Not blocking: somebody may have put a FIFO there.
    int fd MASTER_CLOSED =
        openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return reason_set(reason, TWOLEG_NOT_FOUND, "there is no master key %s", master->path);
    if (fd < 0 && errno == ELOOP)
        return reason_set(reason, TWOLEG_REFUSED,
                          "the master key %s is a symbolic link: name the file itself",
                          master->path);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return reason_set(reason, TWOLEG_REFUSED, "the master key %s cannot be opened: %s",
                          master->path, strerror(errno));
    error = master_check(master, &status, reason);
    if (error)
        return error;
    if (!master_fill(fd, master->bytes))
        return reason_set(reason, TWOLEG_REFUSED, "the master key %s cannot be read",
                          master->path);
    return TWOLEG_NONE;
}

static bool master_write(int fd, const uint8_t *bytes)
{
    size_t done = 0;
    while (done < MASTER_SIZE) {
        ssize_t put = fault_here(FAULT_IO) ? -1 : write(fd, bytes + done, MASTER_SIZE - done);
        if (put < 0 && errno != EINTR)
            return false;
        done += put > 0 ? (size_t)put : 0;
    }
    return fchmod(fd, S_IRUSR | S_IWUSR) == 0 && !fault_here(FAULT_IO) && fsync(fd) == 0;
}

// Under another name first: a crash in between leaves no truncated key, and link refuses to
// replace one that somebody else has made meanwhile.
static bool master_put(int folder, const char *name, const uint8_t *bytes)
{
    static const char fresh[] = MASTER_NEW;
    if (unlinkat(folder, fresh, 0) != 0 && errno != ENOENT)
        return false;
    int fd MASTER_CLOSED = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = master_write(fd, bytes) && linkat(folder, fresh, folder, name, 0) == 0;
    int problem = errno;
    bool gone = unlinkat(folder, fresh, 0) == 0;
    errno = good ? errno : problem;
    return good && gone && !fault_here(FAULT_IO) && fsync(folder) == 0;
}

enum twoleg_error master_make(struct master *master, struct env *env, char reason[static 512])
{
    int folder MASTER_CLOSED = -1;
    const char *name;
    enum twoleg_error error = master_folder(master, &folder, &name, reason);
    if (error)
        return error;
    if (!env_random(env, master->bytes, MASTER_SIZE))
        return reason_set(reason, TWOLEG_NO_RANDOM,
                          "the system gave no randomness for a master key");
    errno = 0;
    if (!master_put(folder, name, master->bytes))
        return reason_set(reason, TWOLEG_REFUSED, "the master key %s cannot be created: %s",
                          master->path, errno ? strerror(errno) : "it could not be written");
    return TWOLEG_NONE;
}
