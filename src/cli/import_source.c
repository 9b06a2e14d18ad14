// SPDX-License-Identifier: Apache-2.0
#include "cli/import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t import_read(int fd, char *into, size_t size)
{
    ssize_t got;
    do
        got = read(fd, into, size);
    while (got < 0 && errno == EINTR);
    return got;
}

static bool import_write(int fd, const char *from, size_t len)
{
    while (len) {
        ssize_t put = write(fd, from, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        from += put;
        len -= (size_t)put;
    }
    return true;
}

static bool import_copy(struct import_source *source, int from, int into)
{
    size_t total = 0;
    for (;;) {
        ssize_t got = import_read(from, source->buffer, sizeof source->buffer);
        if (got <= 0)
            return got == 0;
        total += (size_t)got;
        if (total > IMPORT_STREAM_MAX) {
            errno = EFBIG;
            return false;
        }
        if (!import_write(into, source->buffer, (size_t)got))
            return false;
    }
}

// In the place of what cannot be read a second time.
static bool import_hold(struct import_source *source)
{
    int copy = memfd_create("twoleg-import", MFD_CLOEXEC);
    if (copy < 0)
        return false;
    bool good = import_copy(source, source->fd, copy);
    int reason = errno;
    close(source->fd);
    source->fd = copy;
    errno = reason;
    return good && import_source_rewind(source);
}

bool import_source_open(struct import_source *source, const char *path)
{
    struct stat facts;
    *source = (struct import_source){.fd = -1};
    source->fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                        : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &facts) != 0)
        return false;
    if (S_ISDIR(facts.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return S_ISREG(facts.st_mode) ? import_source_rewind(source) : import_hold(source);
}

void import_source_close(struct import_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    explicit_bzero(source->buffer, sizeof source->buffer);
}

bool import_source_rewind(struct import_source *source)
{
    source->number = 0;
    source->at = source->len = 0;
    source->ended = false;
    return lseek(source->fd, 0, SEEK_SET) == 0;
}

// More bytes behind those that are there; false at the end, or with errno.
static bool import_fill(struct import_source *source)
{
    memmove(source->buffer, source->buffer + source->at, source->len);
    source->at = 0;
    ssize_t got = import_read(source->fd, source->buffer + source->len,
                              sizeof source->buffer - source->len);
    if (got > 0)
        source->len += (size_t)got;
    source->ended = got == 0;
    return got > 0;
}

// Behind the end of the line whose start has been thrown away.
static enum import_take import_skip(struct import_source *source)
{
    for (;;) {
        const char *from = source->buffer + source->at;
        const char *end = memchr(from, '\n', source->len);
        size_t used = end ? (size_t)(end - from) + 1 : source->len;
        source->at += used;
        source->len -= used;
        if (end || (!import_fill(source) && source->ended))
            return IMPORT_TOO_LONG;
        if (source->len == 0)
            return IMPORT_FAILED;
    }
}

enum import_take import_source_next(struct import_source *source, struct str *ret_line)
{
    source->number++;
    for (;;) {
        const char *from = source->buffer + source->at;
        const char *end = source->len ? memchr(from, '\n', source->len) : NULL;
        size_t len = end ? (size_t)(end - from) : source->len;
        if (len > IMPORT_LINE_MAX)
            return import_skip(source);
        if (end || (source->ended && source->len)) {
            size_t used = end ? len + 1 : len;
            source->at += used;
            source->len -= used;
            *ret_line = str_of(from, len);
            return IMPORT_TAKEN;
        }
        if (source->ended)
            return IMPORT_END;
        if (!import_fill(source) && !source->ended)
            return IMPORT_FAILED;
    }
}
