// SPDX-License-Identifier: Apache-2.0
// Who comes in, and who goes for that when all places are taken.
#include "http/worker_private.h"

#define ADMISSION_LOOKS 16 // at connections that may go
#define ADMISSION_STALLED SECOND_US

// Unix sockets have no address, and their files' rights bound who comes. A proxy's address is that
// of all its clients: one of them must not take the others' places.
static bool admission_is_shared(const struct http_connection *connection,
                                const struct http_welcome *welcome)
{
    bool shared = connection->listener->path[0];
    for (size_t i = 0; !shared && i < welcome->trusted_count; i++)
        shared = cidr_match(&welcome->trusted[i], &connection->peer);
    return shared;
}

static struct http_peers *admission_peers(const struct http_connection *connection)
{
    const struct http_settings *settings = &connection->worker->settings;
    bool counted = settings->limits.max_per_address && connection->peer.family != ADDRESS_LOCAL;
    return counted && !connection->shared ? settings->peers : NULL;
}

// The one that has waited longest for its client in this way, and at least so long.
static struct http_connection *admission_oldest(struct http_worker *worker, enum http_wait wait,
                                                int64_t least_us)
{
    int64_t latest = worker->env.mono_us + worker->deadlines.length[wait] - least_us;
    struct http_deadline *each = NULL;
    for (unsigned i = 0; i < ADMISSION_LOOKS; i++) {
        each = http_deadlines_next(&worker->deadlines, wait, each);
        if (!each || each->at > latest)
            return NULL;
        struct http_connection *connection = (struct http_connection *)each;
        if (!connection->shared)
            return connection;
    }
    return NULL;
}

// Who has asked for nothing yet goes first, then who has had the last answer, who is slow amid a
// request, and who keeps a connection without using it. A flood so drives out itself: of N places
// and R newcomers a second, each has N / R seconds to ask (A15, A18, A27).
static struct http_connection *admission_victim(struct http_worker *worker)
{
    static const struct {
        enum http_wait wait;
        int64_t least_us;
    } order[] = {
        {HTTP_WAIT_HANDSHAKE, 0},
        {HTTP_WAIT_FIRST, 0},
        {HTTP_WAIT_LINGER, 0},
        {HTTP_WAIT_HEADER, ADMISSION_STALLED},
        {HTTP_WAIT_BODY, ADMISSION_STALLED},
        {HTTP_WAIT_IDLE, ADMISSION_STALLED},
    };
    struct http_connection *victim = NULL;
    for (size_t i = 0; !victim && i < sizeof order / sizeof *order; i++)
        victim = admission_oldest(worker, order[i].wait, order[i].least_us);
    return victim;
}

// False: everybody who is in is being served.
static bool admission_make_room(struct http_worker *worker)
{
    for (unsigned i = 0; i < ADMISSION_LOOKS; i++) {
        struct http_connection *victim = admission_victim(worker);
        if (!victim)
            return false;
        // What has come in already is still answered.
        if (victim->state == CONNECTION_IDLE && connection_receive(victim) == STREAM_DONE) {
            connection_run(victim);
            continue;
        }
        connection_count(victim, METRIC_CONNECTIONS_DISPLACED);
        connection_report(worker, victim->peer, "its place was needed");
        return !connection_close(victim);
    }
    return false;
}

const char *connection_admit(struct http_connection *connection,
                             const struct http_welcome *welcome, bool crowded)
{
    struct http_worker *worker = connection->worker;
    const struct http_limits *limits = &worker->settings.limits;
    uint64_t places = http_listener_places(connection->listener, limits->max_connections);
    bool full = limits->max_connections && http_worker_connections(worker) >= places;
    connection->shared = admission_is_shared(connection, welcome);
    struct http_peers *peers = admission_peers(connection);
    // Its address first: one that has all it may have drives out nobody.
    if (peers && http_peers_add(peers, &connection->peer, limits->max_per_address))
        return "too many connections from one address";
    connection->peers = peers;
    return (crowded || full) && !admission_make_room(worker) ? "too many connections" : NULL;
}
