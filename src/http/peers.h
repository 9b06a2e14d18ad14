// SPDX-License-Identifier: Apache-2.0
// How many connections each address has, over all workers: any thread may add and remove. IPv6
// counts by /64, since a customer owns at least that.
#pragma once
#include <pthread.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/siphash.h"
#include "codec/address.h"

struct peers_entry {
    uint8_t key[16];
    uint8_t family;
    uint32_t count; // 0 = free
};

struct http_peers {
    struct peers_entry *entries;
    uint32_t size; // a power of two, or 0
    uint32_t used;
    pthread_mutex_t lock;
    struct siphash_key key; // nobody outside can choose addresses that collide
};

// Who is at the other end: an address, or of a Unix socket family 0 and the user ((uid_t)-1 else).
void http_peer_identify(int fd, struct address *ret_address, uid_t *ret_uid);

void http_peers_init(struct http_peers *peers, struct siphash_key key);
void http_peers_finish(struct http_peers *peers);
// LIMIT: the address has max already; NO_MEMORY.
enum twoleg_error http_peers_add(struct http_peers *peers, const struct address *address,
                                 uint32_t max) TWOLEG_MUST_CHECK;
void http_peers_remove(struct http_peers *peers, const struct address *address);
