// SPDX-License-Identifier: Apache-2.0
// The bytes of one connection, plain or TLS behind the same four results. Never blocks.
#pragma once
#include "crypto/tls.h"

struct stream {
    int fd;
    struct tls *tls; // NULL: plain
    bool pending;    // received already, so that the socket does not tell: receive again
    bool wants_write; // a handshake that has to wait does so for room
};

enum stream_result {
    STREAM_DONE,  // something was received; all was sent
    STREAM_AGAIN, // nothing now: wait until the socket is ready
    STREAM_END,   // the peer will send no more
    STREAM_FAILED,
};

// Whether anything has come that was not received yet. The end alone is nothing.
bool stream_has_come(const struct stream *stream);
// From now on it speaks TLS. False: no memory.
bool stream_secure(struct stream *stream, struct tls_set *tls, struct env *env);
// Of TLS. When it fails, *ret_failure is static text for the log, and the stream is plain: the peer
// may not have read yet why.
enum stream_result stream_handshake(struct stream *stream, const char **ret_failure);
enum stream_result stream_recv(struct stream *stream, char *ret_bytes, size_t room,
                               size_t *ret_len);
// Sends the parts in order and shortens them by what was sent.
enum stream_result stream_send(struct stream *stream, struct str *parts, size_t count);
// We send no more. What still comes is for nobody, so it is received as it is, TLS or not.
void stream_shut(struct stream *stream);
void stream_close(struct stream *stream);
