// SPDX-License-Identifier: Apache-2.0
#include "http/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fault.h"
#include "http/worker_private.h"

#define WORKER_SWEEP_US 250000
#define WORKER_LINGER_US (2 * SECOND_US)
#define WORKER_SLABS_KEPT 64u
#define WORKER_SLOTS_FIRST 64u
#define WORKER_TRIM_BYTES ((size_t)1024 * 1024)
#define WORKER_TRIM_US SECOND_US

void worker_turn(struct http_worker *worker)
{
    if (worker->in_turn)
        return;
    worker->in_turn = true;
    worker->handshakes = 0;
    env_tick(&worker->env);
    if (worker->settings.epoch)
        epoch_enter(worker->settings.epoch, worker->reader);
    if (worker->settings.on_turn)
        worker->settings.on_turn(worker->settings.context, worker);
}

static void worker_turn_end(struct http_worker *worker)
{
    if (worker->in_turn && worker->settings.epoch)
        epoch_leave(worker->settings.epoch, worker->reader);
    worker->in_turn = false;
}

struct str worker_date(struct http_worker *worker)
{
    int64_t second = worker->env.now_us / SECOND_US;
    if (second != worker->date_second) {
        http_date_write(worker->env.now_us, worker->date);
        worker->date_second = second;
    }
    return str_of(worker->date, sizeof worker->date);
}

static bool worker_slots_grow(struct http_worker *worker)
{
    uint32_t count = worker->slot_count ? worker->slot_count * 2 : WORKER_SLOTS_FIRST;
    if (fault_here(FAULT_MEMORY))
        return false;
    struct worker_slot *slots = realloc(worker->slots, count * sizeof *slots);
    if (!slots)
        return false;
    worker->slots = slots;
    for (uint32_t i = count; i-- > worker->slot_count;) {
        slots[i] = (struct worker_slot){.next_free = worker->free_slot};
        worker->free_slot = i + 1;
    }
    worker->slot_count = count;
    return true;
}

bool worker_slot_take(struct http_worker *worker, struct http_connection *connection,
                      uint32_t *ret_slot)
{
    if (!worker->free_slot && !worker_slots_grow(worker))
        return false;
    uint32_t slot = worker->free_slot - 1;
    worker->free_slot = worker->slots[slot].next_free;
    worker->slots[slot].connection = connection;
    *ret_slot = slot;
    uint32_t before = atomic_fetch_add(&worker->connections, 1);
    if (before == 0) {
        struct timeval every = {.tv_usec = WORKER_SWEEP_US};
        event_add(&worker->sweep, &every);
    }
    return true;
}

void worker_slot_give(struct http_worker *worker, uint32_t slot)
{
    worker->slots[slot].connection = NULL;
    worker->slots[slot].next_free = worker->free_slot;
    worker->free_slot = slot + 1;
    atomic_fetch_sub(&worker->connections, 1); // the sweep ends itself when there is none
}

static void worker_give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

// What was given back stays with malloc, spread over its free chunks, until it is told: who has
// made us large would leave us large. Seldom, since it takes malloc's locks.
static void worker_trim(struct http_worker *worker)
{
    worker->trimmed_at = worker->env.mono_us;
    worker->pool.released = 0;
    worker_give_back();
}

static void worker_drain_idle(struct http_worker *worker, int64_t idle_us)
{
    for (uint32_t i = 0; i < worker->slot_count; i++)
        if (worker->slots[i].connection)
            connection_drain(worker->slots[i].connection, idle_us);
}

static void worker_on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct http_worker *worker = context;
    struct http_deadline *passed;
    (void)fd;
    (void)what;
    worker_turn(worker);
    while ((passed = http_deadlines_passed(&worker->deadlines, worker->env.mono_us)))
        connection_expire((struct http_connection *)passed);
    // Accepted while draining: its request gets a moment to arrive.
    if (worker->draining)
        worker_drain_idle(worker, WORKER_SWEEP_US);
    bool trims = worker->pool.released >= WORKER_TRIM_BYTES;
    if (trims && worker->env.mono_us - worker->trimmed_at >= WORKER_TRIM_US)
        worker_trim(worker);
    else if (!trims && http_worker_connections(worker) == 0)
        event_del(&worker->sweep);
}

static void worker_on_message(evutil_socket_t fd, short what, void *context)
{
    struct http_worker *worker = context;
    uint64_t count;
    (void)what;
    worker_turn(worker);
    // The counter is taken before the list: a message posted in between wakes us once more.
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
    struct http_message *newest = atomic_exchange(&worker->messages, NULL);
    struct http_message *oldest = NULL;
    while (newest) {
        struct http_message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct http_message *next = oldest->next; // run gives the node back
        oldest->run(oldest, worker);
        oldest = next;
    }
}

// Of this thread: the workers that have something to read and were not told yet.
#define WORKER_POSTS 32
static _Thread_local struct {
    bool held;
    size_t count;
    struct http_worker *asleep[WORKER_POSTS];
} worker_posts;

static void worker_wake(struct http_worker *worker)
{
    uint64_t one = 1;
    ssize_t put = write(worker->wake_fd, &one, sizeof one);
    (void)put; // fails only at an overflow, when the worker is awake anyway
}

void http_worker_post(struct http_worker *worker, struct http_message *message)
{
    struct http_message *first = atomic_load(&worker->messages);
    do
        message->next = first;
    while (!atomic_compare_exchange_weak(&worker->messages, &first, message));
    // Somebody who found the list empty has already woken the worker, or is about to.
    if (first)
        return;
    if (worker_posts.held && worker_posts.count < WORKER_POSTS)
        worker_posts.asleep[worker_posts.count++] = worker;
    else
        worker_wake(worker);
}

void http_posts_hold(void)
{
    worker_posts.held = true;
}

void http_posts_release(void)
{
    worker_posts.held = false;
    while (worker_posts.count)
        worker_wake(worker_posts.asleep[--worker_posts.count]);
}

static enum twoleg_error worker_init_loop(struct http_worker *worker)
{
    struct event_config *config = event_config_new();
    if (!config)
        return TWOLEG_NO_MEMORY;
    // Only the worker's own thread touches its loop.
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    worker->base = event_base_new_with_config(config);
    event_config_free(config);
    worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!worker->base || worker->wake_fd < 0)
        return TWOLEG_INTERNAL;
    event_assign(&worker->woken, worker->base, worker->wake_fd, EV_READ | EV_PERSIST,
                 worker_on_message, worker);
    event_assign(&worker->sweep, worker->base, -1, EV_PERSIST, worker_on_sweep, worker);
    return event_add(&worker->woken, NULL) ? TWOLEG_INTERNAL : TWOLEG_NONE;
}

void http_worker_limit(struct http_worker *worker, const struct http_limits *limits)
{
    const int64_t lengths[HTTP_WAITS] = {
        [HTTP_WAIT_HANDSHAKE] = limits->tls_us, [HTTP_WAIT_FIRST] = limits->idle_us,
        [HTTP_WAIT_IDLE] = limits->idle_us,     [HTTP_WAIT_HEADER] = limits->header_us,
        [HTTP_WAIT_BODY] = limits->body_us,     [HTTP_WAIT_WRITE] = limits->write_us,
        [HTTP_WAIT_LINGER] = WORKER_LINGER_US,  [HTTP_WAIT_JOB] = WORKER_SWEEP_US,
        [HTTP_WAIT_HOLD] = limits->hold_us,
    };
    worker->settings.limits = *limits;
    for (enum http_wait wait = 0; wait < HTTP_WAITS; wait++)
        http_deadlines_change(&worker->deadlines, wait, lengths[wait]);
}

static enum twoleg_error worker_init(struct http_worker *worker)
{
    enum twoleg_error error =
        http_router_init(&worker->router, worker->settings.routes, worker->settings.route_count);
    if (error)
        return error;
    http_deadlines_init(&worker->deadlines);
    http_worker_limit(worker, &worker->settings.limits);
    if (worker->settings.epoch && !epoch_register(worker->settings.epoch, &worker->reader))
        return TWOLEG_LIMIT;
    return worker_init_loop(worker);
}

// Before any worker runs. Where another allocator stands in the place of glibc's (a sanitizer's, a
// preloaded one), nobody has set glibc's own up, and the first malloc_trim does: two workers that
// trim at once would crash in that.
static void worker_set_up_allocator(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, worker_give_back);
}

enum twoleg_error http_worker_create(const struct http_settings *settings,
                                     struct http_worker **ret_worker)
{
    struct http_worker *worker = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *worker);
    if (!worker)
        return TWOLEG_NO_MEMORY;
    worker_set_up_allocator();
    worker->settings = *settings;
    worker->wake_fd = -1;
    worker->date_second = -1;
    env_init(&worker->env);
    arena_pool_init(&worker->pool, WORKER_SLABS_KEPT);
    enum twoleg_error error = worker_init(worker);
    if (error) {
        http_worker_destroy(worker);
        return error;
    }
    *ret_worker = worker;
    return TWOLEG_NONE;
}

static void worker_close_all(struct http_worker *worker)
{
    for (uint32_t i = 0; i < worker->slot_count; i++)
        if (worker->slots[i].connection)
            connection_destroy(worker->slots[i].connection);
}

static void worker_cancel_all(struct http_worker *worker)
{
    struct http_message *message = atomic_exchange(&worker->messages, NULL);
    while (message) {
        struct http_message *next = message->next; // cancel gives the node back
        if (message->cancel)
            message->cancel(message);
        message = next;
    }
}

void http_worker_destroy(struct http_worker *worker)
{
    if (!worker)
        return;
    worker_close_all(worker);
    worker_cancel_all(worker);
    if (worker->base) {
        if (event_initialized(&worker->woken))
            event_del(&worker->woken);
        event_base_free(worker->base);
    }
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    arena_pool_finish(&worker->pool);
    env_finish(&worker->env);
    free(worker->slots);
    free(worker);
}

static bool worker_is_drained(const struct http_worker *worker)
{
    return worker->draining && (http_worker_connections(worker) == 0 ||
                                worker->env.mono_us >= worker->drain_until);
}

uint32_t http_worker_run(struct http_worker *worker)
{
    worker_turn_end(worker); // somebody may have adopted a connection before
    while (!worker_is_drained(worker)) {
        event_base_loop(worker->base, EVLOOP_ONCE);
        worker_turn_end(worker);
    }
    uint32_t left = http_worker_connections(worker);
    worker_close_all(worker);
    return left;
}

struct env *http_worker_env(struct http_worker *worker)
{
    return &worker->env;
}

static struct http_connection *worker_connection(const struct http_worker *worker,
                                                 struct http_handle handle)
{
    if (handle.slot >= worker->slot_count || handle.worker != worker->settings.number)
        return NULL;
    struct http_connection *connection = worker->slots[handle.slot].connection;
    return connection && connection->serial == handle.serial ? connection : NULL;
}

void http_worker_resume(struct http_worker *worker, struct http_handle handle)
{
    struct http_connection *connection = worker_connection(worker, handle);
    if (connection)
        connection_resume(connection);
}

struct http_request *http_worker_find(struct http_worker *worker, struct http_handle handle)
{
    struct http_connection *connection = worker_connection(worker, handle);
    // Answered already, perhaps by another of its jobs: a late one has nobody to go to.
    bool parked = connection && connection->state == CONNECTION_PARKED;
    return parked ? connection->request : NULL;
}

bool http_worker_is_full(const struct http_worker *worker)
{
    uint32_t most = worker->settings.limits.max_parked;
    return most && worker->parked >= most;
}

void http_worker_adopt(struct http_worker *worker, int fd, const struct http_listener *listener,
                       bool crowded)
{
    worker_turn(worker);
    connection_create(worker, fd, listener, crowded);
}

void http_worker_drain(struct http_worker *worker, int64_t deadline_mono_us)
{
    worker->draining = true;
    worker->drain_until = deadline_mono_us;
    worker_drain_idle(worker, 0);
}

uint32_t http_worker_connections(const struct http_worker *worker)
{
    return atomic_load_explicit(&worker->connections, memory_order_relaxed);
}
