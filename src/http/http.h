// SPDX-License-Identifier: Apache-2.0
// What a handler sees of HTTP: a request that is whole and strictly parsed, and an answer to fill
// in. This layer knows HTTP, not OAuth.
#pragma once
#include <sys/types.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/str.h"
#include "codec/address.h"
#include "http/header.h"

enum http_method {
    HTTP_GET = 1 << 0,
    HTTP_HEAD = 1 << 1,
    HTTP_POST = 1 << 2,
    HTTP_PUT = 1 << 3,
    HTTP_PATCH = 1 << 4,
    HTTP_DELETE = 1 << 5,
    HTTP_OPTIONS = 1 << 6,
    HTTP_OTHER = 1 << 7, // known to HTTP, used by no route of ours: TRACE, PROPFIND ...
    HTTP_ANY = 0xff
};

// A route belongs to doors, a listener opens some of them; elsewhere the route is 404.
enum http_door {
    DOOR_PUBLIC = 1 << 0, // token, introspect, revoke, metadata, keys, health
    DOOR_GATE = 1 << 1,   // /check
    DOOR_ADMIN = 1 << 2,  // /admin/v1; operator rights on the admin socket only
    DOOR_METRICS = 1 << 3,
    DOOR_ALL = 0xf
};

// Where a parked request waits. A number, never a pointer: a vanished client's serial is gone.
struct http_handle {
    uint32_t worker;
    uint32_t slot;
    uint64_t serial;
};

struct http_worker;
struct http_job;
struct http_listener;
struct http_route;

#define HTTP_SEGMENTS 4
#define HTTP_ID_LEN 24

// What a request was charged for by the limits that it met; zeroed: nothing. Its meaning is the
// handlers' own.
struct http_charge {
    unsigned bits; // one for each limit that was asked
    uint64_t whom;
    int64_t amount;
};

// Everything here lives until the answer is sent, also while the request is parked.
struct http_request {
    enum http_method method;
    struct str path;  // without the query; canonical but at a foreign tail; not percent-decoded
    struct str query; // without the '?'
    struct str host;  // that is asked for: an absolute target's, else Host; may be STR_NONE
    const struct http_route *route; // NULL: none has this path, or none of them this method
    unsigned allowed; // without a route, for a 405: the methods that stand at the path, or 0
    struct str segments[HTTP_SEGMENTS]; // what stood at each {} of the route's path, raw
    size_t segment_count;

    // The headers that handlers ask for most, found while parsing; STR_NONE when absent. The
    // parser has refused a request with two of Authorization or Content-Type.
    struct str authorization;
    struct str content_type;
    const struct http_header *headers;
    size_t header_count;
    struct str body; // dechunked

    struct address peer; // the transport's peer; family 0 for a Unix socket
    uid_t peer_uid;      // of a Unix peer; (uid_t)-1 otherwise
    const struct http_listener *listener;
    char id[HTTP_ID_LEN]; // X-Request-Id: made by us, visible ASCII, not NUL-terminated

    struct arena *arena;
    struct env *env;
    struct metrics *metrics;
    struct http_handle handle;
    struct http_worker *worker; // ours: the thread we are on
    struct http_job *jobs;      // that have ended while we were parked; see http/job.h
    struct http_charge charged; // over all runs: the one effect of those before the last
    void *context; // given to the worker at start
};

struct str http_request_header(const struct http_request *request, struct str name); // or STR_NONE

struct http_answer {
    unsigned status;
    struct str content_type; // STR_NONE: none is sent
    struct str body;         // in the request's arena, or static
    struct str headers;      // more header lines, each ending in CRLF, or STR_NONE
    bool no_store;           // Cache-Control: no-store and Pragma: no-cache
    bool close;              // end the connection after this answer
    // It says when to come again (429, 503): who does so earlier, on the same connection, gets the
    // next one up to half a second later.
    bool paced;
};

// Fills the answer and returns TWOLEG_NONE, or returns TWOLEG_WAIT after it has handed a job to
// somebody who will resume request->handle; the handler then runs again from its first line.
// TWOLEG_UNKNOWN: nothing stands at this host, 421. Any other error is a 500 or 503.
typedef enum twoleg_error http_handler(struct http_request *request,
                                       struct http_answer *ret_answer);

// Handlers that want the connection's end to cancel work need nothing: the handle goes stale.

struct http_route {
    const char *name; // for logs and metrics: targets are never logged raw
    const char *path; // "/oauth/token", "/admin/v1/applications/{}"; a last "{*}" takes the rest
    unsigned methods; // bits of enum http_method; HTTP_HEAD is implied by nothing
    unsigned doors;
    http_handler *handler;
    // It asks about another request, whose body and whose path at the {*} these are. It is answered
    // as soon as the header block is there: the body, however long, is never read, and the
    // connection ends after the answer when one was announced. The path may have any spelling; of
    // all other routes one that is not canonical is found nowhere (threat A22).
    bool foreign;
};
