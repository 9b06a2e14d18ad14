// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/chunked.h"

// Feeds the text in pieces of this length, as a connection does: decoded bytes pile up in front.
static enum http_refusal chunked_run(const char *text, size_t len, size_t piece,
                                     struct str expected, size_t *ret_left)
{
    struct http_chunked chunked = {0};
    char *body = malloc(len + 1);
    size_t have = 0;
    size_t at = 0;
    enum http_refusal refusal = HTTP_REFUSAL_NONE;
    assert_non_null(body);
    while (at < len && !refusal && chunked.state != CHUNKED_DONE) {
        size_t take = len - at < piece ? len - at : piece;
        size_t consumed = 0;
        size_t decoded = 0;
        memcpy(body + have, text + at, take);
        refusal = http_chunked_feed(&chunked, body + have, take, &consumed, &decoded);
        have += decoded;
        at += consumed;
    }
    if (!refusal) {
        assert_int_equal(chunked.state, CHUNKED_DONE);
        assert_int_equal(have, expected.len);
        assert_memory_equal(body, expected.ptr, have);
        *ret_left = len - at;
    }
    free(body);
    return refusal;
}

static void rfc9112_7_1_bodies_at_every_split(void **state)
{
    static const char text[] = "5\r\nhello\r\n00A;x=\"y;z\"\r\n, world 12\r\n0\r\nX: y\r\n\r\nGET";
    (void)state;
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        size_t left = 0;
        assert_int_equal(
            chunked_run(text, sizeof text - 1, piece, STR("hello, world 12"), &left), 0);
        assert_int_equal(left, 3);
    }
}

static void A10_malformed_chunks_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum http_refusal refusal;
    } rows[] = {
        {"\r\n", HTTP_REFUSAL_CHUNK},
        {"g\r\n", HTTP_REFUSAL_CHUNK},
        {"-1\r\n", HTTP_REFUSAL_CHUNK},
        {"0x5\r\nhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {" 5\r\nhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5 \r\nhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5\nhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5\rhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5;a\nb\r\nhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5\r\nhelloX\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5\r\nhello\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"5\r\nhello\r\n0\r\n\n", HTTP_REFUSAL_TRAILER},
        {"0\r\n X: y\r\n\r\n", HTTP_REFUSAL_TRAILER},
        {"0\r\nX: y\n\r\n", HTTP_REFUSAL_TRAILER},
        {"000000005\r\nhello\r\n0\r\n\r\n", HTTP_REFUSAL_CHUNK},
        {"fffffffffffffffff\r\n", HTTP_REFUSAL_CHUNK},
        {"ffffffff\r\n", HTTP_REFUSAL_BODY_LONG},
        {"10001\r\n", HTTP_REFUSAL_BODY_LONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t piece = 1; piece < 40; piece++) {
            size_t left;
            enum http_refusal refusal = chunked_run(rows[i].text, strlen(rows[i].text), piece,
                                                    STR("hello"), &left);
            if (refusal != rows[i].refusal)
                fail_msg("row %zu: %d", i, refusal);
        }
    }
}

static void A6_the_cap_holds_over_many_chunks(void **state)
{
    static char chunk[4096 + 8];
    struct http_chunked chunked = {0};
    enum http_refusal refusal = HTTP_REFUSAL_NONE;
    size_t consumed;
    size_t decoded;
    unsigned chunks = 0;
    (void)state;
    while (!refusal && chunks < 100) {
        memcpy(chunk, "1000\r\n", 6);
        memset(chunk + 6, 'x', 4096);
        memcpy(chunk + 6 + 4096, "\r\n", 2);
        refusal = http_chunked_feed(&chunked, chunk, 6 + 4096 + 2, &consumed, &decoded);
        chunks++;
    }
    assert_int_equal(refusal, HTTP_REFUSAL_BODY_LONG);
    assert_int_equal(chunks, 17);
}

static void A10_extensions_and_trailers_are_bounded(void **state)
{
    static char text[16384];
    size_t consumed;
    size_t decoded;
    (void)state;
    struct http_chunked chunked = {0};
    memset(text, 'e', sizeof text);
    memcpy(text, "5;", 2);
    assert_int_equal(http_chunked_feed(&chunked, text, sizeof text, &consumed, &decoded),
                     HTTP_REFUSAL_CHUNK_EXTENSION);
    // Also spread over many chunks.
    chunked = (struct http_chunked){0};
    enum http_refusal refusal = HTTP_REFUSAL_NONE;
    unsigned chunks = 0;
    while (!refusal && chunks < 10000) {
        char small[] = "1;ext\r\nx\r\n";
        refusal = http_chunked_feed(&chunked, small, sizeof small - 1, &consumed, &decoded);
        chunks++;
    }
    assert_int_equal(refusal, HTTP_REFUSAL_CHUNK_EXTENSION);
    chunked = (struct http_chunked){0};
    char *at = text + snprintf(text, sizeof text, "0\r\n");
    while (at + 8 < text + sizeof text)
        at += snprintf(at, 8, "T: x\r\n");
    assert_int_equal(
        http_chunked_feed(&chunked, text, (size_t)(at - text), &consumed, &decoded),
        HTTP_REFUSAL_TRAILER);
    // Few bytes, but many lines.
    for (size_t lines = HTTP_HEADERS_MAX; lines <= HTTP_HEADERS_MAX + 1; lines++) {
        chunked = (struct http_chunked){0};
        at = text + snprintf(text, sizeof text, "0\r\n");
        for (size_t i = 0; i < lines; i++)
            at += snprintf(at, 8, "T:\r\n");
        at += snprintf(at, 8, "\r\n");
        assert_int_equal(
            http_chunked_feed(&chunked, text, (size_t)(at - text), &consumed, &decoded),
            lines > HTTP_HEADERS_MAX ? HTTP_REFUSAL_TRAILER : HTTP_REFUSAL_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9112_7_1_bodies_at_every_split),
        cmocka_unit_test(A10_malformed_chunks_are_refused),
        cmocka_unit_test(A6_the_cap_holds_over_many_chunks),
        cmocka_unit_test(A10_extensions_and_trailers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
