// SPDX-License-Identifier: Apache-2.0
// The bytes of one connection: a plain socket now; TLS stands behind the same four results later.
// Never blocks.
#pragma once
#include "base/str.h"

struct stream {
    int fd;
};

enum stream_result {
    STREAM_DONE,  // something was received; all was sent
    STREAM_AGAIN, // nothing now: wait until the socket is ready
    STREAM_END,   // the peer will send no more
    STREAM_FAILED,
};

enum stream_result stream_recv(struct stream *stream, char *ret_bytes, size_t room,
                               size_t *ret_len);
// Sends the parts in order and shortens them by what was sent.
enum stream_result stream_send(struct stream *stream, struct str *parts, size_t count);
void stream_shut(struct stream *stream); // we send no more
void stream_close(struct stream *stream);
