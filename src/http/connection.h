// SPDX-License-Identifier: Apache-2.0
// One connection: a state machine that collects a request, lets the handler run, writes the answer
// and starts again. Private to src/http.
#pragma once
#include <event2/event.h>
#include <event2/event_struct.h>

#include "http/chunked.h"
#include "http/deadline.h"
#include "http/http.h"
#include "http/listener.h"
#include "http/peers.h"
#include "http/router.h"
#include "http/scan.h"
#include "http/stream.h"
#include "http/worker.h"

enum connection_state {
    CONNECTION_HANDSHAKE, // TLS is being agreed on
    CONNECTION_IDLE,      // no byte of a request yet; holds no memory but itself
    CONNECTION_HEADER,    // collecting the header block
    CONNECTION_BODY,      // collecting the body
    CONNECTION_HANDLING,  // the request is whole: the handler may run
    CONNECTION_PARKED,    // the handler waits for a job; nothing is read
    CONNECTION_HELD,      // a refusal waits: its client came again too early; nothing is read
    CONNECTION_WRITING,   // an answer is on its way
    CONNECTION_LINGERING, // the last answer is sent; what the peer still sends is dropped
};

struct http_connection {
    struct http_deadline deadline; // first, so that a deadline is its connection
    struct http_worker *worker;
    const struct http_listener *listener;
    struct event readable, writable;
    short interest; // EV_READ, EV_WRITE or 0: what is registered now
    struct stream stream;
    uint32_t slot;
    uint64_t serial; // of the request at hand, 0 between requests
    struct address peer;
    struct http_peers *peers; // that count it by its address; NULL: nobody does
    uid_t peer_uid;
    enum connection_state state;
    bool keep_alive; // after the answer at hand
    bool unread;     // the peer may send bytes that nobody wants: linger before closing
    bool resumed;    // the job ended while the handler was still running
    bool head_only;  // HEAD
    bool asked;      // it has had a request
    bool shared;     // by many clients: a trusted proxy is the peer, or what has a Unix socket
    uint8_t minor;

    struct arena arena; // of the request at hand
    char *in;           // in the arena; NULL while idle
    uint32_t in_len, in_cap;
    uint32_t next; // where the request at hand ends
    struct http_scan scan;

    bool is_chunked;
    struct http_chunked chunked;
    uint32_t body_at, body_len; // body_len: of the announced length, or decoded so far
    uint32_t body_held;         // of the worker's share for long bodies
    int64_t parked_at;          // monotonic, when the request first waited for a job; 0 = never
    int64_t refused_at;         // monotonic, when a paced answer was last given; 0 = never
    struct http_request *request;
    struct str out[2];
    uint32_t lingered;
};

// NULL when it was refused; the socket is closed then.
struct http_connection *connection_create(struct http_worker *worker, int fd,
                                          const struct http_listener *listener, bool crowded);
void connection_destroy(struct http_connection *connection);
// The steps below may destroy the connection.
void connection_resume(struct http_connection *connection);
void connection_expire(struct http_connection *connection); // its deadline has passed
// Closes it if it has been idle for at least this long and no request is on its way.
void connection_drain(struct http_connection *connection, int64_t idle_us);

// Counts it by its address. NULL when it may come in, which another connection may have gone for;
// else why not, as static text.
const char *connection_admit(struct http_connection *connection,
                             const struct http_welcome *welcome, bool crowded);
// Between connection.c, admission.c, intake.c and waiting.c. A step returns false when the
// connection waits or is gone.
bool connection_step_header(struct http_connection *connection);
bool connection_step_body(struct http_connection *connection);
bool connection_refuse(struct http_connection *connection, enum http_refusal refusal); // true
// Goes on when there is more to read, by the deadline of this kind of wait. Returns false.
bool connection_wait_input(struct http_connection *connection, enum connection_state state,
                           enum http_wait wait);
// A refusal that does not disturb the framing: the connection goes on.
bool connection_answer(struct http_connection *connection, enum http_refusal refusal);
bool connection_park(struct http_connection *connection);   // until its job ends; returns false
void connection_unpark(struct http_connection *connection); // or let go, or neither
// Notes that a paced answer goes out. True: this one is held, since the one before on this
// connection was so short ago, or so many go out on all of them.
bool connection_comes_again(struct http_connection *connection);
bool connection_hold(struct http_connection *connection); // what is written; returns false
void connection_let_go(struct http_connection *connection); // what was held
// One receive for each time the socket is readable. A request may have none of its body in yet.
enum stream_result connection_receive(struct http_connection *connection);
void connection_run(struct http_connection *connection);
void connection_wait(struct http_connection *connection, enum http_wait wait); // sets its deadline
void connection_want(struct http_connection *connection, short interest); // EV_READ, EV_WRITE or 0
void connection_count(const struct http_connection *connection, enum metric metric);
void connection_report(struct http_worker *worker, struct address peer, const char *reason);
bool connection_close(struct http_connection *connection); // destroys it; returns false
void connection_number(struct http_connection *connection); // the request's serial
