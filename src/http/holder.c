// SPDX-License-Identifier: Apache-2.0
#include "http/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The inode of the listening socket at this port; 0 when there is none. Columns of
// /proc/net/tcp: sl local_address rem_address st queues timer retrnsmt uid timeout inode.
static unsigned long holder_inode(const char *table, uint16_t port)
{
    enum { LISTEN = 0x0a };
    FILE *file = fopen(table, "re");
    char line[512];
    unsigned long found = 0;
    while (file && !found && fgets(line, sizeof line, file)) {
        unsigned local;
        unsigned state;
        unsigned long inode;
        if (sscanf(line, " %*[^:]: %*[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %lu", &local, &state,
                   &inode) == 3 &&
            local == port && state == LISTEN)
            found = inode;
    }
    if (file)
        fclose(file);
    return found;
}

static bool holder_has_socket(const char *pid, unsigned long inode)
{
    char path[320];
    char want[64];
    char link[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    snprintf(want, sizeof want, "socket:[%lu]", inode);
    DIR *folder = opendir(path);
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
        if (len <= 0)
            continue;
        link[len] = '\0';
        found = strcmp(link, want) == 0;
    }
    if (folder)
        closedir(folder);
    return found;
}

static void holder_name(const char *pid, char *ret_name, size_t room)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(ret_name, (int)room, file))
        snprintf(ret_name, room, "?");
    ret_name[strcspn(ret_name, "\n")] = '\0';
    if (file)
        fclose(file);
}

void http_holder_describe(const struct address *address, char *ret_reason, size_t room)
{
    unsigned long inode = holder_inode("/proc/net/tcp", address->port);
    if (!inode)
        inode = holder_inode("/proc/net/tcp6", address->port);
    DIR *folder = inode ? opendir("/proc") : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char name[64];
        if (!isdigit((unsigned char)entry->d_name[0]) || !holder_has_socket(entry->d_name, inode))
            continue;
        holder_name(entry->d_name, name, sizeof name);
        snprintf(ret_reason, room, "port %u is held by %s (process %.16s)", address->port, name,
                 entry->d_name);
        break;
    }
    if (folder)
        closedir(folder);
}
