// SPDX-License-Identifier: Apache-2.0
// How one master key follows another. The new one is on the disk, beside the old one, before any
// key is wrapped under it, and takes its name only after all are: whenever the server is cut off,
// one of the two files opens the store, and a start finds out which.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "crypto/compare.h"
#include "crypto/wipe.h"
#include "keyring/master.h"
#include "keyring/reason.h"

// The file beside the master key; its content goes to bytes. False: the name is too long.
static bool master_beside(const struct master *master, const char *end, uint8_t *bytes,
                          struct master *ret_beside)
{
    memset(ret_beside, 0, sizeof *ret_beside);
    int len = snprintf(ret_beside->path, sizeof ret_beside->path, "%s%s", master->path, end);
    ret_beside->given = true;
    ret_beside->bytes = bytes;
    return len > 0 && (size_t)len < sizeof ret_beside->path;
}

// Is the file's content the key in use?
static bool master_holds(const struct master *master, const char *end)
{
    struct secret_bytes SECRET_BYTES_WIPED content = {.len = MASTER_SIZE};
    struct master file;
    char reason[512];
    if (!master_beside(master, end, content.bytes, &file))
        return false;
    file.credential = master->credential && !*end;
    return master_read(&file, reason) == TWOLEG_NONE &&
           secret_equal(content.bytes, master->bytes, MASTER_SIZE);
}

void master_read_next(struct master *master)
{
    struct master file;
    char reason[512];
    master->has_next = !master->credential && master_beside(master, ".next", master->next, &file) &&
                       master_read(&file, reason) == TWOLEG_NONE;
}

void master_swap(struct master *master)
{
    uint8_t *bytes = master->bytes;
    master->bytes = master->next;
    master->next = bytes;
}

void master_forget_next(struct master *master)
{
    wipe(master->next, MASTER_SIZE);
    master->has_next = false;
}

static bool master_sync_folder(const struct master *master)
{
    char folder[MASTER_PATH_MAX];
    memcpy(folder, master->path, sizeof folder);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = !fault_here(FAULT_IO) && fsync(fd) == 0;
    close(fd);
    return good;
}

// A name that is free: one change a second at most gets its true time.
static bool master_link_before(struct master *master, int64_t now_us)
{
    for (time_t seconds = (time_t)(now_us / SECOND_US), last = seconds + 60; seconds < last;
         seconds++) {
        char stamp[32];
        struct tm parts;
        if (!gmtime_r(&seconds, &parts) ||
            strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts) == 0)
            return false;
        int len = snprintf(master->before, sizeof master->before, "%s.before-%s", master->path,
                           stamp);
        if (len < 0 || (size_t)len >= sizeof master->before)
            return false;
        if (link(master->path, master->before) == 0)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

// Copies of the store from before are of no use without the old one.
static bool master_keep(struct master *master, int64_t now_us)
{
    return !fault_here(FAULT_IO) && master_link_before(master, now_us) &&
           master_sync_folder(master);
}

enum twoleg_error master_place(struct master *master, int64_t now_us, char reason[static 512])
{
    struct master next;
    master->before[0] = '\0';
    if (!master_beside(master, ".next", NULL, &next) || access(next.path, F_OK) != 0)
        return TWOLEG_NONE;
    if (master_holds(master, "")) {
        unlink(next.path);
        return TWOLEG_NONE;
    }
    if (!master_holds(master, ".next"))
        return reason_set(reason, TWOLEG_REFUSED,
                          "neither %s nor %s is the master key in use: put it back", master->path,
                          next.path);
    errno = 0;
    bool kept = master_keep(master, now_us);
    stop_point("master.kept");
    if (!kept || fault_here(FAULT_IO) || rename(next.path, master->path) != 0 ||
        !master_sync_folder(master))
        return reason_set(reason, TWOLEG_REFUSED,
                          "the new master key %s is in use, but it cannot take the place of %s: "
                          "%s. Both must stay until a start of the server has done it",
                          next.path, master->path, errno ? strerror(errno) : "the disk refused");
    stop_point("master.placed");
    return TWOLEG_NONE;
}

enum twoleg_error master_make_next(struct master *master, struct env *env,
                                   char reason[static 512])
{
    struct master next;
    if (master->credential)
        return reason_set(reason, TWOLEG_REFUSED,
                          "the master key %s is a systemd credential, which only systemd can "
                          "replace: start the server once with master_key_file, change it, and "
                          "make a credential of the new file",
                          master->path);
    if (!master_beside(master, ".next", master->next, &next))
        return reason_set(reason, TWOLEG_TOO_LONG, "the path of the master key is too long");
    enum twoleg_error error = master_place(master, env->now_us, reason);
    if (error)
        return error;
    if (!master_holds(master, ""))
        return reason_set(reason, TWOLEG_REFUSED,
                          "the file %s is not the master key in use: put that back first",
                          master->path);
    return master_make(&next, env, reason);
}
