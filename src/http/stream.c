// SPDX-License-Identifier: Apache-2.0
#include "http/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fault.h"

#define STREAM_PARTS_MAX 2

bool stream_has_come(const struct stream *stream)
{
    char byte;
    return recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool stream_secure(struct stream *stream, struct tls_set *tls, struct env *env)
{
    stream->tls = tls_create(tls, stream->fd, env);
    return stream->tls;
}

static void stream_end_tls(struct stream *stream)
{
    tls_destroy(stream->tls);
    stream->tls = NULL;
    stream->pending = false;
}

enum stream_result stream_handshake(struct stream *stream, const char **ret_failure)
{
    enum tls_result result = fault_here(FAULT_IO) ? TLS_FAILED : tls_handshake(stream->tls);
    stream->wants_write = result == TLS_WANTS_WRITE;
    if (result == TLS_WANTS_READ || result == TLS_WANTS_WRITE)
        return STREAM_AGAIN;
    if (result == TLS_DONE) {
        stream->pending = tls_has_pending(stream->tls);
        return STREAM_DONE;
    }
    *ret_failure = tls_failure(stream->tls);
    stream_end_tls(stream);
    return STREAM_FAILED;
}

static enum stream_result stream_recv_tls(struct stream *stream, char *ret_bytes, size_t room,
                                          size_t *ret_len)
{
    stream->pending = false;
    switch (tls_recv(stream->tls, ret_bytes, room, ret_len)) {
    case TLS_DONE:
        stream->pending = tls_has_pending(stream->tls);
        return STREAM_DONE;
    case TLS_WANTS_READ:
        return STREAM_AGAIN;
    case TLS_END:
        return STREAM_END;
    case TLS_WANTS_WRITE: // it asks for new keys and does not read: nobody means well by that
    case TLS_FAILED:
        break;
    }
    return STREAM_FAILED;
}

enum stream_result stream_recv(struct stream *stream, char *ret_bytes, size_t room, size_t *ret_len)
{
    ssize_t got;
    if (fault_here(FAULT_IO))
        return STREAM_FAILED;
    if (stream->tls)
        return stream_recv_tls(stream, ret_bytes, room, ret_len);
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

static enum stream_result stream_send_plain(struct stream *stream, struct str *parts, size_t count)
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

static enum stream_result stream_send_tls(struct stream *stream, struct str *part)
{
    while (part->len > 0) {
        size_t sent = 0;
        enum tls_result result =
            fault_here(FAULT_IO) ? TLS_FAILED : tls_send(stream->tls, *part, &sent);
        // It would wait for input only in a renegotiation, which is refused.
        if (result != TLS_DONE)
            return result == TLS_WANTS_WRITE ? STREAM_AGAIN : STREAM_FAILED;
        *part = str_of(part->ptr + sent, part->len - sent);
    }
    return STREAM_DONE;
}

enum stream_result stream_send(struct stream *stream, struct str *parts, size_t count)
{
    enum stream_result result = STREAM_DONE;
    for (size_t i = 0; stream->tls && i < count && result == STREAM_DONE; i++)
        result = stream_send_tls(stream, &parts[i]);
    return stream->tls ? result : stream_send_plain(stream, parts, count);
}

void stream_shut(struct stream *stream)
{
    if (stream->tls)
        tls_shut(stream->tls);
    stream_end_tls(stream);
    shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
    if (stream->tls)
        tls_shut(stream->tls);
    stream_end_tls(stream);
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}
