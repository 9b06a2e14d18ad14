// SPDX-License-Identifier: Apache-2.0
// One event loop with its connections. Everything here runs on the worker's own thread, except
// http_worker_post and http_worker_connections.
#pragma once
#include "base/epoch.h"
#include "http/http.h"
#include "http/listener.h"
#include "http/peers.h"
#include "http/refusal.h"

struct tls_set;

// How a listener meets a new connection, as it is configured now; good for one turn.
struct http_welcome {
    bool secure;                // TLS; else plain HTTP
    const struct cidr *trusted; // proxies, whose connections are not counted by address
    size_t trusted_count;
};

struct http_limits {
    int64_t tls_us, header_us, body_us, idle_us, write_us; // absolute deadlines
    uint32_t max_connections;                      // of this worker
    // 0 = no limit, for all that follow.
    uint32_t max_per_address; // of all workers that share the peers; IPv6 counts by /64
    uint32_t max_parked;      // requests that wait for a job; one more gets none (http/job.h)
    uint32_t max_body_bytes;  // of all bodies longer than a slab; what exceeds it gets 503
    int64_t hold_us;          // how long a paced answer is held, at least
    int64_t park_us;          // a job that has not ended by then is given up with 503
};

struct http_settings {
    uint32_t number; // of the worker: the handle's first part
    const struct http_route *routes;
    size_t route_count;
    struct http_limits limits;
    struct epoch *epoch;
    struct metrics *metrics;
    struct http_peers *peers; // outlives the worker; NULL: addresses are not counted
    void *context;            // request->context
    // At the start of each turn, inside of the epoch: what the turn reads is taken here, once.
    // NULL: nothing is.
    void (*on_turn)(void *context, struct http_worker *worker);
    // NULL: all listeners are plain and trust nobody.
    struct http_welcome (*welcome)(void *context, const struct http_listener *listener);
    // A peer has begun its handshake: what the listener shows; NULL: nothing any more, or nothing
    // to this address, which has had too many. A NULL address is that of many, or of nobody.
    struct tls_set *(*secure)(void *context, const struct env *env,
                              const struct http_listener *listener, const struct address *address);
    // What the worker answers by itself, in other words than its own: true when it is filled.
    // Asked where the request has come as far as its route. NULL: all is in its own words.
    bool (*refuse)(struct http_request *request, enum http_refusal refusal,
                   struct http_answer *ret_answer);
    // The worker refused something before any handler saw it; reason is static text. For the log.
    void (*on_refused)(void *context, const struct env *env, struct address peer,
                       const char *reason);
};

enum twoleg_error http_worker_create(const struct http_settings *settings,
                                     struct http_worker **ret_worker) TWOLEG_MUST_CHECK;
// After run returned, and after all who post to it have ended: closes what is left and cancels the
// messages that nobody has read.
void http_worker_destroy(struct http_worker *worker);

// Runs until it is drained; each turn ticks the env and passes the epoch. A worker that sleeps
// in epoll holds no pointer. Returns how many connections the deadline found open.
uint32_t http_worker_run(struct http_worker *worker);
struct env *http_worker_env(struct http_worker *worker);
// Other limits from now on, also for connections that wait already. In its turn only.
void http_worker_limit(struct http_worker *worker, const struct http_limits *limits);
// The handler ran out of order: run it again now. Nothing happens when the client is gone.
void http_worker_resume(struct http_worker *worker, struct http_handle handle);
// The parked request, or NULL when its client is gone. See http/job.h, its only caller.
struct http_request *http_worker_find(struct http_worker *worker, struct http_handle handle);
// As many of its requests are parked as may be. On its thread.
bool http_worker_is_full(const struct http_worker *worker);
// Takes an accepted socket, also when it refuses it (a cap, no memory: it is closed at once). The
// listener outlives the worker. Crowded: no place is left, so another connection goes for this one,
// as when the worker has all of its own.
void http_worker_adopt(struct http_worker *worker, int fd, const struct http_listener *listener,
                       bool crowded);
// No new requests: idle connections close, busy ones after their answer with Connection: close;
// http_worker_run returns when none is left or at the deadline (monotonic).
void http_worker_drain(struct http_worker *worker, int64_t deadline_mono_us);

// A message to the worker, from any thread. The node is the sender's memory and belongs to the
// worker until run is called on the worker's thread, so posting cannot fail. One that arrives after
// the worker has ended is cancelled by http_worker_destroy instead, on that caller's thread.
struct http_message {
    struct http_message *next;
    void (*run)(struct http_message *message, struct http_worker *worker);
    void (*cancel)(struct http_message *message); // NULL: there is nothing to give back
};
void http_worker_post(struct http_worker *worker, struct http_message *message);
// Around many posts of one thread: the workers are woken at the end, once each, instead of one by
// one in between, when the poster would wait for its turn behind them. Not for long.
void http_posts_hold(void);
void http_posts_release(void);
uint32_t http_worker_connections(const struct http_worker *worker); // any thread, for balancing
