// SPDX-License-Identifier: Apache-2.0
#include "cli/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/secret_prompt.h"
#include "cli/show.h"
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
    bool password = cli_given(cli, CLI_PASSWORD_FILE);
    const char *path = cli_value(cli, password ? CLI_PASSWORD_FILE : CLI_CLIENT_SECRET_FILE);
    char text[SECRET_FILE_MAX + 1];
    if (!path)
        return CLI_DONE;
    bool standard = strcmp(path, "-") == 0;
    bool ask = standard && isatty(STDIN_FILENO);
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1
                  : ask  ? secret_prompt(text, sizeof text)
                         : secret_file_take(fd, text, sizeof text);
    int reason = errno;
    if (fd >= 0 && !standard)
        close(fd);
    if (got < 0)
        return cli_fail(CLI_REFUSED, "%s: %s", standard ? "standard input" : path,
                        strerror(reason));
    struct str secret = str_of(text, (size_t)got);
    if (str_ends_with(secret, STR("\n")))
        secret.len--;
    if (str_ends_with(secret, STR("\r")))
        secret.len--;
    enum cli_exit code = CLI_DONE;
    // json_stringn refuses what is not UTF-8: no such byte is ASCII either, and no password's. The
    // server says the rest.
    json_t *value = secret.len > SECRET_MAX ? NULL : json_stringn(secret.ptr, secret.len);
    if (!value || json_object_set_new(body, password ? "password" : "client_secret", value) != 0)
        code = cli_fail(CLI_REFUSED, "%s: a %s is up to %d %s", standard ? "standard input" : path,
                        password ? "password" : "secret", SECRET_MAX,
                        password ? "bytes of UTF-8" : "ASCII characters");
    explicit_bzero(text, sizeof text);
    return code;
}

enum cli_exit secret_file_open(struct cli *cli, struct secret_file *ret_file)
{
    *ret_file = (struct secret_file){.path = cli_value(cli, CLI_SECRET_FILE), .fd = -1};
    // A reader that has gone must not end us before it is said which secret is lost.
    signal(SIGPIPE, SIG_IGN);
    if (!ret_file->path)
        return CLI_DONE;
    if (cli_given(cli, CLI_CLIENT_SECRET_FILE))
        return cli_usage(cli, "--secret-file is for a secret that is made here, not a brought one");
    if (strcmp(ret_file->path, "-") == 0)
        return cli_usage(cli, "--secret-file is a new file, not \"-\". Without the option the "
                              "secret is printed once; --json prints it as client_secret");
    ret_file->fd = open(ret_file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ret_file->fd < 0)
        return cli_fail(errno == EEXIST ? CLI_CONFLICT : CLI_REFUSED, "%s: %s", ret_file->path,
                        strerror(errno));
    return CLI_DONE;
}

static enum cli_exit secret_file_lost(const char *where, int reason, const json_t *answer)
{
    const char *id = show_member(answer, "client_id");
    const char *number = show_member(answer, "secret");
    return cli_fail(CLI_REFUSED, "%s: %s. The application %s exists, but the text of its secret %s "
                    "is lost: make another with `twoleg secret add %s`, and remove the lost one "
                    "with `twoleg secret remove %s %s`", where, strerror(reason), id, number, id,
                    id, number);
}

static bool secret_file_write(int fd, struct str text)
{
    while (text.len) {
        ssize_t put = write(fd, text.ptr, text.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text = str_slice(text, (size_t)put, text.len);
    }
    return fsync(fd) == 0;
}

enum cli_exit secret_file_close(struct secret_file *file, const json_t *answer)
{
    if (file->fd < 0)
        return CLI_DONE;
    bool good = !answer ||
                secret_file_write(file->fd, str_from(show_member(answer, "client_secret")));
    int reason = errno;
    good = close(file->fd) == 0 && good;
    file->fd = -1;
    if (!answer || !good)
        unlink(file->path);
    return good ? CLI_DONE : secret_file_lost(file->path, reason, answer);
}

enum cli_exit secret_file_printed(const struct secret_file *file, const json_t *answer)
{
    bool shown = !file->path && show_member(answer, "client_secret")[0];
    errno = EIO;
    if (!shown || (fflush(stdout) == 0 && !ferror(stdout)))
        return CLI_DONE;
    return secret_file_lost("standard output", errno, answer);
}
