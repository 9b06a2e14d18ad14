// SPDX-License-Identifier: Apache-2.0
// One header line, and the bounds of what a peer may send. They are no options: every client we
// know stays far below them.
#pragma once
#include "base/str.h"

#define HTTP_HEAD_MAX ((size_t)16 * 1024)   // header block with the request line: else 431
#define HTTP_TARGET_MAX ((size_t)8 * 1024)  // else 414
#define HTTP_HEADERS_MAX ((size_t)100)      // else 431
#define HTTP_BODY_MAX ((size_t)64 * 1024)   // else 413
#define HTTP_METHOD_MAX ((size_t)32)        // longer is no method of anybody: 400

struct http_header {
    struct str name; // as sent: compare with str_equal_nocase
    struct str value;
};
