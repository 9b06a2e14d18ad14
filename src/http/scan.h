// SPDX-License-Identifier: Apache-2.0
// Finds the end of a header block and refuses, before any parser sees it, what parsers are known to
// disagree about (RFC 9112 sections 2.2, 3, 5.1, 5.2; threats A8, A9): bare CR, bare LF, NUL and
// other control bytes, folded lines, blanks before the colon, a request line that is not exactly
// METHOD SP TARGET SP HTTP/1.x.
#pragma once
#include "http/header.h"
#include "http/refusal.h"

// Where a scan stands. All zero at the start; each byte is looked at once, however the block
// arrives.
struct http_scan {
    uint32_t start; // of the request line: one empty line before it is skipped (RFC 9112 2.2)
    uint32_t line;  // start of the line at hand
    uint32_t at;    // what stands before was looked at
    uint32_t lines; // complete ones, with the request line
    uint32_t end;   // behind the empty line; 0 = the block is not complete
    uint32_t method_len, target_at, target_len;
    uint32_t minor; // HTTP/1.minor
};

// Looks at the bytes from scan->at on; bytes starts where it started the first time. The block is
// complete once scan->end is set; then it is bytes[start, end).
enum http_refusal http_scan(struct http_scan *scan, struct str bytes);
