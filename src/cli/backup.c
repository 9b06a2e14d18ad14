// SPDX-License-Identifier: Apache-2.0
// A copy of the store. The server writes it into its data folder, since it may write nowhere else;
// from there it is taken to the place that was asked for, with the rights of whoever asked.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/show.h"

#define BACKUP_PIECE ((size_t)64 * 1024)
#define BACKUP_STALE_S 600 // so long nobody has written to it, and nobody has taken it

struct backup {
    struct cli *cli;
    const char *staged; // where the server puts it
    const char *file;   // where it is to be
    char folder[4096];  // of file
    char temporary[4160];
};

// "path/name", or path alone; absolute, since the server has a working folder of its own.
static const char *backup_absolute(struct cli *cli, const char *path, const char *name)
{
    char current[3000] = "";
    struct buf whole;
    if (path[0] != '/' && !getcwd(current, sizeof current))
        return NULL;
    buf_init_arena(&whole, &cli->arena, 256);
    if (path[0] != '/')
        buf_addf(&whole, "%s/", current);
    buf_addf(&whole, "%s%s%s", path, *name ? "/" : "", name);
    buf_add_char(&whole, '\0');
    return whole.failed ? NULL : whole.ptr;
}

static enum cli_exit backup_fail(const struct backup *backup)
{
    enum cli_exit code = errno == EEXIST ? CLI_CONFLICT : CLI_REFUSED;
    return cli_fail(code, "%s: %s (data folder %s)", backup->file, strerror(errno),
                    backup->cli->folder);
}

// Where it is to be, as an absolute path: that is what the audit row says.
static enum cli_exit backup_name(struct backup *backup)
{
    struct cli *cli = backup->cli;
    char name[64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof name, "staged-%lld.%09ld.db", (long long)now.tv_sec, now.tv_nsec);
    backup->file = backup_absolute(cli, cli->arguments[0], "");
    backup->staged = backup_absolute(cli, cli->folder, name);
    if (!backup->file || !backup->staged)
        return cli_fail(CLI_REFUSED, "the file's path cannot be made absolute");
    const char *slash = strrchr(backup->file, '/');
    if (!slash || (size_t)(slash - backup->file) >= sizeof backup->folder)
        return cli_usage(cli, "the file's path is too long");
    int len = (int)(slash - backup->file);
    snprintf(backup->folder, sizeof backup->folder, "%.*s", len ? len : 1, backup->file);
    snprintf(backup->temporary, sizeof backup->temporary, "%s/.twoleg-%s", backup->folder, name);
    return CLI_DONE;
}

// What commands and servers that were killed have left, with the server's own files beside it. Who
// still wants such a copy after all, since it was stopped for so long, hears that it is gone.
static void backup_clear(const char *path, const char *pattern)
{
    DIR *folder = opendir(path);
    time_t now = time(NULL);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        struct stat info;
        bool stale = fnmatch(pattern, entry->d_name, 0) == 0 &&
                     fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                     S_ISREG(info.st_mode) && now - info.st_mtime > BACKUP_STALE_S;
        if (stale)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder)
        closedir(folder);
}

static bool backup_copy_bytes(int to, int from)
{
    char piece[BACKUP_PIECE];
    for (;;) {
        ssize_t got = read(from, piece, sizeof piece);
        if (got <= 0)
            return got == 0;
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, piece + done, (size_t)(got - done));
            if (put < 0)
                return false;
            done += put;
        }
    }
}

// To another file system: whole and durable under another name, before it gets its own.
static bool backup_copy(const struct backup *backup)
{
    int from = open(backup->staged, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to = from < 0 ? -1
                      : open(backup->temporary,
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = to >= 0 && backup_copy_bytes(to, from) && fsync(to) == 0 &&
                link(backup->temporary, backup->file) == 0;
    int number = errno;
    if (to >= 0) {
        unlink(backup->temporary);
        close(to);
    }
    if (from >= 0)
        close(from);
    errno = number;
    return good;
}

// link and not rename: it refuses a name that is taken.
static enum cli_exit backup_take(const struct backup *backup)
{
    bool good = link(backup->staged, backup->file) == 0;
    if (!good && (errno == EXDEV || errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP))
        good = backup_copy(backup);
    enum cli_exit code = good ? CLI_DONE : backup_fail(backup);
    int folder = good ? open(backup->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (good && (folder < 0 || fsync(folder)))
        code = backup_fail(backup);
    if (folder >= 0)
        close(folder);
    unlink(backup->staged);
    return code;
}

// Said before the server works for nothing.
static enum cli_exit backup_look(const struct backup *backup)
{
    struct stat info;
    if (lstat(backup->file, &info) == 0)
        errno = EEXIST;
    else if (errno == ENOENT && stat(backup->folder, &info) == 0)
        return CLI_DONE;
    return backup_fail(backup);
}

enum cli_exit cli_backup(struct cli *cli)
{
    json_t *answer;
    struct backup backup = {.cli = cli};
    const char *folder = cli_folder(cli);
    if (!folder)
        return CLI_NO_SERVER;
    enum cli_exit code = backup_name(&backup);
    if (code)
        return code;
    json_t *body = json_pack("{s:s, s:s}", "file", backup.staged, "destination", backup.file);
    if (!body)
        return cli_usage(cli, "the file's name must be UTF-8");
    code = backup_look(&backup);
    if (code) {
        json_decref(body);
        return code;
    }
    backup_clear(folder, "staged-[0-9]*.[0-9]*.db*");
    backup_clear(backup.folder, ".twoleg-staged-[0-9]*.[0-9]*.db");
    code = cli_call(cli, "POST", "/admin/v1/backup", body, &answer);
    if (code) {
        // The copy may be whole and only its note in the audit refused: nobody asked for it there.
        unlink(backup.staged);
        return code;
    }
    code = backup_take(&backup);
    if (!code) {
        json_object_set_new(answer, "file", json_string(backup.file));
        if (!show_json(cli, answer))
            printf("The store of %s is copied to %s.\n"
                   "The master key is not in it: without the key the copy is of no use. Keep "
                   "both, apart from one another.\n", cli->folder, backup.file);
    }
    json_decref(answer);
    return code;
}
