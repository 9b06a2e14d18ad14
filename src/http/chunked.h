// SPDX-License-Identifier: Apache-2.0
// RFC 9112 section 7.1. Extensions and trailers are ignored and bounded; every line ends in CR LF.
#pragma once
#include "http/header.h"
#include "http/refusal.h"

#define HTTP_CHUNK_EXTENSIONS_MAX 1024u // bytes, over all chunks of a body
#define HTTP_TRAILERS_MAX 4096u // bytes; and of lines HTTP_HEADERS_MAX, as of headers

enum http_chunked_state {
    CHUNKED_SIZE, // at the first digit
    CHUNKED_SIZE_MORE,
    CHUNKED_EXTENSION,
    CHUNKED_SIZE_LF,
    CHUNKED_DATA,
    CHUNKED_DATA_CR,
    CHUNKED_DATA_LF,
    CHUNKED_TRAILER, // at the start of a trailer line
    CHUNKED_TRAILER_MORE,
    CHUNKED_TRAILER_LF,
    CHUNKED_LAST_LF,
    CHUNKED_DONE,
};

struct http_chunked {
    enum http_chunked_state state;
    uint32_t digits;
    uint32_t left;       // of the chunk at hand
    uint32_t total;      // decoded so far
    uint32_t extensions; // bytes of them so far
    uint32_t trailers;
    uint32_t trailer_lines;
};

// Decodes in place: the data of bytes[0, len) moves to its front. What stands behind the last
// chunk is left alone: consumed < len only when done. BODY_LONG past HTTP_BODY_MAX in all.
enum http_refusal http_chunked_feed(struct http_chunked *chunked, char *bytes, size_t len,
                                    size_t *ret_consumed, size_t *ret_decoded);
