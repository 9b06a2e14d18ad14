// SPDX-License-Identifier: Apache-2.0
#include "daemon/snapshot.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "config/load.h"
#include "daemon/certificates.h"

#define PARK_US (30 * SECOND_US)
#define HOLD_US (SECOND_US / 4)
// Of all workers: what bodies hold that are longer than the usual few kilobytes. However many
// workers share it, each can take sixteen of the longest.
#define BODY_BYTES ((int64_t)16 * 1024 * 1024)
#define BODY_BYTES_LEAST (16u * 65536u)

enum twoleg_error snapshot_create(struct config *config, struct snapshot **ret_snapshot)
{
    struct snapshot *snapshot = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *snapshot);
    if (!snapshot) {
        config_finish(config);
        return TWOLEG_NO_MEMORY;
    }
    snapshot->config = *config;
    *ret_snapshot = snapshot;
    return TWOLEG_NONE;
}

void snapshot_destroy(void *object)
{
    struct snapshot *snapshot = object;
    if (!snapshot)
        return;
    certificates_release(snapshot->certificates, snapshot->config.listen.count);
    dialect_set_destroy(snapshot->dialects);
    config_finish(&snapshot->config);
    free(snapshot);
}

static uint32_t snapshot_share(int64_t total, int64_t workers)
{
    return (uint32_t)((total + workers - 1) / workers);
}

static struct http_limits snapshot_limits(const struct config *config)
{
    uint32_t bodies = snapshot_share(BODY_BYTES, config->workers);
    return (struct http_limits){
        .tls_us = config->tls_timeout,
        .header_us = config->header_timeout,
        .body_us = config->body_timeout,
        .idle_us = config->idle_timeout,
        .write_us = config->write_timeout,
        .max_connections = snapshot_share(config->max_connections, config->workers),
        .max_per_address = (uint32_t)config->max_connections_per_address,
        .max_parked = snapshot_share(config->max_waiting, config->workers),
        .max_body_bytes = bodies < BODY_BYTES_LEAST ? BODY_BYTES_LEAST : bodies,
        .hold_us = HOLD_US,
        .park_us = PARK_US,
    };
}

void snapshot_publish(struct server *server, struct snapshot *snapshot)
{
    struct snapshot *before = atomic_load(&server->snapshot);
    snapshot->limits = snapshot_limits(&snapshot->config);
    snapshot->number = before ? before->number + 1 : 1;
    atomic_store(&server->snapshot, snapshot);
    log_set_level((enum log_level)snapshot->config.log_level);
    if (!before)
        return;
    epoch_retire(server->turns, &before->note, snapshot_destroy);
    epoch_collect(server->turns);
}

struct rotation_rules snapshot_rotation(const struct config *config)
{
    return (struct rotation_rules){
        .period_us = config->key_rotation == TIME_NEVER ? 0 : config->key_rotation,
        .age.value_us = config->jwks_max_age,
        .life.value_us = config->jwt_max_ttl,
    };
}

const struct snapshot *snapshot_enter(struct server *server)
{
    epoch_enter(server->turns, server->main_reader);
    return atomic_load(&server->snapshot);
}

void snapshot_leave(struct server *server)
{
    epoch_leave(server->turns, server->main_reader);
}
