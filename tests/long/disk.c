// SPDX-License-Identifier: Apache-2.0
// Preloaded into a server: writes down what it asks of the files below DISK_DIR, in the order in
// which it happened, so that tests/long/powercut can play a disk that lost power; and lets such
// calls fail as DISK_FAIL says, so that tests/http/test_disk.py can play one that is full, broken
// or read-only.
//
// DISK_LOG gets one record a call: a line "OP NAME A B\n", for W followed by B bytes.
//   C name          created            W name offset length   written
//   T name size     cut to a size      S name                 synced (the folder: its own name ".")
//   R name to       renamed            L name to              given a second name
//   U name          removed
// DISK_FAIL names a file whose first letter is 'n' (nothing), 'f' (full), 'b' (full, but files can
// be made still), 'r' (read-only), 's' (a sync fails), 'i' (no file can be made) or 'a' (no file
// may be opened for writing).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t disk_once = PTHREAD_ONCE_INIT;
static const char *disk_dir;
static int disk_log = -1;
static const volatile char *disk_fail;

static struct {
    int (*openat)(int, const char *, int, ...);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*ftruncate)(int, off_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*renameat)(int, const char *, int, const char *);
    int (*linkat)(int, const char *, int, const char *, int);
    int (*unlinkat)(int, const char *, int);
} real;

static void disk_init(void)
{
    // ISO C has no conversion between pointers to data and to functions; POSIX wants this one.
    *(void **)&real.openat = dlsym(RTLD_NEXT, "openat");
    *(void **)&real.write = dlsym(RTLD_NEXT, "write");
    *(void **)&real.pwrite = dlsym(RTLD_NEXT, "pwrite");
    *(void **)&real.ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    *(void **)&real.fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real.fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&real.renameat = dlsym(RTLD_NEXT, "renameat");
    *(void **)&real.linkat = dlsym(RTLD_NEXT, "linkat");
    *(void **)&real.unlinkat = dlsym(RTLD_NEXT, "unlinkat");
    disk_dir = getenv("DISK_DIR");
    const char *log = getenv("DISK_LOG");
    const char *fail = getenv("DISK_FAIL");
    if (log)
        disk_log = real.openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int fd = fail ? real.openat(AT_FDCWD, fail, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
        disk_fail = page == MAP_FAILED ? NULL : page;
        close(fd);
    }
}

// The name below DISK_DIR, "." for the folder itself; false for all that is elsewhere, for what is
// rebuilt at each start, and for what is no part of the store.
static bool disk_name(const char *path, char ret_name[static PATH_MAX])
{
    size_t len = disk_dir ? strlen(disk_dir) : 0;
    if (!len || strncmp(path, disk_dir, len) != 0)
        return false;
    if (!path[len]) {
        strcpy(ret_name, ".");
        return true;
    }
    if (path[len] != '/' || strstr(path, "-shm") || strstr(path, ".sock") ||
        strstr(path, " (deleted)"))
        return false;
    snprintf(ret_name, PATH_MAX, "%s", path + len + 1);
    return true;
}

static bool disk_name_of(int fd, char ret_name[static PATH_MAX])
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return false;
    path[len] = 0;
    return disk_name(path, ret_name);
}

static bool disk_name_at(int fd, const char *path, char ret_name[static PATH_MAX])
{
    char folder[PATH_MAX];
    if (path[0] == '/' || fd == AT_FDCWD)
        return disk_name(path, ret_name);
    if (!disk_name_of(fd, folder) || strcmp(folder, ".") != 0 || strstr(path, "-shm"))
        return false;
    snprintf(ret_name, PATH_MAX, "%s", path);
    return true;
}

static void disk_put(const void *bytes, size_t len)
{
    if (real.write(disk_log, bytes, len) != (ssize_t)len)
        abort(); // a record with a hole would accuse the server
}

static void disk_note(const char *op, const char *name, const char *rest)
{
    char line[2 * PATH_MAX];
    int len = snprintf(line, sizeof line, "%s %s %s\n", op, name, rest);
    if (disk_log >= 0)
        disk_put(line, (size_t)len);
}

// One call at a time, so that the record has the order of what happened.
static void disk_enter(void)
{
    pthread_once(&disk_once, disk_init);
    pthread_mutex_lock(&disk_lock);
}

static void disk_leave(void)
{
    int error = errno;
    pthread_mutex_unlock(&disk_lock);
    errno = error;
}

// 0, or the errno with which a change of a file must fail now.
static int disk_refuses(void)
{
    char mode = disk_fail ? *disk_fail : 'n';
    return mode == 'f' || mode == 'b' ? ENOSPC : mode == 'r' ? EROFS : 0;
}

static int disk_refuses_open(int flags, bool fresh)
{
    char mode = disk_fail ? *disk_fail : 'n';
    if (mode == 'a' && (flags & O_ACCMODE) != O_RDONLY)
        return EACCES;
    return !fresh || mode == 'b' ? 0 : mode == 'i' ? ENOSPC : disk_refuses();
}

static ssize_t disk_write(int fd, const void *bytes, size_t len, off_t at, bool placed)
{
    char name[PATH_MAX], rest[64];
    disk_enter();
    bool ours = disk_name_of(fd, name);
    ssize_t put = -1;
    if (ours && disk_refuses()) {
        errno = disk_refuses();
    } else {
        off_t end = placed ? at : lseek(fd, 0, SEEK_CUR);
        put = placed ? real.pwrite(fd, bytes, len, at) : real.write(fd, bytes, len);
        if (ours && put > 0 && disk_log >= 0) {
            snprintf(rest, sizeof rest, "%lld %zd", (long long)end, put);
            disk_note("W", name, rest);
            disk_put(bytes, (size_t)put);
        }
    }
    disk_leave();
    return put;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return disk_write(fd, bytes, len, 0, false);
}
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return disk_write(fd, bytes, len, at, true);
}
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return disk_write(fd, bytes, len, at, true);
}

int ftruncate(int fd, off_t size)
{
    char name[PATH_MAX], rest[32];
    disk_enter();
    bool ours = disk_name_of(fd, name);
    int failed = -1;
    if (ours && disk_refuses())
        errno = disk_refuses();
    else
        failed = real.ftruncate(fd, size);
    if (ours && !failed) {
        snprintf(rest, sizeof rest, "%lld", (long long)size);
        disk_note("T", name, rest);
    }
    disk_leave();
    return failed;
}
int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

static int disk_sync(int fd, bool data)
{
    char name[PATH_MAX];
    disk_enter();
    bool ours = disk_name_of(fd, name);
    int failed = -1;
    if (ours && disk_fail && *disk_fail == 's')
        errno = EIO;
    else
        failed = data ? real.fdatasync(fd) : real.fsync(fd);
    if (ours && !failed)
        disk_note("S", name, "");
    disk_leave();
    return failed;
}

int fsync(int fd)
{
    return disk_sync(fd, false);
}
int fdatasync(int fd)
{
    return disk_sync(fd, true);
}

static int disk_open(int at, const char *path, int flags, mode_t mode)
{
    char name[PATH_MAX];
    struct stat info;
    disk_enter();
    bool ours = disk_name_at(at, path, name);
    bool fresh = (flags & O_CREAT) && fstatat(at, path, &info, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = -1;
    if (ours && disk_refuses_open(flags, fresh))
        errno = disk_refuses_open(flags, fresh);
    else
        fd = real.openat(at, path, flags, mode);
    if (ours && fd >= 0 && fresh)
        disk_note("C", name, "");
    else if (ours && fd >= 0 && (flags & O_TRUNC))
        disk_note("T", name, "0");
    disk_leave();
    return fd;
}

static mode_t disk_mode(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = disk_mode(flags, arguments);
    va_end(arguments);
    return disk_open(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = disk_mode(flags, arguments);
    va_end(arguments);
    return disk_open(AT_FDCWD, path, flags, mode);
}
int openat(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = disk_mode(flags, arguments);
    va_end(arguments);
    return disk_open(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = disk_mode(flags, arguments);
    va_end(arguments);
    return disk_open(at, path, flags, mode);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    char name[PATH_MAX], other[PATH_MAX];
    disk_enter();
    bool ours = disk_name_at(from_at, from, name) && disk_name_at(to_at, to, other);
    int failed = -1;
    if (ours && disk_refuses() == EROFS)
        errno = EROFS;
    else
        failed = real.renameat(from_at, from, to_at, to);
    if (ours && !failed)
        disk_note("R", name, other);
    disk_leave();
    return failed;
}
int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    char name[PATH_MAX], other[PATH_MAX];
    disk_enter();
    bool ours = disk_name_at(from_at, from, name) && disk_name_at(to_at, to, other);
    int failed = -1;
    if (ours && disk_refuses())
        errno = disk_refuses();
    else
        failed = real.linkat(from_at, from, to_at, to, flags);
    if (ours && !failed)
        disk_note("L", name, other);
    disk_leave();
    return failed;
}

int unlinkat(int at, const char *path, int flags)
{
    char name[PATH_MAX];
    disk_enter();
    bool ours = disk_name_at(at, path, name);
    int failed = -1;
    if (ours && disk_refuses() == EROFS)
        errno = EROFS;
    else
        failed = real.unlinkat(at, path, flags);
    if (ours && !failed)
        disk_note("U", name, "");
    disk_leave();
    return failed;
}
int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}
