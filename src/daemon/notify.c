// SPDX-License-Identifier: Apache-2.0
#include "daemon/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

static int notify_connect(const char *name)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = name ? strlen(name) : 0;
    if (len < 2 || len >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@'))
        return -1;
    memcpy(to.sun_path, name, len);
    if (name[0] == '@') // not a path but a name of its own
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size)) {
        close(fd);
        return -1;
    }
    return fd;
}

// $WATCHDOG_PID names another process when the variable was inherited by mistake.
static int64_t notify_watchdog(void)
{
    const char *period = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    uint64_t us, whose;
    if (!period || !str_to_u64(str_from(period), &us) || us > INT64_MAX)
        return 0;
    if (pid && (!str_to_u64(str_from(pid), &whose) || whose != (uint64_t)getpid()))
        return 0;
    return (int64_t)us;
}

void notify_init(struct notify *notify)
{
    notify->fd = notify_connect(getenv("NOTIFY_SOCKET"));
    notify->watchdog_us = notify->fd < 0 ? 0 : notify_watchdog();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_say(const struct notify *notify, const char *state)
{
    // A manager that reads nothing must not hold the server up.
    if (notify->fd >= 0)
        (void)!send(notify->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_finish(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}
