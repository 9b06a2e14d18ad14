// SPDX-License-Identifier: Apache-2.0
#include "daemon/activation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

#define ACTIVATION_FIRST 3 // after standard input, output and error

// How many there are, and whether they are meant for this process.
static uint64_t activation_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    uint64_t whose = 0, sockets = 0;
    if (!pid || !count || !str_to_u64(str_from(pid), &whose) || whose != (uint64_t)getpid() ||
        !str_to_u64(str_from(count), &sockets))
        sockets = 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return sockets;
}

static bool activation_ask(int fd, int option, int *ret_value)
{
    socklen_t len = sizeof *ret_value;
    return getsockopt(fd, SOL_SOCKET, option, ret_value, &len) == 0;
}

static bool activation_describe(int fd, struct address *ret_address, char *text, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_un path;
        struct sockaddr_storage space;
    } bound = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof bound;
    struct buf out;
    buf_init(&out, text, size - 1);
    if (getsockname(fd, &bound.any, &len))
        return false;
    if (bound.any.sa_family == AF_UNIX) {
        *ret_address = (struct address){.family = ADDRESS_LOCAL};
        size_t room = len > offsetof(struct sockaddr_un, sun_path)
                          ? len - offsetof(struct sockaddr_un, sun_path)
                          : 0;
        buf_add(&out, STR("unix:"));
        buf_add(&out, str_of(bound.path.sun_path, strnlen(bound.path.sun_path, room)));
        if (room < 2 || bound.path.sun_path[0] != '/')
            return false;
    } else {
        if (address_from_sockaddr(&bound.any, ret_address))
            return false;
        address_format_port(&out, ret_address);
    }
    text[out.len] = '\0';
    return !out.failed;
}

enum twoleg_error activation_init(struct activation *activation,
                                  char ret_reason[static ACTIVATION_REASON])
{
    uint64_t count = activation_count();
    activation->count = 0;
    if (count > ACTIVATION_MAX) {
        snprintf(ret_reason, ACTIVATION_REASON, "$LISTEN_FDS: more than %d sockets",
                 ACTIVATION_MAX);
        return TWOLEG_REFUSED;
    }
    for (size_t i = 0; i < count; i++) {
        int fd = ACTIVATION_FIRST + (int)i, type = 0, listening = 0;
        if (!activation_ask(fd, SO_TYPE, &type) || !activation_ask(fd, SO_ACCEPTCONN, &listening) ||
            type != SOCK_STREAM || !listening ||
            !activation_describe(fd, &activation->sockets[i].address, activation->sockets[i].text,
                                 sizeof activation->sockets[i].text)) {
            snprintf(ret_reason, ACTIVATION_REASON, "$LISTEN_FDS: descriptor %d is no stream "
                     "socket that listens at an address or a path", fd);
            return TWOLEG_REFUSED;
        }
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        activation->sockets[i].fd = fd;
        activation->count = i + 1;
    }
    return TWOLEG_NONE;
}

int activation_take(struct activation *activation, const struct schema_endpoint *endpoint)
{
    const struct address *wanted = &endpoint->address;
    for (size_t i = 0; activation && i < activation->count; i++) {
        const struct address *here = &activation->sockets[i].address;
        bool same = here->family == wanted->family && here->port == wanted->port &&
                    (here->family == ADDRESS_LOCAL
                         ? str_equal(str_from(activation->sockets[i].text + strlen("unix:")),
                                     endpoint->path)
                         : address_equal(here, wanted));
        int fd = activation->sockets[i].fd;
        if (!same || fd < 0)
            continue;
        activation->sockets[i].fd = -1;
        return fd;
    }
    return -1;
}

const char *activation_left(const struct activation *activation)
{
    for (size_t i = 0; activation && i < activation->count; i++)
        if (activation->sockets[i].fd >= 0)
            return activation->sockets[i].text;
    return NULL;
}
