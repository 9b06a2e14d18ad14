// SPDX-License-Identifier: Apache-2.0
#include "daemon/serve.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/epoch.h"
#include "config/load.h"
#include "crypto/init.h"
#include "daemon/acceptor.h"
#include "daemon/housekeeper.h"
#include "daemon/identity.h"
#include "daemon/logger.h"

#define STORE_QUEUE_BATCHES 4096
#define STORE_QUEUE_BYTES ((size_t)32 * 1024 * 1024)
#define STORE_READERS 1
#define POOL_QUEUE 64
#define REASON_MAX 512

// Everything that a start makes, in the order in which it is made; the end goes backwards.
struct serving {
    struct config *config;
    struct env env;
    struct epoch epoch;
    struct server server;
    struct acceptor acceptor;
    struct workers *workers;
    struct housekeeper *keeper;
    char reason[REASON_MAX];
    char notice[REASON_MAX];
};

static void serving_on_change(void *context, const struct store_change *changes, size_t count)
{
    struct serving *serving = context;
    if (serving->server.keyring)
        keyring_on_change(serving->server.keyring, changes, count);
    if (serving->server.registry)
        registry_on_change(serving->server.registry, changes, count);
}

static enum twoleg_error serving_open(struct serving *serving)
{
    const struct config *config = serving->config;
    struct store_settings store = {
        .folder = config->data.ptr,
        .create = true,
        .readers = STORE_READERS,
        .queue_batches = STORE_QUEUE_BATCHES,
        .queue_bytes = STORE_QUEUE_BYTES,
        .on_change = serving_on_change,
        .on_change_context = serving,
    };
    enum twoleg_error error = store_open(&store, &serving->server.store, serving->reason);
    if (error)
        return error;
    struct keyring_settings keys = {
        .store = serving->server.store,
        .epoch = &serving->epoch,
        .folder = config->data.ptr,
        .master_key_file = config->master_key_file.len ? config->master_key_file.ptr : NULL,
        .env = &serving->env,
    };
    return keyring_create(&keys, &serving->server.keyring, serving->reason, serving->notice);
}

static enum twoleg_error serving_listen(struct serving *serving)
{
    struct acceptor *acceptor = &serving->acceptor;
    enum twoleg_error error = acceptor_open(acceptor, serving->config, serving->reason);
    // Which port the system chose is known only now. The first listener with a port counts.
    size_t first = 0;
    while (first + 1 < acceptor->count && acceptor->listeners[first].path[0])
        first++;
    if (!error && !acceptor->listeners[first].path[0])
        error = config_derive_issuer(serving->config, &acceptor->listeners[first].address);
    return error;
}

static enum twoleg_error serving_prepare(struct serving *serving, bool change_issuer)
{
    struct server *server = &serving->server;
    enum twoleg_error error = identity_load(server->store, serving->config, change_issuer,
                                            &serving->env, &server->epoch, serving->reason);
    if (error)
        return error;
    struct registry_settings registry = {
        .store = server->store,
        .epoch = &serving->epoch,
        .bodies_max = (size_t)serving->config->application_cache,
    };
    error = registry_create(&registry, &server->registry);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!error)
        error = pool_create(cores > 3 ? (unsigned)cores / 2 : 1, POOL_QUEUE, &server->pool);
    if (!error)
        error = workers_create(server, &serving->epoch, &serving->workers);
    if (!error)
        error = housekeeper_start(server, serving->workers, &serving->keeper);
    if (!error)
        error = workers_start(serving->workers);
    return error;
}

// DIR/listen and standard output: where the server can be reached, one line for each listener.
static enum twoleg_error serving_announce(const struct serving *serving)
{
    char path[4096], url[160];
    int len = snprintf(path, sizeof path, "%.*s/listen", STR_ARG(serving->config->data));
    FILE *file = len > 0 && (size_t)len < sizeof path ? fopen(path, "we") : NULL;
    if (!file)
        return TWOLEG_INTERNAL;
    for (size_t i = 0; i + 1 < serving->acceptor.count; i++) { // the last is the admin socket
        const struct http_listener *listener = &serving->acceptor.listeners[i];
        struct buf out;
        buf_init(&out, url, sizeof url);
        buf_add(&out, listener->path[0] ? STR("unix:") : STR("http://"));
        if (listener->path[0])
            buf_add(&out, str_from(listener->path));
        else
            address_format_port(&out, &listener->address);
        fprintf(file, "%.*s\n", STR_ARG(buf_str(&out)));
        printf("ready %.*s\n", STR_ARG(buf_str(&out)));
    }
    bool written = fclose(file) == 0; // before the lines go out: whoever reads them may read it
    fflush(stdout);
    return written ? TWOLEG_NONE : TWOLEG_INTERNAL;
}

static enum twoleg_error serving_start(struct serving *serving,
                                       const struct serve_options *options)
{
    enum twoleg_error error = crypto_init();
    if (!error)
        error = acceptor_init(&serving->acceptor);
    if (!error)
        error = serving_open(serving);
    if (!error)
        error = serving_listen(serving);
    if (!error)
        error = logger_start();
    if (!error)
        error = serving_prepare(serving, options->change_issuer);
    if (!error)
        error = serving_announce(serving);
    return error;
}

static void serving_stop(struct serving *serving)
{
    struct server *server = &serving->server;
    env_tick(&serving->env);
    acceptor_finish(&serving->acceptor);
    if (serving->workers)
        workers_drain(serving->workers,
                      serving->env.mono_us + serving->config->drain_timeout);
    housekeeper_stop(serving->keeper);
    pool_destroy(server->pool);
    store_close(server->store); // every job that a request waited for has ended after this
    workers_destroy(serving->workers);
    logger_stop();
    registry_destroy(server->registry);
    keyring_destroy(server->keyring);
    epoch_finish(&serving->epoch);
    env_finish(&serving->env);
}

static void serving_note(const struct serving *serving, const char *event)
{
    struct log_line line;
    log_begin(&line, LOG_INFO, serving->env.now_us, event);
    log_str(&line, "issuer", serving->config->issuer);
    log_str(&line, "data", serving->config->data);
    if (serving->notice[0])
        log_str(&line, "notice", str_from(serving->notice));
    log_end(&line);
}

int daemon_serve(struct config *config, const struct serve_options *options)
{
    struct serving *serving = aligned_alloc(64, (sizeof *serving + 63) & ~(size_t)63);
    if (!serving) {
        fprintf(stderr, "twoleg: out of memory\n");
        return 1;
    }
    memset(serving, 0, sizeof *serving);
    serving->config = config;
    umask(077);
    env_init(&serving->env);
    epoch_init(&serving->epoch);
    serving->server.config = config;
    serving->server.started_mono_us = serving->env.mono_us;
    log_set_level((enum log_level)config->log_level);

    enum twoleg_error error = serving_start(serving, options);
    if (!error) {
        serving_note(serving, "started");
        acceptor_run(&serving->acceptor, serving->workers);
        atomic_store(&serving->server.draining, true);
    }
    serving_stop(serving);
    if (error)
        fprintf(stderr, "twoleg: %s\n",
                serving->reason[0] ? serving->reason : twoleg_error_text(error));
    free(serving);
    return error ? 1 : 0;
}
