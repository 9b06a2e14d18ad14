// SPDX-License-Identifier: Apache-2.0
#include "http/chunked.h"

#include <string.h>

static enum http_refusal chunked_digit(struct http_chunked *chunked, int digit)
{
    enum { DIGITS_MAX = 8 }; // leading zeros count, so the size fits 32 bits
    if (digit < 0 || ++chunked->digits > DIGITS_MAX)
        return HTTP_REFUSAL_CHUNK;
    chunked->left = chunked->left << 4 | (uint32_t)digit;
    chunked->state = CHUNKED_SIZE_MORE;
    return HTTP_REFUSAL_NONE;
}

static enum http_refusal chunked_size_end(struct http_chunked *chunked)
{
    if (chunked->left > HTTP_BODY_MAX - chunked->total)
        return HTTP_REFUSAL_BODY_LONG;
    chunked->state = chunked->left ? CHUNKED_DATA : CHUNKED_TRAILER;
    return HTTP_REFUSAL_NONE;
}

static bool chunked_is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f);
}

static enum http_refusal chunked_extension(struct http_chunked *chunked, char c)
{
    if (c == '\r') {
        chunked->state = CHUNKED_SIZE_LF;
        return HTTP_REFUSAL_NONE;
    }
    if (!chunked_is_text(c))
        return HTTP_REFUSAL_CHUNK;
    chunked->state = CHUNKED_EXTENSION;
    return ++chunked->extensions > HTTP_CHUNK_EXTENSIONS_MAX ? HTTP_REFUSAL_CHUNK_EXTENSION
                                                              : HTTP_REFUSAL_NONE;
}

static enum http_refusal chunked_size_more(struct http_chunked *chunked, char c)
{
    if (c == '\r' || c == ';')
        return chunked_extension(chunked, c);
    return chunked_digit(chunked, str_hex_digit(c));
}

static enum http_refusal chunked_trailer(struct http_chunked *chunked, char c)
{
    bool first = chunked->state == CHUNKED_TRAILER;
    if (c == '\r') {
        chunked->state = first ? CHUNKED_LAST_LF : CHUNKED_TRAILER_LF;
        return HTTP_REFUSAL_NONE;
    }
    if (!chunked_is_text(c) || (first && (c == ' ' || c == '\t')))
        return HTTP_REFUSAL_TRAILER;
    if (first && ++chunked->trailer_lines > HTTP_HEADERS_MAX)
        return HTTP_REFUSAL_TRAILER;
    chunked->state = CHUNKED_TRAILER_MORE;
    return ++chunked->trailers > HTTP_TRAILERS_MAX ? HTTP_REFUSAL_TRAILER : HTTP_REFUSAL_NONE;
}

static enum http_refusal chunked_expect(struct http_chunked *chunked, char c, char expected,
                                        enum http_chunked_state next)
{
    if (c != expected)
        return HTTP_REFUSAL_CHUNK;
    chunked->state = next;
    return HTTP_REFUSAL_NONE;
}

// One byte that is not data.
static enum http_refusal chunked_byte(struct http_chunked *chunked, char c)
{
    switch (chunked->state) {
    case CHUNKED_SIZE:
        chunked->digits = 0;
        chunked->left = 0;
        return chunked_digit(chunked, str_hex_digit(c));
    case CHUNKED_SIZE_MORE:
        return chunked_size_more(chunked, c);
    case CHUNKED_EXTENSION:
        return chunked_extension(chunked, c);
    case CHUNKED_SIZE_LF:
        return c == '\n' ? chunked_size_end(chunked) : HTTP_REFUSAL_CHUNK;
    case CHUNKED_DATA_CR:
        return chunked_expect(chunked, c, '\r', CHUNKED_DATA_LF);
    case CHUNKED_DATA_LF:
        return chunked_expect(chunked, c, '\n', CHUNKED_SIZE);
    case CHUNKED_TRAILER:
    case CHUNKED_TRAILER_MORE:
        return chunked_trailer(chunked, c);
    case CHUNKED_TRAILER_LF:
        return chunked_expect(chunked, c, '\n', CHUNKED_TRAILER);
    case CHUNKED_LAST_LF:
        return chunked_expect(chunked, c, '\n', CHUNKED_DONE);
    case CHUNKED_DATA:
    case CHUNKED_DONE:
        break;
    }
    return HTTP_REFUSAL_INTERNAL;
}

enum http_refusal http_chunked_feed(struct http_chunked *chunked, char *bytes, size_t len,
                                    size_t *ret_consumed, size_t *ret_decoded)
{
    size_t at = 0;
    size_t out = 0;
    while (at < len && chunked->state != CHUNKED_DONE) {
        if (chunked->state != CHUNKED_DATA) {
            enum http_refusal refusal = chunked_byte(chunked, bytes[at++]);
            if (refusal)
                return refusal;
            continue;
        }
        size_t take = len - at < chunked->left ? len - at : chunked->left;
        memmove(bytes + out, bytes + at, take);
        at += take;
        out += take;
        chunked->left -= (uint32_t)take;
        chunked->total += (uint32_t)take;
        if (chunked->left == 0)
            chunked->state = CHUNKED_DATA_CR;
    }
    *ret_consumed = at;
    *ret_decoded = out;
    return HTTP_REFUSAL_NONE;
}
