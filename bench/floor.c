// SPDX-License-Identifier: Apache-2.0
// The floor of the bench: the least that an answer through our listener and worker costs. One
// worker, one route that answers a static JSON text of so many bytes. Prints its port.
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "http/worker.h"

#define FLOOR_BODY_MAX 65536u

static char floor_body[FLOOR_BODY_MAX];
static size_t floor_body_len;
static struct http_listener floor_listener;
static struct metrics floor_metrics;
static struct epoch floor_epoch;

static enum twoleg_error floor_handler(struct http_request *request, struct http_answer *ret_answer)
{
    (void)request;
    *ret_answer = (struct http_answer){.status = 200,
                                       .content_type = STR("application/json"),
                                       .body = str_of(floor_body, floor_body_len),
                                       .no_store = true};
    return TWOLEG_NONE;
}

static const struct http_route floor_routes[] = {
    {"bare", "/bare", HTTP_GET | HTTP_POST, DOOR_PUBLIC, floor_handler, false},
};

struct floor_socket {
    struct http_message message;
    int fd;
};

static void floor_adopt(struct http_message *message, struct http_worker *worker)
{
    struct floor_socket *socket = (struct floor_socket *)message;
    http_worker_adopt(worker, socket->fd, &floor_listener, false);
    free(socket);
}

static void *floor_run(void *worker)
{
    http_worker_run(worker);
    return NULL;
}

static void floor_accept(struct http_worker *worker)
{
    struct pollfd ready = {.fd = floor_listener.fd, .events = POLLIN};
    while (poll(&ready, 1, -1) > 0) {
        int fd = http_listener_accept(&floor_listener);
        struct floor_socket *socket = fd < 0 ? NULL : malloc(sizeof *socket);
        if (!socket)
            continue;
        socket->message.run = floor_adopt;
        socket->fd = fd;
        http_worker_post(worker, &socket->message);
    }
}

static size_t floor_fill(struct str size)
{
    uint64_t len;
    if (!str_to_u64(size, &len) || len < 8 || len > FLOOR_BODY_MAX)
        return 0;
    memset(floor_body, 'x', len);
    memcpy(floor_body, "{\"a\":\"", 6);
    memcpy(floor_body + len - 2, "\"}", 2);
    return (size_t)len;
}

int main(int argc, char **argv)
{
    char reason[256];
    struct http_worker *worker;
    pthread_t thread;
    floor_body_len = floor_fill(str_from(argc > 1 ? argv[1] : "160"));
    if (!floor_body_len) {
        fprintf(stderr, "usage: bench_floor [BODY-BYTES, 8 to %u]\n", FLOOR_BODY_MAX);
        return 2;
    }
    if (http_listener_open(STR("127.0.0.1:0"), 0600, &floor_listener, reason)) {
        fprintf(stderr, "%s\n", reason);
        return 1;
    }
    floor_listener.doors = DOOR_PUBLIC;
    epoch_init(&floor_epoch);
    struct http_settings settings = {
        .routes = floor_routes,
        .route_count = sizeof floor_routes / sizeof floor_routes[0],
        .limits = {10 * SECOND_US, 10 * SECOND_US, 60 * SECOND_US, 10 * SECOND_US, 4096, 0},
        .epoch = &floor_epoch,
        .metrics = &floor_metrics,
    };
    if (http_worker_create(&settings, &worker) ||
        pthread_create(&thread, NULL, floor_run, worker)) {
        fprintf(stderr, "no worker\n");
        return 1;
    }
    printf("%u\n", floor_listener.address.port);
    fflush(stdout);
    floor_accept(worker);
    return 1;
}
