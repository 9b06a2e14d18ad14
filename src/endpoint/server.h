// SPDX-License-Identifier: Apache-2.0
// What endpoints get: the server's parts, and what belongs to their own worker.
#pragma once
#include "base/pool.h"
#include "client_auth/client_auth.h"
#include "config/config.h"
#include "dialect/set.h"
#include "http/job.h"
#include "keyring/keyring.h"
#include "registry/registry.h"
#include "store/store.h"
#include "token/token.h"
#include "usage/usage.h"

struct endpoint_limits;
struct slow_hashes;
struct reload;
struct reload_order; // endpoint/reload.h

// The configuration and the certificates in force: never changed, replaced whole by a reload. G7.
struct snapshot {
    struct epoch_note note;    // first
    uint64_t number;           // another for each
    struct config config;
    struct http_limits limits; // of each worker
    struct dialect_set *dialects;
    struct tls_set **certificates; // of each listener of the configuration; NULL: plain HTTP
};

struct server {
    _Atomic(struct snapshot *) snapshot; // endpoints use that of their context
    struct epoch *turns;                 // of all who read it
    unsigned main_reader;                // of the main thread
    struct store *store;
    struct registry *registry;
    struct keyring *keyring;
    struct pool *pool;
    struct endpoint_limits *limits;
    struct slow_hashes *slow;
    struct reload *reload;
    void (*reload_order)(struct reload *reload, struct reload_order *order);
    uint32_t epoch;
    _Atomic bool draining;
    struct metrics *metrics[EPOCH_READERS]; // of all threads, for /metrics
    size_t metrics_count;
    int64_t started_mono_us;
};

struct endpoint_log;

// request->context: one for each worker.
struct endpoint_context {
    struct server *server;
    // Of this turn, so that no answer is made from two. It is never kept: a request that was parked
    // runs again from its first line, and may find another one.
    const struct snapshot *snapshot;
    uint64_t limited_by; // the number of the snapshot whose limits the worker has
    struct token_context token;
    struct usage *usage;
    struct metrics *metrics;
    struct endpoint_log *log;
};

static inline struct endpoint_context *endpoint_context(const struct http_request *request)
{
    return request->context;
}

static inline const struct config *endpoint_config(const struct http_request *request)
{
    return &endpoint_context(request)->snapshot->config;
}

// A path below /admin/ where the admin API can be reached: who asks there is no dialect's caller.
bool endpoint_is_for_operators(const struct http_request *request);
// Of the host that is asked for, or of the listener; NULL: nobody answers for that host.
const struct dialect *endpoint_dialect(const struct http_request *request);
// Of the issuer's address, whoever asks; NULL likewise.
const struct dialect *endpoint_issuer_dialect(const struct http_request *request);

// Whether token requests that name the issuer's host are answered by some listener: else the
// token_endpoint of the metadata answers 421. Also where there are no token requests at all.
bool endpoint_answers_issuer(const struct config *config, const struct dialect_set *dialects);

static inline const struct dialect_set *endpoint_dialects(const struct http_request *request)
{
    return endpoint_context(request)->snapshot->dialects;
}

// Whether the server can do its work, and why not: /readyz and the status say the same. Any thread.
enum endpoint_state {
    ENDPOINT_READY,
    ENDPOINT_DRAINING,
    ENDPOINT_STORE_STOPPED,
    ENDPOINT_CHANGES_MISSED, // an application or a key may have changed since
    ENDPOINT_CLOCK,          // it went back: nothing is issued
};
enum endpoint_state endpoint_state(const struct server *server, const struct env *env);
