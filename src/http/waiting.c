// SPDX-License-Identifier: Apache-2.0
// When nothing is to be read or written for a while: a request that is parked until its job ends, a
// refusal that is held for who comes again too early, and deadlines that pass.
#include <poll.h>

#include "http/worker_private.h"

#define WAITING_RETRY_US SECOND_US // what the shortest Retry-After says
// So many refusals in so long, by one worker, are a crowd: to refuse them takes a tenth of a core.
#define WAITING_CROWD 100u
#define WAITING_CROWD_US (SECOND_US / 10)

void connection_unpark(struct http_connection *connection)
{
    if (connection->state == CONNECTION_PARKED)
        connection->worker->parked--;
    if (connection->state == CONNECTION_HELD)
        connection->worker->held--;
    connection->state = CONNECTION_HANDLING;
}

bool connection_park(struct http_connection *connection)
{
    struct http_worker *worker = connection->worker;
    if (!connection->parked_at)
        connection->parked_at = worker->env.mono_us;
    worker->parked++;
    connection->state = CONNECTION_PARKED;
    connection_wait(connection, HTTP_WAIT_JOB);
    return false; // still in the loop: see connection_on_readable
}

void connection_resume(struct http_connection *connection)
{
    if (connection->state == CONNECTION_HANDLING)
        connection->resumed = true;
    if (connection->state != CONNECTION_PARKED)
        return;
    connection_unpark(connection);
    connection_run(connection);
}

// Nothing of a parked connection is in the loop, so nobody tells when its client resets it. One
// that only will not send any more (a half close) still gets its answer.
static void connection_look(struct http_connection *connection)
{
    struct pollfd look = {.fd = connection->stream.fd};
    const struct http_worker *worker = connection->worker;
    int64_t longest = worker->settings.limits.park_us;
    if (poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR))) {
        connection_close(connection);
    } else if (longest && worker->env.mono_us - connection->parked_at >= longest) {
        connection_unpark(connection);
        connection_count(connection, METRIC_HTTP_DEADLINE);
        if (connection_answer(connection, HTTP_REFUSAL_WORK_LONG))
            connection_run(connection);
    } else {
        connection_wait(connection, HTTP_WAIT_JOB);
    }
}

// Most clients come again on a new connection, of which nothing says whose it is: where this many
// are refused in so short a time, each of them may be one that came again.
static bool waiting_in_crowd(struct http_worker *worker)
{
    if (worker->env.mono_us - worker->paced_at >= WAITING_CROWD_US) {
        worker->paced_at = worker->env.mono_us;
        worker->paced = 0;
    }
    return ++worker->paced > WAITING_CROWD;
}

// A refusal costs less than what was refused, so clients that ask again at once could keep the
// loops at refusing, and the pool, which has a lower priority, would get nothing done for anybody.
// Not where others' requests come on the same connection: from a proxy that we know, or by a Unix
// socket, behind which a proxy stands or an operator.
bool connection_comes_again(struct http_connection *connection)
{
    struct http_worker *worker = connection->worker;
    bool early = connection->refused_at &&
                 worker->env.mono_us - connection->refused_at < WAITING_RETRY_US;
    connection->refused_at = worker->env.mono_us;
    early = waiting_in_crowd(worker) || early;
    return early && worker->settings.limits.hold_us && !worker->draining && !connection->shared;
}

bool connection_hold(struct http_connection *connection)
{
    connection->worker->held++;
    connection->state = CONNECTION_HELD;
    connection_wait(connection, HTTP_WAIT_HOLD);
    connection_want(connection, 0);
    return false;
}

void connection_let_go(struct http_connection *connection)
{
    connection_unpark(connection);
    connection->refused_at = connection->worker->env.mono_us;
    connection->state = CONNECTION_WRITING;
    connection_run(connection);
}

void connection_expire(struct http_connection *connection)
{
    if (connection->state == CONNECTION_PARKED) {
        connection_look(connection);
        return;
    }
    if (connection->state == CONNECTION_HELD) {
        connection_let_go(connection);
        return;
    }
    // When we were late ourselves (a process that was stopped, a machine without time), what came
    // in time is still waiting to be received.
    if (connection->state == CONNECTION_IDLE && connection_receive(connection) == STREAM_DONE) {
        connection_run(connection);
        return;
    }
    bool reading =
        connection->state == CONNECTION_HEADER || connection->state == CONNECTION_BODY;
    if (reading && connection_refuse(connection, HTTP_REFUSAL_DEADLINE)) {
        connection_run(connection);
        return;
    }
    if (reading)
        return; // refused and gone
    if (connection->state == CONNECTION_WRITING || connection->state == CONNECTION_HANDSHAKE)
        connection_count(connection, METRIC_HTTP_DEADLINE);
    if (connection->state == CONNECTION_HANDSHAKE)
        connection_report(connection->worker, connection->peer, "the TLS handshake took too long");
    connection_close(connection);
}
