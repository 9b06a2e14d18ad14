// SPDX-License-Identifier: Apache-2.0
#include "http/holder.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// One row: sl local_address rem_address st queues timer retrnsmt uid timeout inode.
static bool holder_row(struct str line, uint16_t port, uint64_t *ret_inode)
{
    enum { LOCAL = 1, STATE = 3, INODE = 9, COLUMNS, LISTEN = 0x0a };
    struct str columns[COLUMNS];
    uint64_t local;
    uint64_t state;
    for (size_t i = 0; i < COLUMNS; i++)
        if (!str_word(&line, &columns[i]))
            return false;
    size_t colon = str_find(columns[LOCAL], ':');
    return str_to_hex_u64(str_slice(columns[LOCAL], colon + 1, columns[LOCAL].len), &local) &&
           str_to_hex_u64(columns[STATE], &state) && local == port && state == LISTEN &&
           str_to_u64(columns[INODE], ret_inode);
}

// The inode of the socket that listens at this port, by /proc/net/tcp or tcp6; 0: none found.
static uint64_t holder_inode(const char *table, uint16_t port)
{
    FILE *file = fopen(table, "re");
    char line[512];
    uint64_t inode = 0;
    while (file && fgets(line, sizeof line, file))
        if (holder_row(str_from(line), port, &inode))
            break;
    if (file)
        fclose(file);
    return inode;
}

static bool holder_has_socket(const char *pid, uint64_t inode)
{
    char path[320];
    char want[64];
    char link[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    snprintf(want, sizeof want, "socket:[%" PRIu64 "]", inode);
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
    uint64_t inode = holder_inode("/proc/net/tcp", address->port);
    if (!inode)
        inode = holder_inode("/proc/net/tcp6", address->port);
    DIR *folder = inode ? opendir("/proc") : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char name[64];
        uint64_t pid;
        if (!str_to_u64(str_from(entry->d_name), &pid) ||
            !holder_has_socket(entry->d_name, inode))
            continue;
        holder_name(entry->d_name, name, sizeof name);
        snprintf(ret_reason, room, "port %u is held by %s (process %.16s)", address->port, name,
                 entry->d_name);
        break;
    }
    if (folder)
        closedir(folder);
}
