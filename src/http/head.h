// SPDX-License-Identifier: Apache-2.0
// The meaning of a scanned header block: one strict run of llhttp over it, then the rules of RFC
// 9112 about framing. All results are views of the block. llhttp's names collide with ours, so
// this header knows nothing of http.h.
#pragma once
#include "http/scan.h"

struct http_head {
    struct str method;
    struct str path; // without authority and query
    struct str query;
    struct str host; // that is asked for; STR_NONE when HTTP/1.0 names none
    struct str authorization, content_type; // STR_NONE when absent
    struct http_header *headers;
    size_t header_count;
    uint64_t content_length; // 0 when absent
    unsigned minor;          // HTTP/1.minor
    bool keep_alive;
    bool chunked;
    bool expects_continue;
    // An unknown method or expectation, or a coded body: whether that matters depends on the route.
    enum http_refusal pending;
};

// headers has room for scan->lines - 1 rows and outlives ret_head.
enum http_refusal http_head_parse(const struct http_scan *scan, struct str bytes,
                                  struct http_header *headers, struct http_head *ret_head);
