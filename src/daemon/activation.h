// SPDX-License-Identifier: Apache-2.0
// Listening sockets that a service manager has opened and hands over (sd_listen_fds(3), without its
// library): they stay open while the server restarts, so that nobody is refused meanwhile. H23.
#pragma once
#include "base/error.h"
#include "codec/address.h"
#include "config/schema.h"

#define ACTIVATION_MAX 64
#define ACTIVATION_REASON 256

struct activation {
    size_t count;
    struct {
        int fd; // -1: taken
        struct address address; // ADDRESS_LOCAL for a Unix socket
        char text[128]; // 127.0.0.1:8080 or unix:/run/twoleg.sock, as the option listen has it
    } sockets[ACTIVATION_MAX];
};

// Takes $LISTEN_PID and $LISTEN_FDS out of the environment. REFUSED, in words: what was handed over
// is no listening stream socket with an address or a path.
enum twoleg_error activation_init(struct activation *activation,
                                  char ret_reason[static ACTIVATION_REASON]) TWOLEG_MUST_CHECK;
// The socket that listens where the endpoint says, now the caller's; -1: there is none. NULL has
// none.
int activation_take(struct activation *activation, const struct schema_endpoint *endpoint);
// One that nobody took, as its text; NULL: all were taken.
const char *activation_left(const struct activation *activation);
