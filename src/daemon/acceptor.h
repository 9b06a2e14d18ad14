// SPDX-License-Identifier: Apache-2.0
// The main thread's loop: accepts on every listener until a signal asks to stop.
#pragma once
#include "daemon/activation.h"
#include "daemon/reload.h"
#include "daemon/workers.h"

#define LISTENERS_MAX 65 // 64 configured ones and the admin socket

struct acceptor {
    struct http_listener listeners[LISTENERS_MAX]; // in the configured order, the admin socket last
    size_t count;
    struct activation *activation; // sockets that a service manager handed over; NULL: none
    int signals; // signalfd of those below, blocked in all threads
};

// Blocks the signals for this thread and those it will start: SIGTERM, SIGINT and SIGQUIT stop the
// server; SIGHUP asks for a reload; SIGUSR1, SIGUSR2 and SIGPIPE are ignored.
// Sockets of activation, which may be NULL, are taken in place of opening their addresses.
enum twoleg_error acceptor_init(struct acceptor *acceptor,
                                struct activation *activation) TWOLEG_MUST_CHECK;
// Opens the configured addresses. Nothing is made on disk: a taken port leaves nothing behind. The
// words for a person go to ret_reason.
enum twoleg_error acceptor_open_ports(struct acceptor *acceptor, const struct config *config,
                                      char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Opens the configured Unix sockets and the admin socket, once the data folder is there and ours:
// they may lie in it.
enum twoleg_error acceptor_open_paths(struct acceptor *acceptor, const struct config *config,
                                      char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Until a signal asks to stop, which is returned (0: waiting failed). The listeners stay open until
// acceptor_finish.
int acceptor_run(struct acceptor *acceptor, struct workers *workers, struct reload *reload);
// Takes what is waiting in the backlogs, until this time (monotonic) at most.
void acceptor_take_last(struct acceptor *acceptor, struct workers *workers, struct env *env,
                        int64_t until_us);
void acceptor_finish(struct acceptor *acceptor);
