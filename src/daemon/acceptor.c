// SPDX-License-Identifier: Apache-2.0
#include "daemon/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ACCEPTS_A_ROUND 64  // before the other listeners get their turn
#define ACCEPT_PAUSE_MS 100 // after EMFILE: readiness would spin

enum twoleg_error acceptor_init(struct acceptor *acceptor)
{
    sigset_t stops;
    *acceptor = (struct acceptor){.signals = -1};
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &stops, NULL) != 0)
        return TWOLEG_INTERNAL;
    acceptor->signals = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
    return acceptor->signals < 0 ? TWOLEG_INTERNAL : TWOLEG_NONE;
}

static enum twoleg_error acceptor_open_admin(struct acceptor *acceptor,
                                             const struct config *config, char *reason)
{
    struct http_listener *listener = &acceptor->listeners[acceptor->count];
    char spec[sizeof listener->path + 16];
    int len = snprintf(spec, sizeof spec, "unix:%.*s/admin.sock", STR_ARG(config->data));
    if (len < 0 || (size_t)len >= sizeof spec) {
        snprintf(reason, 256, "%.*s/admin.sock: the path is too long for a Unix socket",
                 STR_ARG(config->data));
        return TWOLEG_TOO_LONG;
    }
    enum twoleg_error error =
        http_listener_open(str_of(spec, (size_t)len), 0600, listener, reason);
    if (error)
        return error;
    listener->doors = DOOR_ALL;
    listener->operator_rights = true;
    acceptor->count++;
    return TWOLEG_NONE;
}

enum twoleg_error acceptor_open(struct acceptor *acceptor, const struct config *config,
                                char ret_reason[static 512])
{
    for (size_t i = 0; i < config->listen.count; i++) {
        const struct config_listener *from = &config->listen.items[i];
        struct http_listener *listener = &acceptor->listeners[acceptor->count];
        if (acceptor->count == LISTENERS_MAX - 1)
            return TWOLEG_LIMIT;
        enum twoleg_error error =
            http_listener_open(from->endpoint.text, 0660, listener, ret_reason);
        if (error)
            return error;
        listener->doors = from->doors;
        listener->operator_rights = false;
        listener->trusted = from->trusted_proxies.items;
        listener->trusted_count = from->trusted_proxies.count;
        acceptor->count++;
    }
    return acceptor_open_admin(acceptor, config, ret_reason);
}

// False: no descriptor is left for now.
static bool acceptor_take(struct http_listener *listener, struct workers *workers, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        int fd = http_listener_accept(listener);
        if (fd >= 0)
            workers_adopt(workers, fd, listener);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return false;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return true;
    }
    return true;
}

void acceptor_run(struct acceptor *acceptor, struct workers *workers)
{
    struct pollfd polls[LISTENERS_MAX + 1];
    bool paused = false;
    polls[0] = (struct pollfd){.fd = acceptor->signals, .events = POLLIN};
    for (size_t i = 0; i < acceptor->count; i++)
        polls[i + 1] = (struct pollfd){.fd = acceptor->listeners[i].fd, .events = POLLIN};
    for (;;) {
        int ready = poll(polls, paused ? 1 : acceptor->count + 1, paused ? ACCEPT_PAUSE_MS : -1);
        if (ready < 0 && errno != EINTR)
            break;
        if (ready > 0 && polls[0].revents)
            break;
        for (size_t i = 0; i < acceptor->count; i++)
            if (paused || polls[i + 1].revents)
                paused = !acceptor_take(&acceptor->listeners[i], workers, ACCEPTS_A_ROUND);
    }
    // Whoever is in a backlog has been told that the connection stands.
    for (size_t i = 0; i < acceptor->count; i++)
        acceptor_take(&acceptor->listeners[i], workers, SIZE_MAX);
    acceptor_finish(acceptor);
}

void acceptor_finish(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->count; i++)
        http_listener_close(&acceptor->listeners[i]);
    if (acceptor->signals >= 0)
        close(acceptor->signals);
    acceptor->signals = -1;
    acceptor->count = 0;
}
