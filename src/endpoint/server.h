// SPDX-License-Identifier: Apache-2.0
// What endpoints get: the server's parts, and what belongs to their own worker.
#pragma once
#include "base/pool.h"
#include "client_auth/client_auth.h"
#include "config/config.h"
#include "dialect/dialect.h"
#include "http/job.h"
#include "keyring/keyring.h"
#include "registry/registry.h"
#include "store/store.h"
#include "token/token.h"
#include "usage/usage.h"

struct endpoint_limits;

struct server {
    const struct config *config;
    struct store *store;
    struct registry *registry;
    struct keyring *keyring;
    struct pool *pool;
    struct endpoint_limits *limits;
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
    struct token_context token;
    struct slow_secret_cache *slow;
    struct usage *usage;
    struct metrics *metrics;
    struct endpoint_log *log;
};

static inline struct endpoint_context *endpoint_context(const struct http_request *request)
{
    return request->context;
}
