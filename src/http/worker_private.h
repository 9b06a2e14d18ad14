// SPDX-License-Identifier: Apache-2.0
// The worker's body, shared by worker.c and connection.c only.
#pragma once
#include <stdatomic.h>

#include "http/answer.h"
#include "http/connection.h"

// Steps of handshakes in one turn: those who are in wait for no more of them than these.
#define WORKER_HANDSHAKES 4u
#define WORKER_TLS_BYTES ((size_t)16 * 1024) // of malloc's, what a TLS connection held at least

struct worker_slot {
    struct http_connection *connection; // NULL: free
    uint32_t next_free;                 // slot + 1, 0 = none
};

struct http_worker {
    struct http_settings settings;
    struct event_base *base;
    struct event sweep; // one timer for all deadlines
    struct event woken; // the eventfd of posted messages
    int wake_fd;
    unsigned reader;
    bool in_turn;
    bool draining;
    int64_t drain_until;
    struct env env;
    struct arena_pool pool;
    struct http_router router;
    struct http_deadlines deadlines;
    struct worker_slot *slots;
    uint32_t slot_count;
    uint32_t free_slot; // slot + 1
    uint64_t serial;    // of the latest request
    uint32_t parked;    // requests that wait for a job
    uint32_t handshakes; // steps of this turn
    uint32_t held;      // refusals that wait until their client may have them
    uint32_t paced;     // paced answers since paced_at
    int64_t paced_at;   // monotonic
    size_t body_bytes;  // held by bodies longer than a slab
    int64_t trimmed_at; // monotonic
    int64_t date_second;
    char date[HTTP_DATE_LEN];
    _Atomic uint32_t connections;
    _Atomic(struct http_message *) messages; // newest first
};

// Every callback of the loop calls it first: the turn's first one reads the clocks and enters the
// epoch.
void worker_turn(struct http_worker *worker);
bool worker_slot_take(struct http_worker *worker, struct http_connection *connection,
                      uint32_t *ret_slot);
void worker_slot_give(struct http_worker *worker, uint32_t slot);
struct str worker_date(struct http_worker *worker);
