// SPDX-License-Identifier: Apache-2.0
// A worker on its own thread with a toy route table, and raw sockets to speak to it. Include after
// cmocka.h; one server at a time.
#pragma once
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/job.h"
#include "http/worker.h"

#define TOY_WAIT_MS 60000
#define TOY_ECHO_MAX 1024
#define TOY_ANSWER_MAX (1024 * 1024)

struct toy {
    struct http_worker *worker;
    pthread_t thread;
    struct http_listener listener;
    struct metrics metrics;
    struct epoch epoch;
    struct http_peers peers;
    atomic_int refused;
    atomic_int destroyed;    // jobs that found nobody
    atomic_int handed_out;   // jobs
    atomic_int handled;      // runs of a handler
    sem_t parked;            // posted when a request has handed out its job
    struct http_job *job;    // of the latest parked request
    bool running;
};

static struct toy toy;
static struct http_settings toy_settings; // what toy_start leaves as it is

// --- the routes ---

static enum twoleg_error toy_answer(struct http_request *request, struct str body,
                                    struct http_answer *ret_answer)
{
    atomic_fetch_add(&toy.handled, 1);
    (void)request;
    *ret_answer = (struct http_answer){
        .status = 200, .content_type = STR("text/plain"), .body = body};
    return TWOLEG_NONE;
}

static uint64_t toy_sum(struct str text)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.len; i++)
        sum += (unsigned char)text.ptr[i];
    return sum;
}

// Says what arrived: method, path, query, segments, body (of a long one the sum of its bytes).
static enum twoleg_error toy_echo(struct http_request *request, struct http_answer *ret_answer)
{
    struct buf text;
    buf_init_arena(&text, request->arena, 256);
    buf_add_u64(&text, request->method);
    buf_add_char(&text, ' ');
    buf_add(&text, request->path);
    buf_add_char(&text, '?');
    buf_add(&text, request->query);
    for (size_t i = 0; i < request->segment_count; i++) {
        buf_add_char(&text, ' ');
        buf_add(&text, request->segments[i]);
    }
    buf_add_char(&text, '|');
    if (request->body.len <= TOY_ECHO_MAX)
        buf_add(&text, request->body);
    else
        buf_add_u64(&text, toy_sum(request->body));
    return text.failed ? TWOLEG_NO_MEMORY : toy_answer(request, buf_str(&text), ret_answer);
}

// What the request holds while its handler runs.
static enum twoleg_error toy_held(struct http_request *request, struct http_answer *ret_answer)
{
    struct buf text;
    uint64_t held = request->arena->total;
    buf_init_arena(&text, request->arena, 32);
    buf_add_u64(&text, held);
    return toy_answer(request, buf_str(&text), ret_answer);
}

static enum twoleg_error toy_long(struct http_request *request, struct http_answer *ret_answer)
{
    static char body[512 * 1024];
    return toy_answer(request, str_of(body, sizeof body), ret_answer);
}

static void toy_job_destroy(struct http_job *job)
{
    atomic_fetch_add(&toy.destroyed, 1);
    free(job);
}

// Waits for a job that the test ends, then echoes what it had received before it was parked.
static enum twoleg_error toy_park(struct http_request *request, struct http_answer *ret_answer)
{
    static const char kind;
    struct http_job *done = http_job_find(request, &kind);
    if (done)
        return done->result ? done->result : toy_echo(request, ret_answer);
    struct http_job *job = malloc(sizeof *job);
    assert_non_null(job);
    enum twoleg_error error = http_job_init(job, request, &kind, toy_job_destroy);
    if (error) {
        free(job);
        return error;
    }
    atomic_fetch_add(&toy.handed_out, 1);
    toy.job = job;
    sem_post(&toy.parked);
    return TWOLEG_WAIT;
}

static enum twoleg_error toy_fail(struct http_request *request, struct http_answer *ret_answer)
{
    (void)ret_answer;
    return request->query.len ? TWOLEG_STORE_BUSY : TWOLEG_MALFORMED;
}

static enum twoleg_error toy_hungry(struct http_request *request, struct http_answer *ret_answer)
{
    while (arena_alloc(request->arena, 16))
        ;
    return toy_answer(request, STR("never sent"), ret_answer);
}

static const struct http_route toy_routes[] = {
    {"echo", "/echo", HTTP_GET | HTTP_HEAD | HTTP_POST, DOOR_PUBLIC, toy_echo, false},
    {"echo_one", "/echo/{}", HTTP_GET | HTTP_POST, DOOR_PUBLIC, toy_echo, false},
    {"check", "/check/{*}", HTTP_ANY, DOOR_PUBLIC, toy_echo, true},
    {"held", "/held", HTTP_POST, DOOR_PUBLIC, toy_held, false},
    {"long", "/long", HTTP_GET, DOOR_PUBLIC, toy_long, false},
    {"park", "/park", HTTP_GET | HTTP_POST, DOOR_PUBLIC, toy_park, false},
    {"fail", "/fail", HTTP_GET, DOOR_PUBLIC, toy_fail, false},
    {"hungry", "/hungry", HTTP_GET, DOOR_PUBLIC, toy_hungry, false},
    {"admin", "/admin", HTTP_GET, DOOR_ADMIN, toy_echo, false},
};

// --- the server ---

static void toy_on_refused(void *context, const struct env *env, struct address peer,
                           const char *reason)
{
    (void)context;
    (void)env;
    (void)peer;
    assert_true(reason[0] != '\0');
    atomic_fetch_add(&toy.refused, 1);
}

static void *toy_run(void *unused)
{
    (void)unused;
    http_worker_run(toy.worker);
    return NULL;
}

static const struct http_limits toy_limits = {
    .header_us = 10 * SECOND_US,
    .body_us = 10 * SECOND_US,
    .idle_us = 60 * SECOND_US,
    .write_us = 10 * SECOND_US,
    .max_connections = 1000,
};

static void toy_start(struct http_limits limits)
{
    struct http_settings settings = toy_settings;
    settings.number = 3;
    settings.routes = toy_routes;
    settings.route_count = sizeof toy_routes / sizeof toy_routes[0];
    settings.limits = limits;
    settings.epoch = &toy.epoch;
    settings.metrics = &toy.metrics;
    settings.peers = &toy.peers;
    settings.on_refused = toy_on_refused;
    memset(&toy, 0, sizeof toy);
    toy.listener = (struct http_listener){.fd = -1, .doors = DOOR_PUBLIC};
    epoch_init(&toy.epoch);
    http_peers_init(&toy.peers, (struct siphash_key){1, 2});
    sem_init(&toy.parked, 0, 0);
    assert_int_equal(http_worker_create(&settings, &toy.worker), TWOLEG_NONE);
    assert_int_equal(pthread_create(&toy.thread, NULL, toy_run, NULL), 0);
    toy.running = true;
}

struct toy_message {
    struct http_message message;
    int fd;
    int64_t grace_us;
};

static void toy_on_adopt(struct http_message *message, struct http_worker *worker)
{
    struct toy_message *adopt = (struct toy_message *)message;
    http_worker_adopt(worker, adopt->fd, &toy.listener, false);
    free(adopt);
}

static void toy_on_drain(struct http_message *message, struct http_worker *worker)
{
    struct toy_message *drain = (struct toy_message *)message;
    http_worker_drain(worker, http_worker_env(worker)->mono_us + drain->grace_us);
    free(drain);
}

static void toy_post(void (*run)(struct http_message *, struct http_worker *), int fd,
                     int64_t grace_us)
{
    struct toy_message *message = malloc(sizeof *message);
    assert_non_null(message);
    *message = (struct toy_message){.message.run = run, .fd = fd, .grace_us = grace_us};
    http_worker_post(toy.worker, &message->message);
}

static void toy_drain(int64_t grace_us)
{
    toy_post(toy_on_drain, -1, grace_us);
}

static void toy_finish(void)
{
    assert_int_equal(http_worker_connections(toy.worker), 0);
    assert_int_equal(toy.metrics.value[METRIC_CONNECTIONS_OPENED],
                     toy.metrics.value[METRIC_CONNECTIONS_CLOSED]);
    http_worker_destroy(toy.worker);
    http_peers_finish(&toy.peers);
    epoch_finish(&toy.epoch);
    sem_destroy(&toy.parked);
    toy.running = false;
}

static void toy_join(void)
{
    assert_int_equal(pthread_join(toy.thread, NULL), 0);
    toy_finish();
}

static void toy_stop(void)
{
    toy_drain(0);
    toy_join();
}

// --- the client ---

static void toy_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0)
            return; // the server has had enough
        bytes += sent;
        len -= (size_t)sent;
    }
}

static void toy_say(int fd, const char *text)
{
    toy_send(fd, text, strlen(text));
}

// A connection that has said so much before the server knows of it.
static int toy_connect_saying(const char *text)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    toy_say(ends[0], text);
    toy_post(toy_on_adopt, ends[1], 0);
    return ends[0];
}

static int toy_connect(void)
{
    return toy_connect_saying("");
}

static void toy_await(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, TOY_WAIT_MS), 1);
}

// Everything until the server closes; NUL-terminated, static.
static const char *toy_read_all(int fd)
{
    static char text[TOY_ANSWER_MAX];
    size_t len = 0;
    for (;;) {
        toy_await(fd);
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    text[len] = '\0';
    return text;
}

// One answer with a Content-Length; its body, NUL-terminated, static. The status in ret_status.
static const char *toy_read(int fd, int *ret_status)
{
    static char text[TOY_ANSWER_MAX];
    size_t len = 0;
    size_t want = 0;
    char *body = NULL;
    while (!body || len < want) {
        toy_await(fd);
        ssize_t got = recv(fd, text + len, body ? want - len : 1, 0);
        assert_true(got > 0);
        len += (size_t)got;
        text[len] = '\0';
        if (!body && len > 3 && memcmp(text + len - 4, "\r\n\r\n", 4) == 0) {
            const char *length = strstr(text, "Content-Length: ");
            body = text + len;
            want = len + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
    }
    assert_memory_equal(text, "HTTP/1.1 ", 9);
    *ret_status = (int)strtol(text + 9, NULL, 10);
    return body;
}

static int toy_status(const char *text)
{
    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static size_t toy_count(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}
