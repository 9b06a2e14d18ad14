// SPDX-License-Identifier: Apache-2.0
// The main thread's loop: accepts on every listener until a signal asks to stop.
#pragma once
#include "daemon/workers.h"

#define LISTENERS_MAX 64

struct acceptor {
    struct http_listener listeners[LISTENERS_MAX];
    size_t count;
    int signals; // signalfd of SIGTERM and SIGINT, blocked in all threads
};

// Blocks the signals for this thread and those it will start.
enum twoleg_error acceptor_init(struct acceptor *acceptor) TWOLEG_MUST_CHECK;
// Opens the configured listeners and the admin socket in the data folder. The words for a person
// go to ret_reason.
enum twoleg_error acceptor_open(struct acceptor *acceptor, const struct config *config,
                                char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Until SIGTERM or SIGINT; then takes what is waiting in the backlogs and closes the listeners.
void acceptor_run(struct acceptor *acceptor, struct workers *workers);
void acceptor_finish(struct acceptor *acceptor);
