// SPDX-License-Identifier: Apache-2.0
// One listening socket per address.
#pragma once
#include "base/error.h"
#include "base/str.h"
#include "codec/address.h"

struct http_listener {
    int fd;
    unsigned doors;              // bits of enum http_door
    bool operator_rights;        // the admin socket: peers are checked by uid, see http_request
    struct address address;      // bound address with its real port; family 0 for a Unix socket
    char path[108];              // of a Unix socket, else ""
    size_t number;               // its place in the configuration; the admin socket is the last
    bool inherited;              // somebody else keeps it open, too: its path is not ours
};

// Opens 127.0.0.1:8080, [::1]:8080 or unix:/path (mode 0600 or as given). An address in use gives
// TWOLEG_CONFLICT; ret_reason gets words for a person, also who holds the port when /proc tells.
enum twoleg_error http_listener_open(struct str spec, unsigned unix_mode,
                                     struct http_listener *ret_listener,
                                     char ret_reason[static 256]) TWOLEG_MUST_CHECK;
// Takes over a socket that listens already, with its descriptor. TWOLEG_REFUSED, with words.
enum twoleg_error http_listener_take(int fd, struct http_listener *ret_listener,
                                     char ret_reason[static 256]) TWOLEG_MUST_CHECK;
void http_listener_close(struct http_listener *listener); // unlinks a Unix socket's path
// How many connections there may be for one more to be taken here, where that is `most` elsewhere:
// whoever is to end a flood gets in while it lasts.
#define LISTENER_OPERATOR_PLACES 16u
static inline uint64_t http_listener_places(const struct http_listener *listener, uint64_t most)
{
    return most + (listener->operator_rights ? LISTENER_OPERATOR_PLACES : 0);
}
// Non-blocking accept; -1 when none is waiting (errno as accept4 leaves it).
int http_listener_accept(const struct http_listener *listener);
