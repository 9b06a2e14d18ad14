// SPDX-License-Identifier: Apache-2.0
#include "daemon/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/priority.h"
#include "daemon/logger.h"
#include "daemon/snapshot.h"
#include "endpoint/limit.h"
#include "endpoint/log.h"
#include "endpoint/routes.h"

#define TOKEN_CACHE_ENTRIES 4096

struct draining {
    struct http_message message; // first
    int64_t deadline_mono_us;
};

// What the HTTP layer refused in this second, by the text that says why (there are fewer).
#define WORKER_CAUSES 64
struct worker_cause {
    const char *reason; // one of its texts: compared as a pointer
    struct log_sample sample;
};

struct worker {
    struct http_worker *http;
    struct endpoint_context context;
    struct metrics metrics;
    pthread_t thread;
    bool running;
    struct draining draining;
    uint32_t left; // connections open when it had to end; read after the join
    struct http_message asked; // see workers_answer
    atomic_bool silent;        // it has been asked and has not answered
    struct worker_cause causes[WORKER_CAUSES];
    _Atomic uint32_t coming; // connections that were handed over and not yet adopted
};

struct workers {
    struct server *server;
    struct metrics metrics; // the accepting thread's
    struct http_peers peers;
    size_t count;
    struct worker all[];
};

static struct log_sample *worker_sample(struct worker *worker, const char *reason)
{
    size_t i = 0;
    while (i < WORKER_CAUSES - 1 && worker->causes[i].reason && worker->causes[i].reason != reason)
        i++;
    worker->causes[i].reason = reason;
    return &worker->causes[i].sample;
}

// Whoever sends garbage must not have us write as much.
static void worker_refused(void *context, const struct env *env, struct address peer,
                           const char *reason)
{
    struct endpoint_context *own = context;
    struct worker *worker = (struct worker *)((char *)own - offsetof(struct worker, context));
    uint64_t left_out;
    if (!log_wants(LOG_DEBUG) ||
        !log_sample(worker_sample(worker, reason), env->now_us, &left_out))
        return;
    char text[ADDRESS_TEXT_MAX];
    struct buf out;
    buf_init(&out, text, sizeof text);
    address_format(&out, &peer);
    struct log_line line;
    log_begin(&line, LOG_DEBUG, env->now_us, "http_refused");
    log_str(&line, "peer", buf_str(&out));
    log_str(&line, "reason", str_from(reason));
    if (left_out)
        log_u64(&line, "left_out", left_out);
    log_end(&line);
}

// Here, and nowhere else, a worker comes to another snapshot: between two turns.
static void worker_on_turn(void *object, struct http_worker *http)
{
    struct endpoint_context *context = object;
    context->snapshot = atomic_load_explicit(&context->server->snapshot, memory_order_acquire);
    if (context->limited_by == context->snapshot->number)
        return;
    const struct config *config = &context->snapshot->config;
    context->limited_by = context->snapshot->number;
    context->token.issuer = config->issuer;
    context->token.prefix = config->token_prefix;
    context->token.shapes = dialect_set_shapes(context->snapshot->dialects,
                                               &context->token.shape_count);
    http_worker_limit(http, &context->snapshot->limits);
}

static struct http_welcome worker_welcome(void *object, const struct http_listener *listener)
{
    const struct snapshot *snapshot = ((const struct endpoint_context *)object)->snapshot;
    if (listener->number >= snapshot->config.listen.count)
        return (struct http_welcome){.secure = false}; // the admin socket
    const struct config_proxies *proxies =
        &snapshot->config.listen.items[listener->number].trusted_proxies;
    return (struct http_welcome){.secure = snapshot->certificates[listener->number],
                                 .trusted = proxies->items,
                                 .trusted_count = proxies->count};
}

// Asked about listeners with TLS only, which the admin socket is not.
static struct tls_set *worker_secure(void *object, const struct env *env,
                                     const struct http_listener *listener,
                                     const struct address *address)
{
    struct endpoint_context *context = object;
    bool allowed = !address || endpoint_limit_handshake(context, env, address);
    return allowed ? context->snapshot->certificates[listener->number] : NULL;
}

static enum twoleg_error worker_init_http(struct workers *workers, uint32_t number)
{
    struct worker *worker = &workers->all[number];
    struct http_settings settings = {
        .number = number,
        .limits = atomic_load(&workers->server->snapshot)->limits,
        .peers = &workers->peers,
        .epoch = workers->server->turns,
        .metrics = &worker->metrics,
        .context = &worker->context,
        .on_turn = worker_on_turn,
        .welcome = worker_welcome,
        .secure = worker_secure,
        .refuse = endpoint_refuse_http,
        .on_refused = worker_refused,
    };
    settings.routes = endpoint_routes(&settings.route_count);
    return http_worker_create(&settings, &worker->http);
}

static enum twoleg_error worker_init(struct workers *workers, uint32_t number)
{
    struct worker *worker = &workers->all[number];
    struct server *server = workers->server;
    enum twoleg_error error = worker_init_http(workers, number);
    if (error)
        return error;
    struct env *env = http_worker_env(worker->http);
    worker->context = (struct endpoint_context){
        .server = server,
        .token = {.registry = server->registry,
                  .keyring = server->keyring,
                  .keys = keyring_worker_create(server->keyring),
                  .cache = token_cache_create(TOKEN_CACHE_ENTRIES),
                  .env = env,
                  .metrics = &worker->metrics,
                  .epoch = server->epoch},
        .usage = usage_create(),
        .metrics = &worker->metrics,
        .log = endpoint_log_create(),
    };
    const struct endpoint_context *context = &worker->context;
    bool whole =
        context->token.keys && context->token.cache && context->usage && context->log;
    return whole ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

static enum twoleg_error workers_init_peers(struct workers *workers)
{
    struct env env;
    struct siphash_key key;
    env_init(&env);
    bool random = env_random_u64(&env, &key.k0) && env_random_u64(&env, &key.k1);
    env_finish(&env);
    if (!random)
        return TWOLEG_NO_RANDOM;
    http_peers_init(&workers->peers, key);
    return TWOLEG_NONE;
}

enum twoleg_error workers_create(struct server *server, struct workers **ret_workers)
{
    size_t count = (size_t)atomic_load(&server->snapshot)->config.workers;
    count = count > WORKERS_MAX ? WORKERS_MAX : count;
    size_t size = sizeof(struct workers) + count * sizeof(struct worker);
    struct workers *workers = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!workers)
        return TWOLEG_NO_MEMORY;
    memset(workers, 0, size);
    workers->server = server;
    workers->count = count;
    server->metrics[server->metrics_count++] = &workers->metrics;
    enum twoleg_error error = workers_init_peers(workers);
    for (size_t i = 0; i < count && !error; i++) {
        error = worker_init(workers, (uint32_t)i);
        server->metrics[server->metrics_count++] = &workers->all[i].metrics;
    }
    if (error)
        workers_destroy(workers);
    else
        *ret_workers = workers;
    return error;
}

static void *worker_main(void *context)
{
    struct worker *worker = context;
    priority_prompt();
    // Without a ring its lines are written at once: slower, and nothing is lost.
    enum twoleg_error error = logger_join();
    (void)error;
    worker->left = http_worker_run(worker->http);
    return NULL;
}

enum twoleg_error workers_start(struct workers *workers)
{
    for (size_t i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->all[i];
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
            return TWOLEG_NO_MEMORY;
        worker->running = true;
    }
    return TWOLEG_NONE;
}

struct adoption {
    struct http_message message; // first
    struct worker *worker;
    int fd;
    const struct http_listener *listener;
    bool crowded;
};

static void adoption_run(struct http_message *message, struct http_worker *http)
{
    struct adoption *adoption = (struct adoption *)message;
    atomic_fetch_sub(&adoption->worker->coming, 1); // before: nobody counts twice
    http_worker_adopt(http, adoption->fd, adoption->listener, adoption->crowded);
    free(adoption);
}

static void adoption_cancel(struct http_message *message)
{
    struct adoption *adoption = (struct adoption *)message;
    close(adoption->fd);
    free(adoption);
}

bool workers_keep_up(const struct workers *workers)
{
    for (size_t i = 0; i < workers->count; i++)
        if (atomic_load(&workers->all[i].coming) < WORKERS_COMING_MAX)
            return true;
    return false;
}

// The one with the fewest connections, of those that keep up; how many there are in all.
static struct worker *workers_choose(struct workers *workers, uint64_t *ret_total)
{
    struct worker *chosen = &workers->all[0];
    uint64_t total = 0, least = UINT64_MAX;
    for (size_t i = 0; i < workers->count; i++) {
        // Those on their way count too: a whole round is accepted before a worker has woken up.
        uint64_t coming = atomic_load(&workers->all[i].coming);
        uint64_t connections = coming + http_worker_connections(workers->all[i].http);
        total += connections;
        connections += coming < WORKERS_COMING_MAX ? 0 : UINT32_MAX;
        if (connections < least) {
            least = connections;
            chosen = &workers->all[i];
        }
    }
    *ret_total = total;
    return chosen;
}

void workers_adopt(struct workers *workers, int fd, const struct http_listener *listener)
{
    uint64_t total;
    struct worker *chosen = workers_choose(workers, &total);
    struct adoption *adoption = malloc(sizeof *adoption);
    uint64_t most = (uint64_t)snapshot_enter(workers->server)->config.max_connections;
    snapshot_leave(workers->server);
    if (!adoption) {
        metrics_add(&workers->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        close(fd);
        return;
    }
    *adoption = (struct adoption){
        .message = {NULL, adoption_run, adoption_cancel},
        .worker = chosen,
        .fd = fd,
        .listener = listener,
        .crowded = total >= http_listener_places(listener, most),
    };
    atomic_fetch_add(&chosen->coming, 1);
    http_worker_post(chosen->http, &adoption->message);
}

static void worker_answer(struct http_message *message, struct http_worker *http)
{
    (void)http;
    struct worker *worker =
        (struct worker *)((char *)message - offsetof(struct worker, asked));
    stop_point("worker.answer");
    atomic_store(&worker->silent, false);
}

bool workers_answer(struct workers *workers)
{
    bool all = true;
    for (size_t i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->all[i];
        if (atomic_load(&worker->silent)) {
            all = false; // its message is still under way
            continue;
        }
        atomic_store(&worker->silent, true);
        worker->asked = (struct http_message){NULL, worker_answer, NULL};
        http_worker_post(worker->http, &worker->asked);
    }
    return all;
}

static void draining_run(struct http_message *message, struct http_worker *http)
{
    http_worker_drain(http, ((struct draining *)message)->deadline_mono_us);
}

void workers_drain(struct workers *workers, int64_t deadline_mono_us)
{
    for (size_t i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->all[i];
        worker->draining = (struct draining){{NULL, draining_run, NULL}, deadline_mono_us};
        if (worker->running)
            http_worker_post(worker->http, &worker->draining.message);
    }
}

uint32_t workers_join(struct workers *workers)
{
    uint32_t left = 0;
    for (size_t i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->all[i];
        if (worker->running)
            pthread_join(worker->thread, NULL);
        worker->running = false;
        left += worker->left;
    }
    return left;
}

void workers_destroy(struct workers *workers)
{
    if (!workers)
        return;
    for (size_t i = 0; i < workers->count; i++) {
        struct endpoint_context *context = &workers->all[i].context;
        http_worker_destroy(workers->all[i].http);
        keyring_worker_destroy(context->token.keys);
        token_cache_destroy(context->token.cache);
        usage_destroy(context->usage);
        endpoint_log_destroy(context->log);
    }
    http_peers_finish(&workers->peers);
    free(workers);
}

size_t workers_usage(const struct workers *workers, struct usage *ret_usage[WORKERS_MAX])
{
    for (size_t i = 0; i < workers->count; i++)
        ret_usage[i] = workers->all[i].context.usage;
    return workers->count;
}
