// SPDX-License-Identifier: Apache-2.0
#include "http/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fault.h"

#define STREAM_PARTS_MAX 2

enum stream_result stream_recv(struct stream *stream, char *ret_bytes, size_t room, size_t *ret_len)
{
    ssize_t got;
    if (fault_here(FAULT_IO))
        return STREAM_FAILED;
    do
        got = recv(stream->fd, ret_bytes, room, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return STREAM_END;
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : STREAM_FAILED;
    *ret_len = (size_t)got;
    return STREAM_DONE;
}

static ssize_t stream_send_once(int fd, const struct str *parts, size_t count)
{
    if (fault_here(FAULT_IO)) {
        errno = ECONNRESET;
        return -1;
    }
    if (count == 1)
        return send(fd, parts[0].ptr, parts[0].len, MSG_NOSIGNAL | MSG_DONTWAIT);
    struct iovec pieces[STREAM_PARTS_MAX];
    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct iovec){.iov_base = (void *)(uintptr_t)parts[i].ptr,
                                   .iov_len = parts[i].len};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void stream_advance(struct str *parts, size_t count, size_t sent)
{
    for (size_t i = 0; i < count && sent > 0; i++) {
        size_t take = sent < parts[i].len ? sent : parts[i].len;
        parts[i] = str_of(parts[i].ptr + take, parts[i].len - take);
        sent -= take;
    }
}

enum stream_result stream_send(struct stream *stream, struct str *parts, size_t count)
{
    for (;;) {
        while (count > 0 && parts[0].len == 0) {
            parts++;
            count--;
        }
        while (count > 0 && parts[count - 1].len == 0)
            count--;
        if (count == 0)
            return STREAM_DONE;
        ssize_t sent = stream_send_once(stream->fd, parts, count);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : STREAM_FAILED;
        stream_advance(parts, count, (size_t)sent);
    }
}

void stream_shut(struct stream *stream)
{
    shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}
