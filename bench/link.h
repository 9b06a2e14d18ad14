// SPDX-License-Identifier: Apache-2.0
// One connection of the bench's client, plain or TLS: asks one request at a time and reads its
// answer. Never blocks; the socket is registered edge-triggered when it is made, so that neither
// waiting nor asking costs a further epoll_ctl.
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"

#define LINK_ANSWER_MAX 8192u

struct link_target {
    struct sockaddr_storage address;
    socklen_t len;
    SSL_CTX *tls; // NULL: plain
    bool resume;  // a new connection offers the newest ticket that this link was given
    int epoll;
};

enum link_state {
    LINK_CLOSED,
    LINK_CONNECTING,
    LINK_HANDSHAKE,
    LINK_READY,
    LINK_SENDING,
    LINK_RECEIVING,
};

enum link_result {
    LINK_GOES,     // inside only: on to the next step
    LINK_WAITS,    // run it again when its socket is ready
    LINK_IDLE,     // open, and nothing is asked
    LINK_ANSWERED, // status and closes are set
    LINK_BROKEN,   // closed before its answer was complete
};

struct link {
    const struct link_target *target;
    enum link_state state;
    int fd;
    SSL *ssl;
    SSL_SESSION *session;
    struct str request; // empty: nothing is asked
    size_t sent;
    int64_t due;     // the caller's, like busy
    bool busy;
    bool handshaken; // since the caller looked last; then resumed says how
    bool resumed;
    bool closes; // the server will close
    unsigned status;
    size_t len;
    char answer[LINK_ANSWER_MAX + 1];
};

// "PORT", "ADDR:PORT" (IPv4) or "unix:PATH"; false: none of these.
bool link_target_parse(const char *text, struct link_target *ret_target);
// TLS without a look at the certificate: whose it is does not matter here. One version, cipher and
// key exchange (P-256 is for the certificate of TLS 1.2), so that every server does the same work.
// False without memory.
bool link_target_secure(struct link_target *target, bool resume, bool tls12);
void link_target_finish(struct link_target *target);

void link_init(struct link *link, const struct link_target *target);
void link_close(struct link *link); // keeps the ticket
void link_finish(struct link *link);

// Opens the connection if it is closed, and asks. An empty request only opens it.
enum link_result link_ask(struct link *link, struct str request);
enum link_result link_run(struct link *link);
