// SPDX-License-Identifier: Apache-2.0
#include "cli/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "model/application.h"

#define SECRET_FILE_MAX (SECRET_MAX + 2) // and its line end

static ssize_t secret_file_take(int fd, char *text, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, text + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

enum cli_exit secret_file_read(struct cli *cli, json_t *body)
{
    const char *path = cli_value(cli, CLI_CLIENT_SECRET_FILE);
    char text[SECRET_FILE_MAX + 1];
    if (!path)
        return CLI_DONE;
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : secret_file_take(fd, text, sizeof text);
    int reason = errno;
    if (fd >= 0 && !standard)
        close(fd);
    if (got < 0)
        return cli_fail(CLI_REFUSED, "%s: %s", path, strerror(reason));
    struct str secret = str_of(text, (size_t)got);
    if (str_ends_with(secret, STR("\n")))
        secret.len--;
    if (str_ends_with(secret, STR("\r")))
        secret.len--;
    enum cli_exit code = CLI_DONE;
    // json_stringn refuses what is not UTF-8: no such byte is visible ASCII either.
    json_t *value = secret.len > SECRET_MAX ? NULL : json_stringn(secret.ptr, secret.len);
    if (!value || json_object_set_new(body, "client_secret", value) != 0)
        code = cli_fail(CLI_REFUSED, "%s: a secret is up to %d visible ASCII characters",
                        standard ? "standard input" : path, SECRET_MAX);
    explicit_bzero(text, sizeof text);
    return code;
}

enum cli_exit secret_file_open(struct cli *cli, struct secret_file *ret_file)
{
    *ret_file = (struct secret_file){.path = cli_value(cli, CLI_SECRET_FILE), .fd = -1};
    if (!ret_file->path)
        return CLI_DONE;
    if (cli_given(cli, CLI_CLIENT_SECRET_FILE))
        return cli_usage(cli, "--secret-file is for a secret that is made here, not a brought one");
    ret_file->fd = open(ret_file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ret_file->fd < 0)
        return cli_fail(errno == EEXIST ? CLI_CONFLICT : CLI_REFUSED, "%s: %s", ret_file->path,
                        strerror(errno));
    return CLI_DONE;
}

enum cli_exit secret_file_close(struct secret_file *file, const char *secret)
{
    if (file->fd < 0)
        return CLI_DONE;
    size_t len = secret ? strlen(secret) : 0;
    bool good = !secret || (write(file->fd, secret, len) == (ssize_t)len && fsync(file->fd) == 0);
    int reason = errno;
    good = close(file->fd) == 0 && good;
    file->fd = -1;
    if (!secret || !good)
        unlink(file->path);
    if (good)
        return CLI_DONE;
    return cli_fail(CLI_REFUSED, "%s: %s. The secret was made but could not be written: make "
                    "another one with `twoleg secret add`, and remove this one", file->path,
                    strerror(reason));
}
