// SPDX-License-Identifier: Apache-2.0
// What a service manager wants to hear, by its datagram socket (sd_notify(3), without its library):
// that the server is ready, that it stops, that it is alive. H23.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct notify {
    int fd;              // -1: nobody listens
    int64_t watchdog_us; // alive must be said more often than this; 0: nobody asks
};

// Takes $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment. Before the sandbox, in
// which no sockets are made.
void notify_init(struct notify *notify);
void notify_say(const struct notify *notify, const char *state); // "READY=1"; never waits
void notify_finish(struct notify *notify);
