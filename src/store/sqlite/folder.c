// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

#define FOLDER_LOCK "lock"

static enum twoleg_error folder_refuse(const char *path, const char *why,
                                       char ret_reason[static FOLDER_REASON])
{
    snprintf(ret_reason, FOLDER_REASON, "%.380s: %s", path, why);
    return TWOLEG_REFUSED;
}

static enum twoleg_error folder_errno(const char *path, int number,
                                      char ret_reason[static FOLDER_REASON])
{
    snprintf(ret_reason, FOLDER_REASON, "%.380s: %s", path, strerror(number));
    return number == ENOENT ? TWOLEG_NOT_FOUND : TWOLEG_STORE_FAILED;
}

// The new entry in the folder above survives a power loss.
static bool folder_sync_above(const char *path)
{
    char above[PATH_MAX];
    int len = snprintf(above, sizeof above, "%s/..", path);
    int fd = len > 0 && (size_t)len < sizeof above
                 ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : -1;
    // One that we may enter but not read cannot be synced by us, and is no reason to refuse.
    bool synced = fd >= 0 ? fsync(fd) == 0 : errno == EACCES;
    if (fd >= 0)
        close(fd);
    return synced;
}

// Each is ours alone from its first moment.
enum twoleg_error folder_make(const char *path, char ret_reason[static FOLDER_REASON])
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof part)
        return folder_refuse(path, "the name is too long", ret_reason);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        bool made = mkdir(part, 0700) == 0;
        if ((!made && errno != EEXIST) || (made && !folder_sync_above(part)))
            return folder_errno(part, errno, ret_reason);
        part[i] = path[i];
    }
    return TWOLEG_NONE;
}

// D3: what others may read or write is not ours alone.
static enum twoleg_error folder_check_owner(const struct stat *info, const char *path,
                                            char ret_reason[static FOLDER_REASON])
{
    char why[128];
    if (info->st_uid != geteuid()) {
        snprintf(why, sizeof why, "belongs to uid %u, but this process runs as uid %u",
                 (unsigned)info->st_uid, (unsigned)geteuid());
        return folder_refuse(path, why, ret_reason);
    }
    if (info->st_mode & 077) {
        snprintf(why, sizeof why, "is open to others (mode %04o): chmod %s it",
                 (unsigned)info->st_mode & 07777, S_ISDIR(info->st_mode) ? "0700" : "0600");
        return folder_refuse(path, why, ret_reason);
    }
    return TWOLEG_NONE;
}

static enum twoleg_error folder_enter(struct folder *folder, const char *path,
                                      char ret_reason[static FOLDER_REASON])
{
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder->fd < 0) {
        struct stat link;
        bool is_link = lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
        return is_link ? folder_refuse(path, "is a symbolic link: name the folder itself",
                                       ret_reason)
                       : folder_errno(path, errno == ELOOP ? ENOTDIR : errno, ret_reason);
    }
    struct stat info;
    if (fstat(folder->fd, &info))
        return folder_errno(path, errno, ret_reason);
    enum twoleg_error error = folder_check_owner(&info, path, ret_reason);
    if (!error && !realpath(path, folder->path))
        error = folder_errno(path, errno, ret_reason);
    return error;
}

static enum twoleg_error folder_lock(struct folder *folder, char ret_reason[static FOLDER_REASON])
{
    folder->lock = openat(folder->fd, FOLDER_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (folder->lock < 0)
        return folder_errno(folder->path, errno, ret_reason);
    if (flock(folder->lock, LOCK_EX | LOCK_NB)) {
        char holder[16] = "";
        ssize_t got = pread(folder->lock, holder, sizeof holder - 1, 0);
        holder[strcspn(holder, "\n")] = '\0';
        snprintf(ret_reason, FOLDER_REASON, "%.380s: in use by another server (pid %s)",
                 folder->path, got > 0 ? holder : "unknown");
        return TWOLEG_CONFLICT;
    }
    char pid[16];
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(folder->lock, 0) || pwrite(folder->lock, pid, (size_t)len, 0) != len)
        return folder_errno(folder->path, errno, ret_reason);
    return TWOLEG_NONE;
}

enum twoleg_error folder_open(struct folder *folder, const char *path, bool create,
                              char ret_reason[static FOLDER_REASON])
{
    *folder = (struct folder){.fd = -1, .lock = -1};
    enum twoleg_error error = TWOLEG_NONE;
    if (fault_here(FAULT_IO))
        error = folder_errno(path, EIO, ret_reason);
    struct stat info;
    if (!error && create && lstat(path, &info) && errno == ENOENT)
        error = folder_make(path, ret_reason);
    if (!error)
        error = folder_enter(folder, path, ret_reason);
    if (!error)
        error = folder_lock(folder, ret_reason);
    if (error)
        folder_close(folder);
    return error;
}

void folder_close(struct folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    if (folder->fd >= 0)
        close(folder->fd);
    *folder = (struct folder){.fd = -1, .lock = -1};
}

bool folder_join(const struct folder *folder, const char *name, char ret_path[static PATH_MAX])
{
    int len = snprintf(ret_path, PATH_MAX, "%s/%s", folder->path, name);
    return len > 0 && len < PATH_MAX;
}

enum twoleg_error folder_check_file(const struct folder *folder, const char *name,
                                    int64_t *ret_size, char ret_reason[static FOLDER_REASON])
{
    char path[PATH_MAX];
    if (!folder_join(folder, name, path))
        return folder_refuse(folder->path, "the name is too long", ret_reason);
    struct stat info;
    if (fstatat(folder->fd, name, &info, AT_SYMLINK_NOFOLLOW)) {
        if (errno != ENOENT)
            return folder_errno(path, errno, ret_reason);
        *ret_size = -1;
        return TWOLEG_NONE;
    }
    if (S_ISLNK(info.st_mode))
        return folder_refuse(path, "is a symbolic link: put the file itself there", ret_reason);
    if (!S_ISREG(info.st_mode))
        return folder_refuse(path, "is not a file", ret_reason);
    *ret_size = info.st_size;
    return folder_check_owner(&info, path, ret_reason);
}

enum twoleg_error folder_make_file(const struct folder *folder, const char *name,
                                   char ret_reason[static FOLDER_REASON])
{
    if (fault_here(FAULT_IO))
        return folder_errno(folder->path, EIO, ret_reason);
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(folder->fd, name, flags, 0600);
    if (fd < 0)
        return folder_errno(folder->path, errno, ret_reason);
    close(fd);
    return TWOLEG_NONE;
}

enum twoleg_error folder_sync(const struct folder *folder)
{
    return fault_here(FAULT_IO) || fsync(folder->fd) ? TWOLEG_STORE_FAILED : TWOLEG_NONE;
}

enum twoleg_error folder_publish(const struct folder *folder, const char *from, const char *name)
{
    int fd = openat(folder->fd, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool failed = fd < 0 || fault_here(FAULT_IO) || fsync(fd);
    if (fd >= 0)
        close(fd);
    if (failed || fault_here(FAULT_IO) || renameat(folder->fd, from, folder->fd, name))
        return TWOLEG_STORE_FAILED;
    return folder_sync(folder);
}
