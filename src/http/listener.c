// SPDX-License-Identifier: Apache-2.0
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/holder.h"

#define LISTENER_BACKLOG 4096
#define LISTENER_REASON 256
#define LISTENER_SPEC 100 // of an address, in a reason

static enum twoleg_error listener_fail(char *reason, enum twoleg_error error, const char *what)
{
    snprintf(reason, LISTENER_REASON, "%s: %s", what, strerror(errno));
    return error;
}

static enum twoleg_error listener_fail_address(char *reason, struct str spec, const char *what)
{
    snprintf(reason, LISTENER_REASON, "%.*s: %s: %s", STR_ARG(str_slice(spec, 0, LISTENER_SPEC)),
             what, strerror(errno));
    return TWOLEG_REFUSED;
}

// What the kernel holds of a connection until it is read counts as memory of ours (cgroup v2), and
// left to itself the room for it grows with what comes, up to megabytes. Linux doubles this, for
// what packets take besides their bytes, which is the room that it begins with anyway: the longest
// body is as fast. With half of it one took a fifth longer on the loopback.
#define LISTENER_RECEIVED (64 * 1024)
// Likewise of answers that nobody takes: who asks on and on and reads nothing was given 4 MiB.
// Doubled, too, it has room for the longest answers that anybody gets here; a last piece that is
// begun within it is filled up, to 64 KiB.
#define LISTENER_SENT (32 * 1024)

// Set on the listening socket, Linux hands them on to each accepted one.
static void listener_options(int fd)
{
    int on = 1, received = LISTENER_RECEIVED, sent = LISTENER_SENT;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &received, sizeof received);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sent, sizeof sent);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static enum twoleg_error listener_open_address(struct http_listener *listener, struct str spec,
                                               char *reason)
{
    struct sockaddr_storage to = {0};
    if (address_parse_port(spec, &listener->address)) {
        snprintf(reason, LISTENER_REASON,
                 "%.*s: not an address with a port, like 127.0.0.1:8080",
                 STR_ARG(str_slice(spec, 0, LISTENER_SPEC)));
        return TWOLEG_MALFORMED;
    }
    socklen_t len = address_to_sockaddr(&listener->address, &to);
    listener->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return listener_fail_address(reason, spec, "cannot make a socket");
    listener_options(listener->fd);
    int on = 1;
    if (to.ss_family == AF_INET6)
        (void)setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(listener->fd, (const struct sockaddr *)&to, len) ||
        listen(listener->fd, LISTENER_BACKLOG)) {
        bool taken = errno == EADDRINUSE;
        enum twoleg_error error = listener_fail_address(reason, spec, "cannot listen");
        if (taken)
            http_holder_describe(&listener->address, reason, LISTENER_REASON);
        return taken ? TWOLEG_CONFLICT : error;
    }
    socklen_t bound = sizeof to;
    if (getsockname(listener->fd, (struct sockaddr *)&to, &bound) ||
        address_from_sockaddr((const struct sockaddr *)&to, &listener->address))
        return listener_fail_address(reason, spec, "cannot tell the bound address");
    return TWOLEG_NONE;
}

// A path left behind by a server that was killed is taken over; one that answers is not.
static bool listener_path_is_live(const struct sockaddr_un *to)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    bool live = connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno == EAGAIN;
    close(fd);
    return live;
}

static enum twoleg_error listener_clear_path(const struct sockaddr_un *to, char *reason)
{
    struct stat found;
    if (lstat(to->sun_path, &found))
        return TWOLEG_NONE;
    if (!S_ISSOCK(found.st_mode)) {
        snprintf(reason, LISTENER_REASON, "%s is there and is no socket", to->sun_path);
        return TWOLEG_CONFLICT;
    }
    if (listener_path_is_live(to)) {
        snprintf(reason, LISTENER_REASON, "%s: another server answers there", to->sun_path);
        return TWOLEG_CONFLICT;
    }
    return unlink(to->sun_path) ? listener_fail(reason, TWOLEG_REFUSED, to->sun_path)
                                : TWOLEG_NONE;
}

static enum twoleg_error listener_open_path(struct http_listener *listener, struct str path,
                                            unsigned mode, char *reason)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path.len == 0 || path.len >= sizeof to.sun_path || str_find(path, '\0') != path.len) {
        snprintf(reason, LISTENER_REASON, "unix:%.*s: the socket's path has 1 to %zu bytes",
                 STR_ARG(str_slice(path, 0, LISTENER_SPEC)), sizeof to.sun_path - 1);
        return TWOLEG_MALFORMED;
    }
    memcpy(to.sun_path, path.ptr, path.len);
    enum twoleg_error error = listener_clear_path(&to, reason);
    if (error)
        return error;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return listener_fail(reason, TWOLEG_INTERNAL, "socket");
    // The mode of an unbound socket becomes its path's: nobody gets in between bind and chmod.
    if (fchmod(listener->fd, 0600) ||
        bind(listener->fd, (const struct sockaddr *)&to, sizeof to))
        return listener_fail(reason, TWOLEG_REFUSED, to.sun_path);
    memcpy(listener->path, to.sun_path, sizeof listener->path);
    if (chmod(to.sun_path, (mode_t)mode) || listen(listener->fd, LISTENER_BACKLOG))
        return listener_fail(reason, TWOLEG_REFUSED, to.sun_path);
    return TWOLEG_NONE;
}

enum twoleg_error http_listener_open(struct str spec, unsigned unix_mode,
                                     struct http_listener *ret_listener,
                                     char ret_reason[static 256])
{
    struct http_listener listener = {.fd = -1};
    struct str prefix = STR("unix:");
    ret_reason[0] = '\0';
    enum twoleg_error error =
        str_starts_with(spec, prefix)
            ? listener_open_path(&listener, str_slice(spec, prefix.len, spec.len), unix_mode,
                                 ret_reason)
            : listener_open_address(&listener, spec, ret_reason);
    if (error) {
        http_listener_close(&listener);
        return error;
    }
    *ret_listener = listener;
    return TWOLEG_NONE;
}

enum twoleg_error http_listener_take(int fd, struct http_listener *ret_listener,
                                     char ret_reason[static 256])
{
    struct http_listener listener = {.fd = fd, .inherited = true};
    union {
        struct sockaddr any;
        struct sockaddr_un path;
        struct sockaddr_storage space;
    } bound = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof bound - 1; // a path of full length has no NUL
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || getsockname(fd, &bound.any, &len))
        return listener_fail(ret_reason, TWOLEG_REFUSED, "an inherited socket");
    if (bound.any.sa_family == AF_UNIX)
        snprintf(listener.path, sizeof listener.path, "%s", bound.path.sun_path);
    else if (address_from_sockaddr(&bound.any, &listener.address))
        return listener_fail(ret_reason, TWOLEG_REFUSED, "an inherited socket");
    listener_options(fd);
    *ret_listener = listener;
    return TWOLEG_NONE;
}

void http_listener_close(struct http_listener *listener)
{
    if (listener->fd < 0)
        return;
    close(listener->fd);
    listener->fd = -1;
    if (listener->path[0] && !listener->inherited)
        unlink(listener->path);
}

int http_listener_accept(const struct http_listener *listener)
{
    int fd;
    do
        fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}
