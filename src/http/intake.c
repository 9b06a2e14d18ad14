// SPDX-License-Identifier: Apache-2.0
// From bytes to a whole request: the header block, the route, the body.
#include <string.h>

#include "http/head.h"
#include "http/worker_private.h"

// What a body's memory starts with when the header block's does not do; it fits into a slab.
#define INTAKE_BODY_FIRST ((size_t)4000)
// Room for a receive while a chunked body comes; its last chunk needs some behind the longest body.
#define INTAKE_CHUNK_ROOM 512u

// The input's memory is replaced by wider memory that starts at byte `from`. Only the header block
// before a body has views into the old memory; else it is given back.
static bool intake_widen(struct http_connection *connection, uint32_t from, size_t cap)
{
    uint32_t kept = connection->in_len - from;
    char *wider = arena_alloc(&connection->arena, cap);
    if (!wider)
        return false;
    memcpy(wider, connection->in + from, kept);
    if (from == 0)
        arena_drop(&connection->arena, connection->in);
    connection->in = wider;
    connection->in_len = kept;
    connection->in_cap = (uint32_t)cap;
    return true;
}

static struct http_request *intake_request(struct http_connection *connection,
                                           const struct http_head *head)
{
    struct http_worker *worker = connection->worker;
    struct http_request *request = arena_alloc(&connection->arena, sizeof *request);
    if (!request)
        return NULL;
    connection_number(connection);
    *request = (struct http_request){
        .method = http_method_parse(head->method),
        .path = head->path,
        .query = head->query,
        .host = head->host,
        .authorization = head->authorization,
        .content_type = head->content_type,
        .headers = head->headers,
        .header_count = head->header_count,
        .peer = connection->peer,
        .peer_uid = connection->peer_uid,
        .listener = connection->listener,
        .arena = &connection->arena,
        .env = &worker->env,
        .metrics = worker->settings.metrics,
        .worker = worker,
        .handle = {worker->settings.number, connection->slot, connection->serial},
        .context = worker->settings.context,
    };
    http_id_write(worker->env.now_us, worker->settings.number, connection->serial, request->id);
    return request;
}

static void intake_route(struct http_connection *connection, struct http_request *request)
{
    struct http_match match;
    http_router_match(&connection->worker->router, request->path, request->method,
                      connection->listener->doors, &match);
    request->route = match.route;
    request->segment_count = match.segment_count;
    for (size_t i = 0; i < match.segment_count; i++)
        request->segments[i] = match.segments[i];
    request->allowed = match.allowed;
}

static bool intake_whole(struct http_connection *connection, uint32_t next)
{
    connection->next = next;
    connection->state = CONNECTION_HANDLING;
    return true;
}

// Counts what a long body holds; the usual one fits into a slab and is never refused for others'.
static bool intake_hold(struct http_connection *connection, size_t cap)
{
    struct http_worker *worker = connection->worker;
    uint32_t limit = worker->settings.limits.max_body_bytes;
    size_t total = worker->body_bytes - connection->body_held + cap;
    if (cap <= INTAKE_BODY_FIRST)
        return true;
    if (limit && total > limit)
        return false;
    connection->body_held = (uint32_t)cap;
    worker->body_bytes = total;
    return true;
}

// More room for the body, of which `most` bytes may come: twice what is here, so that a promise
// alone holds little (threat A6). HTTP_REFUSAL_NONE when there is room now.
static enum http_refusal intake_body_room(struct http_connection *connection, size_t most)
{
    size_t cap = (size_t)2 * (connection->in_len - connection->body_at);
    cap = cap < INTAKE_BODY_FIRST ? INTAKE_BODY_FIRST : cap;
    cap = cap <= most / 2 ? cap : most; // old and new memory fit into the arena together
    if (!intake_hold(connection, cap))
        return HTTP_REFUSAL_BODIES;
    if (!intake_widen(connection, connection->body_at, cap))
        return HTTP_REFUSAL_MEMORY;
    connection->body_at = 0;
    return HTTP_REFUSAL_NONE;
}

// How the body comes, if any; then what stands behind the header block decides on.
static bool intake_body(struct http_connection *connection, const struct http_head *head)
{
    bool announced = head->chunked || head->content_length > 0;
    uint32_t end = connection->scan.end;
    connection->body_at = end;
    if (!announced)
        return intake_whole(connection, end);
    if (connection->request->route && connection->request->route->foreign) {
        connection->keep_alive = false;
        connection->unread = true;
        return intake_whole(connection, connection->in_len);
    }
    connection->is_chunked = head->chunked;
    connection->chunked = (struct http_chunked){0};
    connection->body_len = 0;
    if (!head->chunked && head->content_length > HTTP_BODY_MAX)
        return connection_refuse(connection, HTTP_REFUSAL_BODY_LONG);
    if (!head->chunked)
        connection->body_len = (uint32_t)head->content_length;
    // RFC 9110 10.1.1: said only to a client that may still be waiting for it.
    if (head->expects_continue && connection->in_len == connection->body_at) {
        struct str go_on = STR("HTTP/1.1 100 Continue\r\n\r\n");
        if (stream_send(&connection->stream, &go_on, 1) != STREAM_DONE)
            return connection_close(connection);
    }
    connection->state = CONNECTION_BODY;
    return true;
}

// A body that has begun is nearly always here as a whole: the rest of the input's memory goes to
// the headers and the answer, so that less is touched, and wiped. If more comes after all, it gets
// wider memory like any long body.
static void intake_shrink(struct http_connection *connection)
{
    if (connection->in_len > connection->scan.end &&
        arena_shrink(&connection->arena, connection->in, connection->in_len))
        connection->in_cap = connection->in_len;
}

static bool intake_head(struct http_connection *connection)
{
    struct http_head head;
    intake_shrink(connection);
    struct str bytes = str_of(connection->in, connection->in_len);
    size_t lines = connection->scan.lines;
    struct http_header *headers = arena_alloc(&connection->arena, lines * sizeof *headers);
    if (!headers)
        return connection_refuse(connection, HTTP_REFUSAL_MEMORY);
    enum http_refusal refusal = http_head_parse(&connection->scan, bytes, headers, &head);
    connection->minor = (uint8_t)head.minor;
    if (refusal)
        return connection_refuse(connection, refusal);
    connection->keep_alive = head.keep_alive;
    connection->request = intake_request(connection, &head);
    if (!connection->request)
        return connection_refuse(connection, HTTP_REFUSAL_MEMORY);
    connection->head_only = connection->request->method == HTTP_HEAD;
    intake_route(connection, connection->request);
    const struct http_route *route = connection->request->route;
    if (head.pending && !(route && route->foreign))
        return connection_refuse(connection, head.pending);
    return intake_body(connection, &head);
}

bool connection_step_header(struct http_connection *connection)
{
    enum { WIDER = 8192 };
    struct str bytes = str_of(connection->in, connection->in_len);
    if (bytes.len > HTTP_HEAD_MAX)
        bytes.len = HTTP_HEAD_MAX;
    enum http_refusal refusal = http_scan(&connection->scan, bytes);
    if (refusal)
        return connection_refuse(connection, refusal);
    if (connection->scan.end)
        return intake_head(connection);
    if (connection->in_len >= HTTP_HEAD_MAX)
        return connection_refuse(connection, HTTP_REFUSAL_HEAD_LONG);
    if (connection->in_len == connection->in_cap) {
        size_t cap = connection->in_cap < WIDER ? WIDER : HTTP_HEAD_MAX;
        if (!intake_widen(connection, 0, cap))
            return connection_refuse(connection, HTTP_REFUSAL_MEMORY);
    }
    return connection_wait_input(connection, CONNECTION_HEADER, HTTP_WAIT_HEADER);
}

static bool intake_chunks(struct http_connection *connection)
{
    uint32_t from = connection->body_at + connection->body_len;
    size_t consumed;
    size_t decoded;
    enum http_refusal refusal =
        http_chunked_feed(&connection->chunked, connection->in + from, connection->in_len - from,
                          &consumed, &decoded);
    if (refusal)
        return connection_refuse(connection, refusal);
    connection->body_len += (uint32_t)decoded;
    if (connection->chunked.state == CHUNKED_DONE)
        return intake_whole(connection, from + (uint32_t)consumed);
    connection->in_len = connection->body_at + connection->body_len;
    if (connection->in_cap - connection->in_len < INTAKE_CHUNK_ROOM)
        refusal = intake_body_room(connection, HTTP_BODY_MAX + INTAKE_CHUNK_ROOM);
    if (refusal)
        return connection_refuse(connection, refusal);
    return connection_wait_input(connection, CONNECTION_BODY, HTTP_WAIT_BODY);
}

bool connection_step_body(struct http_connection *connection)
{
    if (connection->is_chunked)
        return intake_chunks(connection);
    if (connection->in_len - connection->body_at >= connection->body_len)
        return intake_whole(connection, connection->body_at + connection->body_len);
    bool narrow = connection->body_len > connection->in_cap - connection->body_at;
    bool shared = connection->body_at > 0; // with the header block, which takes no room twice
    enum http_refusal refusal = HTTP_REFUSAL_NONE;
    if (narrow && (shared || connection->in_len == connection->in_cap))
        refusal = intake_body_room(connection, connection->body_len);
    if (refusal)
        return connection_refuse(connection, refusal);
    return connection_wait_input(connection, CONNECTION_BODY, HTTP_WAIT_BODY);
}
