// SPDX-License-Identifier: Apache-2.0
// What a connection waits for, and until when. All waits of one kind are equally long, so a list
// in order of arrival is in order of deadline: no timer per connection, nothing to re-arm.
#pragma once
#include <stdint.h>

enum http_wait {
    HTTP_WAIT_HANDSHAKE, // for the end of the TLS handshake
    HTTP_WAIT_FIRST,  // for the first byte of a first request
    HTTP_WAIT_IDLE,   // for that of a later one
    HTTP_WAIT_HEADER, // for the end of the header block
    HTTP_WAIT_BODY,
    HTTP_WAIT_WRITE,  // for room to write
    HTTP_WAIT_LINGER, // for the peer to read our last answer
    HTTP_WAIT_JOB,    // for a job of ours, which always ends: a look whether the client is there
    HTTP_WAIT_HOLD,   // for the moment when a refusal is let go
    HTTP_WAITS,
    HTTP_WAIT_NONE = HTTP_WAITS
};

struct http_deadline {
    struct http_deadline *prev, *next; // NULL: in no list
    int64_t at;                        // monotonic
    enum http_wait wait;
};

struct http_deadlines {
    struct http_deadline lists[HTTP_WAITS]; // heads of rings
    int64_t length[HTTP_WAITS];
};

void http_deadlines_init(struct http_deadlines *deadlines);
// Also those that wait already: all of a list move by the same time, so it stays in order.
void http_deadlines_change(struct http_deadlines *deadlines, enum http_wait wait, int64_t length);
// Takes it from its list and appends it to the wait's.
void http_deadline_set(struct http_deadlines *deadlines, struct http_deadline *deadline,
                       enum http_wait wait, int64_t now);
void http_deadline_clear(struct http_deadline *deadline);
// The one behind `before` in the wait's list, which begins with the oldest (NULL: that one); NULL
// at the end.
struct http_deadline *http_deadlines_next(struct http_deadlines *deadlines, enum http_wait wait,
                                          const struct http_deadline *before);
// One that has passed, still in its list; NULL when there is none.
struct http_deadline *http_deadlines_passed(struct http_deadlines *deadlines, int64_t now);
