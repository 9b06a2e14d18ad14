// SPDX-License-Identifier: Apache-2.0
#include "daemon/serve.h"

#include <signal.h>
#include <stdarg.h>
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
#include "daemon/limits.h"
#include "daemon/logger.h"
#include "daemon/notify.h"
#include "daemon/sandbox.h"
#include "endpoint/limit.h"

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
    struct acceptor acceptor;
    struct server server;
    struct certificates *certificates;
    struct workers *workers;
    struct housekeeper *keeper;
    struct sandbox sandbox;
    struct notify notify;
    char reason[REASON_MAX];
    char notice[REASON_MAX];
};

// What the operator should know at once: in words, whatever the log's level is, and as an event for
// those who search the log.
static void __attribute__((format(printf, 3, 4)))
serving_warn(const struct serving *serving, const char *event, const char *format, ...)
{
    char words[1024]; // larger than any of ours with what it names, else cut
    struct log_line line;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fprintf(stderr, "twoleg: warning: %s\n", words);
    log_begin(&line, LOG_WARNING, serving->env.now_us, event);
    log_str(&line, "issuer", serving->config->issuer);
    log_end(&line);
}

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
    if (serving->reason[0])
        fprintf(stderr, "twoleg: %s\n", serving->reason);
    serving->reason[0] = '\0';
    struct keyring_settings keys = {
        .store = serving->server.store,
        .epoch = &serving->epoch,
        .folder = config->data.ptr,
        .master_key_file = config->master_key_file.len ? config->master_key_file.ptr : NULL,
        .env = &serving->env,
        .rotation = {.period_us = config->key_rotation == TIME_NEVER ? 0 : config->key_rotation,
                     .age.value_us = config->jwks_max_age,
                     .life.value_us = config->jwt_max_ttl},
    };
    error = keyring_create(&keys, &serving->server.keyring, serving->reason, serving->notice);
    // At once: a start that fails later must not take this with it, since it is said only once.
    if (serving->notice[0])
        fprintf(stderr, "twoleg: %s\n", serving->notice);
    return error;
}

// The first listener with a port, or NULL: the issuer is made from it.
static const struct http_listener *serving_first(const struct serving *serving)
{
    const struct acceptor *acceptor = &serving->acceptor;
    for (size_t i = 0; i < acceptor->count; i++)
        if (acceptor->listeners[i].fd >= 0 && !acceptor->listeners[i].path[0])
            return &acceptor->listeners[i];
    return NULL;
}

static enum twoleg_error serving_listen(struct serving *serving)
{
    enum twoleg_error error =
        acceptor_open_ports(&serving->acceptor, serving->config, serving->reason);
    const struct http_listener *first = error ? NULL : serving_first(serving);
    // Which port the system chose is known only now.
    return first ? config_derive_issuer(serving->config, &first->address) : error;
}

// B5: tokens and metadata name the issuer, so one that leads nowhere must not go unsaid.
static enum twoleg_error serving_identify(struct serving *serving, bool change_issuer)
{
    struct config *config = serving->config;
    const struct str derived = config->issuer;
    enum twoleg_error error =
        identity_load(serving->server.store, config, change_issuer, &serving->env,
                      &serving->server.epoch, serving->reason);
    if (error || config->origins[CONFIG_ISSUER].origin != CONFIG_DERIVED)
        return error;
    const struct http_listener *first = serving_first(serving);
    if (!str_equal(derived, config->issuer))
        serving_warn(serving, "issuer_elsewhere",
                     "tokens and metadata name the issuer %.*s, which this store remembers, but "
                     "the server listens at %.*s: if clients reach it at the former, set issuer: "
                     "%.*s in the configuration; to take the latter, start once with "
                     "--change-issuer",
                     STR_ARG(config->issuer), STR_ARG(derived), STR_ARG(config->issuer));
    else if (first && address_is_any(&first->address))
        serving_warn(serving, "issuer_local",
                     "the server listens on every address, but tokens and metadata name the "
                     "issuer %.*s, which clients on other machines cannot use: set issuer: in the "
                     "configuration and start once with --change-issuer",
                     STR_ARG(config->issuer));
    return TWOLEG_NONE;
}

// A gate for an API that is not there is no error: the API may be created while the server runs.
static void serving_check_gates(const struct serving *serving)
{
    const struct config_checks *checks = &serving->config->checks;
    const struct api_set *apis = registry_apis(serving->server.registry);
    for (size_t i = 0; i < checks->count; i++) {
        const struct config_check *check = &checks->items[i];
        if (check->resource.len && !api_set_find_identifier(apis, check->resource))
            serving_warn(serving, "check_without_api",
                         "the gate /check/%.*s asks for tokens of %.*s, but there is no such API: "
                         "it answers 403 until one is made with `twoleg api create`",
                         STR_ARG(check->name), STR_ARG(check->resource));
    }
}

static enum twoleg_error serving_prepare(struct serving *serving)
{
    struct server *server = &serving->server;
    struct registry_settings registry = {
        .store = server->store,
        .epoch = &serving->epoch,
        .bodies_max = (size_t)serving->config->application_cache,
    };
    enum twoleg_error error = registry_create(&registry, &server->registry);
    unsigned cores = env_cores();
    if (!error)
        serving_check_gates(serving);
    if (!error)
        error = pool_create(cores > 3 ? cores / 2 : 1, POOL_QUEUE, &server->pool);
    if (!error) {
        server->limits = endpoint_limits_create(serving->config, &serving->env);
        error = server->limits ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    }
    if (!error)
        error = workers_create(server, &serving->epoch, &serving->workers);
    if (!error)
        error = housekeeper_start(server, serving->workers, &serving->notify, &serving->keeper);
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
        struct str scheme = listener->tls ? STR("https://") : STR("http://");
        buf_add(&out, listener->path[0] ? STR("unix:") : scheme);
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

// Before the first thread: what Landlock forbids a thread, it forbids those that it starts.
static enum twoleg_error serving_confine(struct serving *serving)
{
    const struct config *config = serving->config;
    struct stat info;
    enum twoleg_error error = sandbox_become(config, serving->reason);
    if (error || !config->sandbox)
        return error;
    serving->sandbox.files_why = serving->sandbox.filter_why = sandbox_obstacle();
    if (serving->sandbox.files_why)
        return TWOLEG_NONE;
    if (lstat(config->data.ptr, &info)) // the folder above is closed to us from now on
        error = store_make_folder(config->data.ptr, serving->reason);
    return error ? error : sandbox_confine_files(&serving->sandbox, config, serving->reason);
}

static enum twoleg_error serving_start(struct serving *serving,
                                       const struct serve_options *options)
{
    enum twoleg_error error = sandbox_begin();
    if (!error)
        error = acceptor_init(&serving->acceptor, options->activation);
    if (!error)
        error = limits_raise(serving->config, serving->reason);
    if (!error)
        error = serving_listen(serving);
    if (!error)
        error = crypto_init();
    if (!error)
        error = certificates_create(serving->config, &serving->env, &serving->certificates,
                                    serving->reason);
    if (!error)
        error = serving_confine(serving);
    if (!error)
        error = serving_open(serving);
    if (!error)
        error = acceptor_open_paths(&serving->acceptor, serving->config, serving->reason);
    if (!error)
        acceptor_use(&serving->acceptor, serving->certificates);
    if (!error)
        error = logger_start();
    if (!error)
        error = serving_identify(serving, options->change_issuer);
    if (!error)
        error = serving_prepare(serving);
    // Before the world hears that we are ready: nobody finds a server that is not locked in.
    if (!error && serving->config->sandbox && !serving->sandbox.filter_why)
        error = sandbox_filter_calls(&serving->sandbox, serving->reason);
    if (!error)
        error = serving_announce(serving);
    return error;
}

// Returns how many connections the deadline cut off.
static uint32_t serving_stop(struct serving *serving)
{
    struct server *server = &serving->server;
    uint32_t left = 0;
    env_tick(&serving->env);
    int64_t deadline = serving->env.mono_us + serving->config->drain_timeout;
    if (serving->workers)
        workers_drain(serving->workers, deadline);
    acceptor_finish(&serving->acceptor);
    if (serving->workers)
        left = workers_join(serving->workers);
    housekeeper_stop(serving->keeper);
    pool_destroy(server->pool);
    store_close(server->store); // every job that a request waited for has ended after this
    workers_destroy(serving->workers);
    certificates_destroy(serving->certificates);
    endpoint_limits_destroy(server->limits);
    logger_stop();
    registry_destroy(server->registry);
    keyring_destroy(server->keyring);
    epoch_finish(&serving->epoch);
    return left;
}

static void serving_note_start(struct serving *serving)
{
    struct log_line line;
    env_tick(&serving->env);
    log_begin(&line, LOG_INFO, serving->env.now_us, "started");
    log_str(&line, "issuer", serving->config->issuer);
    log_str(&line, "data", serving->config->data);
    if (serving->notice[0])
        log_str(&line, "notice", str_from(serving->notice));
    log_end(&line);
}

static void serving_note_sandbox(struct serving *serving)
{
    const struct sandbox *sandbox = &serving->sandbox;
    bool whole = sandbox->landlock && sandbox->filter;
    struct log_line line;
    log_begin(&line, whole || !serving->config->sandbox ? LOG_INFO : LOG_WARNING,
              serving->env.now_us, "sandbox");
    log_u64(&line, "uid", (uint64_t)geteuid());
    log_u64(&line, "landlock", (uint64_t)sandbox->landlock);
    if (sandbox->files_why)
        log_str(&line, "landlock_why", str_from(sandbox->files_why));
    log_word(&line, "seccomp", sandbox->filter ? "on" : "off");
    if (sandbox->filter_why)
        log_str(&line, "seccomp_why", str_from(sandbox->filter_why));
    log_end(&line);
}

static void serving_note_stop(struct serving *serving, int signal)
{
    struct log_line line;
    env_tick(&serving->env);
    log_begin(&line, LOG_INFO, serving->env.now_us, "stopping");
    log_word(&line, "signal", signal ? sigabbrev_np(signal) : "none");
    log_end(&line);
}

static void serving_note_end(struct serving *serving, uint32_t left)
{
    struct log_line line;
    env_tick(&serving->env);
    log_begin(&line, left ? LOG_WARNING : LOG_INFO, serving->env.now_us, "stopped");
    log_u64(&line, "connections_cut_off", left);
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

    notify_init(&serving->notify);

    enum twoleg_error error = serving_start(serving, options);
    if (!error) {
        notify_say(&serving->notify, "READY=1");
        serving_note_start(serving);
        serving_note_sandbox(serving);
        int signal = acceptor_run(&serving->acceptor, serving->workers, &serving->env);
        notify_say(&serving->notify, "STOPPING=1");
        serving_note_stop(serving, signal);
        atomic_store(&serving->server.draining, true);
    }
    uint32_t left = serving_stop(serving);
    if (error)
        fprintf(stderr, "twoleg: %s\n",
                serving->reason[0] ? serving->reason : twoleg_error_text(error));
    else
        serving_note_end(serving, left);
    notify_finish(&serving->notify);
    env_finish(&serving->env);
    free(serving);
    return error ? 1 : 0;
}
