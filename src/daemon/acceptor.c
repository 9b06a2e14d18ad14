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
#define ACCEPT_BEHIND_MS 1  // while the workers have no time for more
#define ACCEPTS_AT_END 4096 // of each listener: what its backlog can hold

enum twoleg_error acceptor_init(struct acceptor *acceptor, struct activation *activation)
{
    static const int taken[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
    static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t set;
    *acceptor = (struct acceptor){.activation = activation, .signals = -1};
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        acceptor->listeners[i].fd = -1;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&set, taken[i]);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return TWOLEG_INTERNAL;
    acceptor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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
    listener->number = acceptor->count;
    listener->doors = DOOR_ALL;
    listener->operator_rights = true;
    acceptor->count++;
    return TWOLEG_NONE;
}

// Before anything is bound: an address beside the one that was handed over would be refused as
// taken, by nobody but ourselves.
static enum twoleg_error acceptor_inherit(struct acceptor *acceptor, const struct config *config,
                                          char *reason)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        int fd = activation_take(acceptor->activation, &config->listen.items[i].endpoint);
        enum twoleg_error error =
            fd >= 0 ? http_listener_take(fd, &acceptor->listeners[i], reason) : TWOLEG_NONE;
        if (error)
            return error;
    }
    const char *left = activation_left(acceptor->activation);
    if (!left)
        return TWOLEG_NONE;
    // Nobody would ever accept there.
    snprintf(reason, 512, "the service manager hands over a socket at %s, which listen: does not "
             "name: name it there in these words, or no address at all", left);
    return TWOLEG_REFUSED;
}

static enum twoleg_error acceptor_open_some(struct acceptor *acceptor,
                                            const struct config *config, bool paths, char *reason)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        const struct config_listener *from = &config->listen.items[i];
        struct http_listener *listener = &acceptor->listeners[i];
        if ((from->endpoint.address.family == ADDRESS_LOCAL) != paths)
            continue;
        enum twoleg_error error =
            listener->fd >= 0 ? TWOLEG_NONE
                              : http_listener_open(from->endpoint.text, 0660, listener, reason);
        if (error)
            return error;
        listener->number = i;
        listener->doors = from->doors;
        listener->operator_rights = false;
    }
    return TWOLEG_NONE;
}

enum twoleg_error acceptor_open_ports(struct acceptor *acceptor, const struct config *config,
                                      char ret_reason[static 512])
{
    if (config->listen.count >= LISTENERS_MAX)
        return TWOLEG_LIMIT;
    acceptor->count = config->listen.count;
    enum twoleg_error error = acceptor_inherit(acceptor, config, ret_reason);
    return error ? error : acceptor_open_some(acceptor, config, false, ret_reason);
}

enum twoleg_error acceptor_open_paths(struct acceptor *acceptor, const struct config *config,
                                      char ret_reason[static 512])
{
    enum twoleg_error error = acceptor_open_some(acceptor, config, true, ret_reason);
    return error ? error : acceptor_open_admin(acceptor, config, ret_reason);
}

// The signal that asks to stop; 0 for one that does not, or when there is none.
static int acceptor_signal(const struct acceptor *acceptor, struct reload *reload)
{
    struct signalfd_siginfo info;
    if (read(acceptor->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    if (info.ssi_signo != SIGHUP)
        return (int)info.ssi_signo;
    reload_ask(reload, info.ssi_uid);
    return 0;
}

// How long to wait before the next try (ms): no descriptor is left, or the workers are behind. 0:
// until there is somebody.
static int acceptor_take(struct http_listener *listener, struct workers *workers)
{
    for (size_t i = 0; i < ACCEPTS_A_ROUND; i++) {
        if (!workers_keep_up(workers))
            return ACCEPT_BEHIND_MS;
        int fd = http_listener_accept(listener);
        if (fd >= 0)
            workers_adopt(workers, fd, listener);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return ACCEPT_PAUSE_MS;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
    }
    return 0;
}

// Whoever is in a backlog has been told that the connection stands. Those who come meanwhile have
// no claim, or a stream of them would keep us here.
void acceptor_take_last(struct acceptor *acceptor, struct workers *workers, struct env *env,
                        int64_t until_us)
{
    for (size_t i = 0; i < acceptor->count && env->mono_us <= until_us; i++) {
        // What was handed over to us stays open: who waits there is the next server's.
        const struct http_listener *listener = &acceptor->listeners[i];
        size_t left = listener->inherited ? 0 : ACCEPTS_AT_END;
        for (int fd; left > 0 && (fd = http_listener_accept(listener)) >= 0; left--)
            workers_adopt(workers, fd, listener);
        env_tick(env);
    }
}

int acceptor_run(struct acceptor *acceptor, struct workers *workers, struct reload *reload)
{
    struct pollfd polls[LISTENERS_MAX + 1];
    int pause = 0, stop = 0;
    polls[0] = (struct pollfd){.fd = acceptor->signals, .events = POLLIN};
    for (size_t i = 0; i < acceptor->count; i++)
        polls[i + 1] = (struct pollfd){.fd = acceptor->listeners[i].fd, .events = POLLIN};
    for (;;) {
        int ready = poll(polls, pause ? 1 : acceptor->count + 1, pause ? pause : -1);
        if (ready < 0 && errno != EINTR)
            break;
        if (ready > 0 && polls[0].revents && (stop = acceptor_signal(acceptor, reload)))
            break;
        bool all = pause;
        pause = 0;
        for (size_t i = 0; i < acceptor->count; i++) {
            bool take = all || polls[i + 1].revents;
            int longer = take ? acceptor_take(&acceptor->listeners[i], workers) : 0;
            pause = longer > pause ? longer : pause;
        }
    }
    return stop;
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
