// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/refusal.h"
#include "http/job.h"
#include "http/worker_private.h"

// What a request's input gets first; with the rest of its slab behind it for headers and answer.
#define CONNECTION_INPUT_FIRST ((size_t)2048)
// What a lingering connection still drops: a client that does not look up from its upload before
// it has sent all of it sees our answer up to this length.
#define CONNECTION_LINGER_MAX ((uint32_t)1024 * 1024)
// A handshake that is under way when the server is told to stop may take so long.
#define CONNECTION_DRAIN_TLS SECOND_US
#define CONNECTION_DRAIN_FRESH (SECOND_US / 4) // accepted, and nothing has come yet

void connection_count(const struct http_connection *connection, enum metric metric)
{
    if (connection->worker->settings.metrics)
        metrics_add(connection->worker->settings.metrics, metric, 1);
}

void connection_report(struct http_worker *worker, struct address peer, const char *reason)
{
    if (worker->settings.on_refused)
        worker->settings.on_refused(worker->settings.context, &worker->env, peer, reason);
}

// In the usual life of a connection this changes nothing, so a request costs no epoll_ctl.
void connection_want(struct http_connection *connection, short interest)
{
    short changed = (short)(connection->interest ^ interest);
    // What TLS has received already does not make the socket readable.
    if ((interest & EV_READ) && connection->stream.pending)
        event_active(&connection->readable, EV_READ, 0);
    if (!changed)
        return;
    if (changed & EV_READ) {
        if (interest & EV_READ)
            event_add(&connection->readable, NULL);
        else
            event_del(&connection->readable);
    }
    if (changed & EV_WRITE) {
        if (interest & EV_WRITE)
            event_add(&connection->writable, NULL);
        else
            event_del(&connection->writable);
    }
    connection->interest = interest;
}

void connection_wait(struct http_connection *connection, enum http_wait wait)
{
    http_deadline_set(&connection->worker->deadlines, &connection->deadline, wait,
                      connection->worker->env.mono_us);
}

bool connection_wait_input(struct http_connection *connection, enum connection_state state,
                           enum http_wait wait)
{
    // Absolute from the state's first byte: later bytes do not move it (threats A1, A2).
    if (connection->deadline.wait != wait || connection->state != state)
        connection_wait(connection, wait);
    connection->state = state;
    connection_want(connection, EV_READ);
    return false;
}

void connection_number(struct http_connection *connection)
{
    connection->serial = ++connection->worker->serial;
    connection->asked = true;
}

// The request's end: nothing of it is left, and its handle is stale.
static void connection_end_request(struct http_connection *connection)
{
    if (connection->request)
        http_jobs_destroy(connection->request);
    connection->request = NULL;
    connection->serial = 0;
    connection->parked_at = 0;
    connection->worker->body_bytes -= connection->body_held;
    connection->body_held = 0;
    connection->in = NULL;
    connection->in_len = 0;
    connection->next = 0;
    arena_finish(&connection->arena);
}

void connection_destroy(struct http_connection *connection)
{
    struct http_worker *worker = connection->worker;
    worker->pool.released += sizeof *connection;
    worker->pool.released += connection->stream.tls ? WORKER_TLS_BYTES : 0;
    connection_unpark(connection);
    connection_want(connection, 0);
    http_deadline_clear(&connection->deadline);
    stream_close(&connection->stream);
    connection_end_request(connection);
    if (connection->peers)
        http_peers_remove(connection->peers, &connection->peer);
    worker_slot_give(worker, connection->slot);
    connection_count(connection, METRIC_CONNECTIONS_CLOSED);
    free(connection);
}

bool connection_close(struct http_connection *connection)
{
    connection_destroy(connection);
    return false;
}

// 503 says when to come again: what is short now is there in a moment, or it is not worth a guess.
static struct http_answer connection_plain_refusal(enum http_refusal refusal)
{
    const struct http_refusal_row *row = http_refusal_row(refusal);
    return (struct http_answer){
        .status = row->status,
        .content_type = STR("application/json"),
        .body = row->body,
        .headers = row->status == 503 ? STR("Retry-After: 1\r\n") : STR_NONE,
        .paced = row->status == 503,
    };
}

static struct http_answer connection_refusal(struct http_connection *connection,
                                             enum http_refusal refusal)
{
    const struct http_settings *settings = &connection->worker->settings;
    struct http_request *request = connection->request;
    struct http_answer answer;
    if (request && settings->refuse && settings->refuse(request, refusal, &answer))
        return answer;
    answer = connection_plain_refusal(refusal);
    if (request && refusal == HTTP_REFUSAL_METHOD)
        answer.headers = http_method_allow(request->allowed, &connection->arena);
    return answer;
}

static bool connection_write(struct http_connection *connection, const struct http_answer *answer)
{
    struct http_worker *worker = connection->worker;
    char id[HTTP_ID_LEN];
    if (!connection->request) {
        connection_number(connection);
        http_id_write(worker->env.now_us, worker->settings.number, connection->serial, id);
    }
    bool hold = answer->paced && connection_comes_again(connection);
    bool room = !worker->settings.limits.max_parked ||
                worker->held < worker->settings.limits.max_parked;
    bool last = answer->close || worker->draining || (hold && !room);
    if (connection->keep_alive && last) {
        connection->keep_alive = false;
        connection->unread = true; // the client may have sent its next request already
    }
    struct http_frame frame = {
        .date = worker_date(worker),
        .id = str_of(connection->request ? connection->request->id : id, HTTP_ID_LEN),
        .minor = connection->minor,
        .keep_alive = connection->keep_alive,
        .secure = connection->stream.tls,
        .head = connection->head_only,
    };
    if (http_answer_write(answer, &frame, &connection->arena, connection->out) == TWOLEG_NONE) {
        connection->state = CONNECTION_WRITING;
        return hold && room ? connection_hold(connection) : true;
    }
    // At its cap, or without memory: the short answer has the arena for itself.
    struct http_answer sorry = connection_plain_refusal(HTTP_REFUSAL_MEMORY);
    sorry.close = true;
    frame.keep_alive = false;
    char kept_id[HTTP_ID_LEN];
    memcpy(kept_id, frame.id.ptr, sizeof kept_id);
    frame.id = str_of(kept_id, sizeof kept_id);
    connection->keep_alive = false;
    connection->unread = true;
    connection_end_request(connection);
    if (http_answer_write(&sorry, &frame, &connection->arena, connection->out))
        return connection_close(connection);
    connection->state = CONNECTION_WRITING;
    return true;
}

// Bad HTTP: after this answer nobody knows where the next request would start.
bool connection_refuse(struct http_connection *connection, enum http_refusal refusal)
{
    connection->keep_alive = false;
    connection->unread = true;
    connection->next = connection->in_len;
    connection_count(connection, refusal == HTTP_REFUSAL_DEADLINE ? METRIC_HTTP_DEADLINE
                                                                  : METRIC_HTTP_REFUSED);
    connection_report(connection->worker, connection->peer, http_refusal_row(refusal)->reason);
    struct http_answer answer = connection_refusal(connection, refusal);
    answer.close = true;
    return connection_write(connection, &answer);
}

bool connection_answer(struct http_connection *connection, enum http_refusal refusal)
{
    struct http_answer answer = connection_refusal(connection, refusal);
    return connection_write(connection, &answer);
}

static enum http_refusal connection_failure(enum twoleg_error error)
{
    switch (error) {
    case TWOLEG_NO_MEMORY:
        return HTTP_REFUSAL_MEMORY;
    case TWOLEG_UNKNOWN:
        return HTTP_REFUSAL_MISDIRECTED;
    case TWOLEG_NO_RANDOM:
    case TWOLEG_STORE_FAILED:
    case TWOLEG_STORE_BUSY:
    case TWOLEG_STORE_STOPPED:
    case TWOLEG_OVERLOADED:
    case TWOLEG_STOPPING:
        return HTTP_REFUSAL_UNAVAILABLE;
    default:
        return HTTP_REFUSAL_INTERNAL;
    }
}

static bool connection_step_handle(struct http_connection *connection)
{
    struct http_request *request = connection->request;
    if (!request->route)
        return connection_answer(connection, request->allowed ? HTTP_REFUSAL_METHOD
                                                              : HTTP_REFUSAL_NOT_FOUND);
    if (connection->body_len && !request->body.ptr)
        request->body = str_of(connection->in + connection->body_at, connection->body_len);
    struct http_answer answer = {0};
    connection->resumed = false;
    refusal_note(TWOLEG_NONE, NULL, 0); // what another request was refused for is not this one's
    enum twoleg_error error = request->route->handler(request, &answer);
    if (error == TWOLEG_NONE)
        return connection_write(connection, &answer);
    if (error != TWOLEG_WAIT)
        return connection_answer(connection, connection_failure(error));
    if (connection->resumed)
        return true; // its job has ended already
    return connection_park(connection);
}

// Ready for the next request, which may be here already. Its bytes move to the new arena.
static bool connection_next(struct http_connection *connection)
{
    uint32_t left = connection->in_len - connection->next;
    const char *from = connection->in + connection->next;
    struct arena fresh;
    arena_init(&fresh, &connection->worker->pool, ARENA_REQUEST_CAP);
    size_t cap = left > CONNECTION_INPUT_FIRST ? left : CONNECTION_INPUT_FIRST;
    char *in = left ? arena_alloc(&fresh, cap) : NULL;
    if (left && !in)
        return connection_close(connection);
    if (left) {
        memcpy(in, from, left);
        http_deadline_clear(&connection->deadline); // what it waits for starts anew
    }
    connection_end_request(connection);
    connection->arena = fresh;
    connection->in = in;
    connection->in_len = left;
    connection->in_cap = in ? (uint32_t)cap : 0;
    connection->scan = (struct http_scan){0};
    connection->body_len = 0;
    connection->head_only = false;
    connection->state = CONNECTION_IDLE;
    return true;
}

static bool connection_idle(struct http_connection *connection)
{
    if (connection->worker->draining)
        return connection_close(connection);
    connection_wait(connection, HTTP_WAIT_IDLE);
    connection_want(connection, EV_READ);
    return false;
}

// The answer is sent. Closing a socket with unread input would reset the connection and could
// destroy the answer on its way, so what still comes is read and dropped, within bounds.
static bool connection_linger(struct http_connection *connection)
{
    if (!connection->unread && connection->next == connection->in_len)
        return connection_close(connection);
    stream_shut(&connection->stream);
    connection_end_request(connection);
    connection->state = CONNECTION_LINGERING;
    connection_wait(connection, HTTP_WAIT_LINGER);
    connection_want(connection, EV_READ);
    return false;
}

static bool connection_step_write(struct http_connection *connection)
{
    switch (stream_send(&connection->stream, connection->out, HTTP_ANSWER_PARTS)) {
    case STREAM_DONE:
        break;
    case STREAM_AGAIN:
        if (connection->deadline.wait != HTTP_WAIT_WRITE)
            connection_wait(connection, HTTP_WAIT_WRITE);
        connection_want(connection, EV_WRITE);
        return false;
    default:
        return connection_close(connection);
    }
    connection_count(connection, METRIC_HTTP_REQUESTS);
    return connection->keep_alive ? connection_next(connection) : connection_linger(connection);
}

// A20: no TLS, or none of ours. The alert that says so, or nothing, is all that the peer gets.
static bool connection_fail_handshake(struct http_connection *connection, const char *reason)
{
    connection_count(connection, METRIC_TLS_FAILED);
    connection_report(connection->worker, connection->peer, reason);
    connection->keep_alive = false;
    connection->unread = true;
    return connection_linger(connection);
}

// Not before something has come: whoever connects and says nothing holds no session.
static bool connection_begin_handshake(struct http_connection *connection)
{
    struct http_worker *worker = connection->worker;
    const struct http_settings *settings = &worker->settings;
    bool counted = !connection->shared && connection->peer.family != ADDRESS_LOCAL;
    if (!stream_has_come(&connection->stream))
        return connection_close(connection); // gone again
    struct tls_set *set = settings->secure(settings->context, &worker->env, connection->listener,
                                           counted ? &connection->peer : NULL);
    if (set && stream_secure(&connection->stream, set, &worker->env))
        return true;
    connection_report(worker, connection->peer, "no TLS handshake for this address now");
    return connection_close(connection);
}

// A18: by one deadline from its first byte to its last, however slowly they come.
static bool connection_step_handshake(struct http_connection *connection)
{
    const char *reason = NULL;
    // Beyond its share of the turn the socket stays as ready as it is, for the next one.
    if (connection->worker->handshakes >= WORKER_HANDSHAKES)
        return false;
    connection->worker->handshakes++;
    if (!connection->stream.tls && !connection_begin_handshake(connection))
        return false;
    switch (stream_handshake(&connection->stream, &reason)) {
    case STREAM_DONE:
        connection_count(connection, tls_is_resumed(connection->stream.tls)
                                         ? METRIC_TLS_RESUMED
                                         : METRIC_TLS_FULL);
        connection->state = CONNECTION_IDLE;
        // Also while draining: whoever has come this far gets the time to ask.
        connection_wait(connection, HTTP_WAIT_FIRST);
        connection_want(connection, EV_READ);
        return false;
    case STREAM_AGAIN:
        connection_want(connection, connection->stream.wants_write ? EV_WRITE : EV_READ);
        return false;
    case STREAM_END:
    case STREAM_FAILED:
        break;
    }
    return connection_fail_handshake(connection, reason);
}

void connection_run(struct http_connection *connection)
{
    bool more = true;
    while (more) {
        switch (connection->state) {
        case CONNECTION_HANDSHAKE:
            more = connection_step_handshake(connection);
            break;
        case CONNECTION_IDLE:
            more = connection->in_len ? connection_step_header(connection)
                                      : connection_idle(connection);
            break;
        case CONNECTION_HEADER:
            more = connection_step_header(connection);
            break;
        case CONNECTION_BODY:
            more = connection_step_body(connection);
            break;
        case CONNECTION_HANDLING:
            more = connection_step_handle(connection);
            break;
        case CONNECTION_WRITING:
            more = connection_step_write(connection);
            break;
        case CONNECTION_PARKED:
        case CONNECTION_HELD:
        case CONNECTION_LINGERING:
            return;
        }
    }
}

enum stream_result connection_receive(struct http_connection *connection)
{
    size_t got = 0;
    if (!connection->in) {
        connection->in = arena_alloc(&connection->arena, CONNECTION_INPUT_FIRST);
        if (!connection->in)
            return STREAM_FAILED;
        connection->in_cap = CONNECTION_INPUT_FIRST;
    }
    enum stream_result result =
        stream_recv(&connection->stream, connection->in + connection->in_len,
                    connection->in_cap - connection->in_len, &got);
    connection->in_len += (uint32_t)got;
    if (result != STREAM_DONE && connection->in_len == 0 && !connection->request) {
        connection->in = NULL;
        arena_finish(&connection->arena);
    }
    return result;
}

static void connection_drop_input(struct http_connection *connection)
{
    enum stream_result result = connection_receive(connection);
    connection->lingered += connection->in_len;
    connection->in_len = 0;
    if (result == STREAM_AGAIN || (result == STREAM_DONE &&
                                   connection->lingered < CONNECTION_LINGER_MAX))
        return;
    connection_close(connection);
}

static void connection_on_readable(evutil_socket_t fd, short what, void *context)
{
    struct http_connection *connection = context;
    (void)fd;
    (void)what;
    worker_turn(connection->worker);
    // Few peers send anything while they wait, so a parked connection is taken out of the loop only
    // then; since it is level-triggered, we would be woken for the same bytes again and again.
    if (connection->state == CONNECTION_PARKED) {
        connection_want(connection, 0);
        return;
    }
    if (connection->state == CONNECTION_LINGERING) {
        connection_drop_input(connection);
        return;
    }
    if (connection->state == CONNECTION_HANDSHAKE) {
        connection_run(connection);
        return;
    }
    enum stream_result result = connection_receive(connection);
    if (result == STREAM_DONE)
        connection_run(connection);
    else if (result != STREAM_AGAIN)
        connection_close(connection);
}

static void connection_on_writable(evutil_socket_t fd, short what, void *context)
{
    struct http_connection *connection = context;
    (void)fd;
    (void)what;
    worker_turn(connection->worker);
    connection_run(connection);
}

static void connection_drain_handshake(struct http_connection *connection)
{
    const struct http_worker *worker = connection->worker;
    int64_t since = connection->deadline.at - worker->deadlines.length[HTTP_WAIT_HANDSHAKE];
    if (worker->env.mono_us - since >= CONNECTION_DRAIN_TLS)
        connection_close(connection);
}

void connection_drain(struct http_connection *connection, int64_t idle_us)
{
    const struct http_worker *worker = connection->worker;
    if (connection->state == CONNECTION_HANDSHAKE) {
        connection_drain_handshake(connection);
        return;
    }
    if (connection->state == CONNECTION_HELD) {
        connection_let_go(connection);
        return;
    }
    int64_t since = connection->deadline.at - worker->deadlines.length[HTTP_WAIT_IDLE];
    // Whoever was just accepted has a request on its way.
    idle_us = connection->asked ? idle_us : CONNECTION_DRAIN_FRESH;
    if (connection->state != CONNECTION_IDLE || worker->env.mono_us - since < idle_us)
        return;
    // A request that is on its way in already is still answered.
    if (connection_receive(connection) == STREAM_DONE)
        connection_run(connection);
    else
        connection_close(connection);
}

static void connection_turn_away(struct http_connection *connection, const char *reason)
{
    connection_count(connection, METRIC_CONNECTIONS_REFUSED);
    connection_report(connection->worker, connection->peer, reason);
    stream_close(&connection->stream);
    if (connection->peers)
        http_peers_remove(connection->peers, &connection->peer);
    free(connection);
}

struct http_connection *connection_create(struct http_worker *worker, int fd,
                                          const struct http_listener *listener, bool crowded)
{
    struct http_connection *connection =
        fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *connection);
    if (!connection) {
        close(fd);
        return NULL;
    }
    struct http_welcome welcome = {.secure = false};
    if (worker->settings.welcome)
        welcome = worker->settings.welcome(worker->settings.context, listener);
    connection->worker = worker;
    connection->listener = listener;
    connection->stream.fd = fd;
    http_peer_identify(fd, &connection->peer, &connection->peer_uid);
    const char *refused = connection_admit(connection, &welcome, crowded);
    if (refused) {
        connection_turn_away(connection, refused);
        return NULL;
    }
    if (!worker_slot_take(worker, connection, &connection->slot)) {
        connection_turn_away(connection, "out of memory");
        return NULL;
    }
    arena_init(&connection->arena, &worker->pool, ARENA_REQUEST_CAP);
    event_assign(&connection->readable, worker->base, fd, EV_READ | EV_PERSIST,
                 connection_on_readable, connection);
    event_assign(&connection->writable, worker->base, fd, EV_WRITE | EV_PERSIST,
                 connection_on_writable, connection);
    connection_count(connection, METRIC_CONNECTIONS_OPENED);
    connection->state = welcome.secure ? CONNECTION_HANDSHAKE : CONNECTION_IDLE;
    connection_wait(connection, welcome.secure ? HTTP_WAIT_HANDSHAKE : HTTP_WAIT_FIRST);
    connection_want(connection, EV_READ);
    return connection;
}
