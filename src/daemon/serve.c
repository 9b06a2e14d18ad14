// SPDX-License-Identifier: Apache-2.0
#include "daemon/serve.h"

#include <signal.h>
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
#include "daemon/certificates.h"
#include "daemon/housekeeper.h"
#include "daemon/identity.h"
#include "daemon/limits.h"
#include "daemon/logger.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/sandbox.h"
#include "daemon/snapshot.h"
#include "daemon/warn.h"
#include "endpoint/slow_hash.h"

#define STORE_QUEUE_BATCHES 4096
#define STORE_QUEUE_BYTES ((size_t)32 * 1024 * 1024)
#define STORE_READERS 1
#define POOL_QUEUE 64
#define POOL_WAIT_US SECOND_US // many clients give up after a few
#define REASON_MAX 512

// Everything that a start makes, in the order in which it is made; the end goes backwards.
struct serving {
    struct snapshot *first; // until it is published: then it is the server's
    struct config *config;  // its configuration, for the start only
    struct env env;
    struct epoch epoch;
    struct acceptor acceptor;
    struct server server;
    struct tls_tickets *tickets;
    struct reload *reload;
    struct workers *workers;
    struct housekeeper *keeper;
    struct sandbox sandbox;
    struct notify notify;
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

// A commit is for many requests, and one wake of each worker for all of them.
static void serving_on_answers(bool begin)
{
    if (begin)
        http_posts_hold();
    else
        http_posts_release();
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
        .on_answers = serving_on_answers,
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
        .rotation = snapshot_rotation(config),
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

// Tokens and metadata name the issuer, so one that leads nowhere must not go unsaid.
static enum twoleg_error serving_identify(struct serving *serving, bool change_issuer)
{
    struct config *config = serving->config;
    const struct warn_at at = {config, &serving->env, NULL};
    const struct str derived = config->issuer;
    enum twoleg_error error =
        identity_load(serving->server.store, config, change_issuer, &serving->env,
                      &serving->server.epoch, serving->reason);
    if (error || config->origins[CONFIG_ISSUER].origin != CONFIG_DERIVED)
        return error;
    const struct http_listener *first = serving_first(serving);
    if (!str_equal(derived, config->issuer))
        warn(&at, "issuer_elsewhere",
                     "tokens and metadata name the issuer %.*s, which this store remembers, but "
                     "the server listens at %.*s: if clients reach it at the former, set issuer: "
                     "%.*s in the configuration; to take the latter, start once with "
                     "--change-issuer",
                     STR_ARG(config->issuer), STR_ARG(derived), STR_ARG(config->issuer));
    else if (first && address_is_any(&first->address))
        warn(&at, "issuer_local",
                     "the server listens on every address, but tokens and metadata name the "
                     "issuer %.*s, which clients on other machines cannot use: set issuer: in the "
                     "configuration and start once with --change-issuer",
                     STR_ARG(config->issuer));
    return TWOLEG_NONE;
}

static enum twoleg_error serving_prepare_reload(struct serving *serving,
                                                const struct serve_options *options)
{
    struct server *server = &serving->server;
    const struct reload_settings settings = {
        .server = server,
        .sources = options->sources,
        .tickets = serving->tickets,
        .notify = &serving->notify,
    };
    snapshot_publish(server, serving->first);
    serving->first = NULL;
    enum twoleg_error error = reload_start(&settings, &serving->reload);
    server->reload = serving->reload;
    server->reload_order = reload_order;
    return error;
}

static enum twoleg_error serving_prepare(struct serving *serving,
                                         const struct serve_options *options)
{
    struct server *server = &serving->server;
    struct registry_settings registry = {
        .store = server->store,
        .epoch = &serving->epoch,
        .bodies_max = (size_t)serving->config->application_cache,
    };
    const struct warn_at at = {serving->config, &serving->env, NULL};
    enum twoleg_error error = registry_create(&registry, &server->registry);
    unsigned cores = env_cores();
    if (!error) {
        warn_of_doubts(&at, serving->first->certificates);
        warn_of_gates(&at, server->registry);
        warn_of_issuer(&at, serving->first->dialects);
        warn_of_ties(&at, serving->first->dialects, server->store);
    }
    if (!error)
        error = pool_create(cores > 3 ? cores / 2 : 1, POOL_QUEUE, POOL_WAIT_US,
                            &server->pool);
    if (!error) {
        server->limits = endpoint_limits_create(&serving->env);
        server->slow = slow_hashes_create(&serving->env);
        error = server->limits && server->slow ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    }
    if (!error)
        error = serving_prepare_reload(serving, options);
    if (!error)
        error = workers_create(server, &serving->workers);
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
        bool tls = serving->config->listen.items[i].tls.count > 0;
        struct str scheme = tls ? STR("https://") : STR("http://");
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

// With each bad file on a line of its own, as for the configuration itself.
static enum twoleg_error serving_read_files(struct serving *serving)
{
    struct reload_outcome outcome;
    struct buf lines;
    const char *lacks = "the server does not start with a dialect that is wrong";
    serving->tickets = tls_tickets_create();
    if (!serving->tickets || !reload_outcome_init(&outcome))
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error =
        dialect_set_create(serving->config, &outcome.report, &serving->first->dialects);
    if (!error) {
        lacks = "no listener speaks TLS without its certificate";
        error = certificates_load(serving->config, serving->tickets, serving->env.now_us,
                                  &outcome.report, &serving->first->certificates);
    }
    buf_init_arena(&lines, &outcome.arena, 1024);
    if (!config_report_is_clean(&outcome.report))
        snprintf(serving->reason, sizeof serving->reason, "%s", lacks);
    config_report_print(&outcome.report, &lines);
    fprintf(stderr, "%.*s", STR_ARG(buf_str(&lines)));
    reload_outcome_finish(&outcome);
    return error;
}

// Before the first thread: what Landlock forbids a thread, it forbids those that it starts.
static enum twoleg_error serving_confine(struct serving *serving)
{
    const struct config *config = serving->config;
    struct stat info;
    enum twoleg_error error = TWOLEG_NONE;
    if (!config->sandbox)
        return TWOLEG_NONE;
    serving->sandbox.files_why = serving->sandbox.filter_why = sandbox_obstacle();
    if (serving->sandbox.files_why)
        return TWOLEG_NONE;
    if (lstat(config->data.ptr, &info)) // the folder above is closed to us from now on
        error = store_make_folder(config->data.ptr, serving->reason);
    return error ? error : sandbox_confine_files(&serving->sandbox, config, serving->reason);
}

// D7: whoever breaks into it has all of the machine.
static void serving_warn_of_root(struct serving *serving)
{
    const struct warn_at at = {serving->config, &serving->env, NULL};
    if (geteuid() == 0 && !serving->config->user.len)
        warn(&at, "runs_as_root",
             "the server runs as root, since it was started as root and no user is configured: "
             "set user: in the configuration, or start it as a user of its own");
}

static enum twoleg_error serving_start(struct serving *serving,
                                       const struct serve_options *options)
{
    const struct warn_at at = {serving->config, &serving->env, NULL};
    enum twoleg_error error = sandbox_begin();
    if (!error)
        error = acceptor_init(&serving->acceptor, options->activation);
    if (!error)
        error = limits_raise(serving->config, serving->reason);
    if (!error)
        error = serving_listen(serving);
    if (!error)
        error = crypto_init();
    // From here on as the user that a reload will be: what only root can read is refused now, and
    // not when a certificate is to be renewed.
    if (!error)
        error = sandbox_become(serving->config, serving->reason);
    if (!error)
        error = serving_read_files(serving);
    if (!error)
        error = serving_confine(serving);
    if (!error)
        error = serving_open(serving);
    if (!error)
        error = acceptor_open_paths(&serving->acceptor, serving->config, serving->reason);
    if (!error)
        error = logger_start();
    if (!error) {
        serving_warn_of_root(serving);
        warn_of_unreadable(&at, options->sources->file);
        error = serving_identify(serving, options->change_issuer);
    }
    if (!error)
        error = serving_prepare(serving, options);
    if (!error)
        warn_of_swap(&at);
    // Before the world hears that we are ready: nobody finds a server that is not locked in.
    if (!error && serving->config->sandbox && !serving->sandbox.filter_why)
        error = sandbox_filter_calls(&serving->sandbox, serving->reason);
    if (!error)
        error = serving_announce(serving);
    return error;
}

// From now on, as long as configured now.
static int64_t serving_drain_until(struct serving *serving)
{
    const struct snapshot *snapshot = snapshot_enter(&serving->server);
    int64_t drain_us = snapshot ? snapshot->config.drain_timeout : 0;
    snapshot_leave(&serving->server);
    env_tick(&serving->env);
    return serving->env.mono_us + drain_us;
}

// Returns how many connections the deadline cut off.
static uint32_t serving_stop(struct serving *serving)
{
    struct server *server = &serving->server;
    uint32_t left = 0;
    int64_t deadline = serving_drain_until(serving);
    if (serving->workers)
        workers_drain(serving->workers, deadline);
    acceptor_finish(&serving->acceptor);
    if (serving->workers)
        left = workers_join(serving->workers);
    housekeeper_stop(serving->keeper);
    reload_stop(serving->reload);
    pool_destroy(server->pool);
    store_close(server->store); // every job that a request waited for has ended after this
    workers_destroy(serving->workers);
    slow_hashes_destroy(server->slow);
    endpoint_limits_destroy(server->limits);
    logger_stop();
    registry_destroy(server->registry);
    keyring_destroy(server->keyring);
    epoch_finish(&serving->epoch);
    snapshot_destroy(atomic_load(&server->snapshot));
    snapshot_destroy(serving->first);
    tls_tickets_destroy(serving->tickets);
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

// Until a signal says so. The main thread held the first snapshot up to here; others may follow.
static void serving_run(struct serving *serving)
{
    notify_say(&serving->notify, "READY=1");
    serving_note_start(serving);
    serving_note_sandbox(serving);
    serving->config = NULL;
    snapshot_leave(&serving->server);
    int signal = acceptor_run(&serving->acceptor, serving->workers, serving->reload);
    notify_say(&serving->notify, "STOPPING=1");
    serving_note_stop(serving, signal);
    acceptor_take_last(&serving->acceptor, serving->workers, &serving->env,
                       serving_drain_until(serving));
    atomic_store(&serving->server.draining, true);
}

// Takes the configuration.
static struct serving *serving_create(struct config *config)
{
    size_t size = (sizeof(struct serving) + 63) & ~(size_t)63;
    struct serving *serving = aligned_alloc(64, size);
    if (!serving) {
        config_finish(config);
        return NULL;
    }
    memset(serving, 0, size);
    env_init(&serving->env);
    epoch_init(&serving->epoch);
    serving->server.turns = &serving->epoch;
    serving->server.started_mono_us = serving->env.mono_us;
    if (snapshot_create(config, &serving->first) ||
        !epoch_register(&serving->epoch, &serving->server.main_reader)) {
        epoch_finish(&serving->epoch);
        snapshot_destroy(serving->first);
        env_finish(&serving->env);
        free(serving);
        return NULL;
    }
    serving->config = &serving->first->config;
    return serving;
}

void daemon_begin(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); // acceptor_init takes it from there
}

int daemon_serve(struct config *config, const struct serve_options *options)
{
    struct serving *serving = serving_create(config);
    if (!serving) {
        fprintf(stderr, "twoleg: out of memory\n");
        return 1;
    }
    umask(077);
    log_set_level((enum log_level)serving->config->log_level);
    notify_init(&serving->notify);
    snapshot_enter(&serving->server);
    enum twoleg_error error = serving_start(serving, options);
    if (!error)
        serving_run(serving);
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
