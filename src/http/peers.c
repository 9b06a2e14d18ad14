// SPDX-License-Identifier: Apache-2.0
#include "http/peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"

#define PEERS_FIRST 64u

void http_peer_identify(int fd, struct address *ret_address, uid_t *ret_uid)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    *ret_uid = (uid_t)-1;
    if (getpeername(fd, (struct sockaddr *)&from, &len) == 0 &&
        address_from_sockaddr((const struct sockaddr *)&from, ret_address) == TWOLEG_NONE &&
        ret_address->family != ADDRESS_LOCAL)
        return;
    *ret_address = (struct address){0};
    struct ucred peer;
    len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        *ret_uid = peer.uid;
}

void http_peers_init(struct http_peers *peers, struct siphash_key key)
{
    *peers = (struct http_peers){.lock = PTHREAD_MUTEX_INITIALIZER, .key = key};
}

void http_peers_finish(struct http_peers *peers)
{
    free(peers->entries);
    pthread_mutex_destroy(&peers->lock);
    *peers = (struct http_peers){0};
}

static uint32_t peers_home(const struct http_peers *peers, const uint8_t *key)
{
    return (uint32_t)siphash(&peers->key, str_of(key, 16)) & (peers->size - 1);
}

// The key's entry, or the free one where it would go. There is always a free one.
static struct peers_entry *peers_find(const struct http_peers *peers, uint8_t family,
                                      const uint8_t *key)
{
    uint32_t at = peers_home(peers, key);
    for (;; at = (at + 1) & (peers->size - 1)) {
        struct peers_entry *entry = &peers->entries[at];
        if (!entry->count || (entry->family == family && memcmp(entry->key, key, 16) == 0))
            return entry;
    }
}

static bool peers_grow(struct http_peers *peers)
{
    struct http_peers wider = {.size = peers->size ? peers->size * 2 : PEERS_FIRST,
                               .key = peers->key};
    if (fault_here(FAULT_MEMORY))
        return false;
    wider.entries = calloc(wider.size, sizeof *wider.entries);
    if (!wider.entries)
        return false;
    for (uint32_t i = 0; i < peers->size; i++) {
        const struct peers_entry *entry = &peers->entries[i];
        if (entry->count)
            *peers_find(&wider, entry->family, entry->key) = *entry;
    }
    free(peers->entries);
    peers->entries = wider.entries;
    peers->size = wider.size;
    return true;
}

static enum twoleg_error peers_count(struct http_peers *peers, const struct address *address,
                                     uint32_t max)
{
    if (peers->used >= peers->size / 2 && !peers_grow(peers))
        return TWOLEG_NO_MEMORY;
    struct address key = address_network(address);
    struct peers_entry *entry = peers_find(peers, key.family, key.bytes);
    if (entry->count >= max)
        return TWOLEG_LIMIT;
    if (!entry->count) {
        memcpy(entry->key, key.bytes, sizeof entry->key);
        entry->family = key.family;
        peers->used++;
    }
    entry->count++;
    return TWOLEG_NONE;
}

enum twoleg_error http_peers_add(struct http_peers *peers, const struct address *address,
                                 uint32_t max)
{
    pthread_mutex_lock(&peers->lock);
    enum twoleg_error error = peers_count(peers, address, max);
    pthread_mutex_unlock(&peers->lock);
    return error;
}

// Moves later entries of the run forward, so that no search meets a hole before its entry.
static void peers_close_gap(struct http_peers *peers, uint32_t gap)
{
    uint32_t mask = peers->size - 1;
    for (uint32_t at = (gap + 1) & mask; peers->entries[at].count; at = (at + 1) & mask) {
        uint32_t home = peers_home(peers, peers->entries[at].key);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        peers->entries[gap] = peers->entries[at];
        peers->entries[at].count = 0;
        gap = at;
    }
}

static void peers_uncount(struct http_peers *peers, const struct address *address)
{
    if (!peers->size)
        return;
    struct address key = address_network(address);
    struct peers_entry *entry = peers_find(peers, key.family, key.bytes);
    if (!entry->count || --entry->count)
        return;
    peers->used--;
    peers_close_gap(peers, (uint32_t)(entry - peers->entries));
}

void http_peers_remove(struct http_peers *peers, const struct address *address)
{
    pthread_mutex_lock(&peers->lock);
    peers_uncount(peers, address);
    pthread_mutex_unlock(&peers->lock);
}
