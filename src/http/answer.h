// SPDX-License-Identifier: Apache-2.0
// Turns a handler's answer into bytes. Header order: Date, Content-Type, Content-Length,
// X-Request-Id, Strict-Transport-Security, Cache-Control, Pragma, the handler's own, Connection.
#pragma once
#include "http/http.h"

#define HTTP_DATE_LEN 29 // RFC 9110 5.6.7 IMF-fixdate

struct http_frame {
    struct str date;
    struct str id;
    unsigned minor;  // of the request: an HTTP/1.0 client is told when the connection stays
    bool keep_alive;
    bool secure;     // over TLS: RFC 6797
    bool head;       // HEAD: no body, but its length
};

#define HTTP_ANSWER_PARTS 2

// The bytes in one or two parts: a short body stands behind its header block. They live in the
// arena, or are the answer's own body. NO_MEMORY.
enum twoleg_error http_answer_write(const struct http_answer *answer,
                                    const struct http_frame *frame, struct arena *arena,
                                    struct str ret_parts[static HTTP_ANSWER_PARTS])
    TWOLEG_MUST_CHECK;

void http_date_write(int64_t now_us, char ret_date[static HTTP_DATE_LEN]);
// 24 hex digits: milliseconds, worker, counter. Unique as long as a worker's counter does not
// start again within the same millisecond.
void http_id_write(int64_t now_us, uint32_t worker, uint64_t counter,
                   char ret_id[static HTTP_ID_LEN]);
