// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/scan.h"

static const char scan_good[] =
    "POST /a?b HTTP/1.1\r\nHost: x\r\nX-Tab: a\tb\r\nX-High: \xc3\xa9\r\n\r\n";

// The whole text at once, and byte by byte from an exactly sized copy: the same verdict.
static enum http_refusal scan_both(const char *text, size_t len, struct http_scan *ret_scan)
{
    struct http_scan whole = {0};
    struct http_scan slow = {0};
    enum http_refusal at_once = http_scan(&whole, str_of(text, len));
    enum http_refusal bytewise = HTTP_REFUSAL_NONE;
    for (size_t n = 1; n <= len && !bytewise && !slow.end; n++) {
        char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, text, n);
        bytewise = http_scan(&slow, str_of(copy, n));
        free(copy);
    }
    assert_int_equal(at_once, bytewise);
    if (!at_once)
        assert_memory_equal(&whole, &slow, sizeof whole);
    *ret_scan = whole;
    return at_once;
}

static void rfc9112_3_a_good_block_is_found_whole(void **state)
{
    struct http_scan scan;
    (void)state;
    assert_int_equal(scan_both(scan_good, sizeof scan_good - 1, &scan), HTTP_REFUSAL_NONE);
    assert_int_equal(scan.end, sizeof scan_good - 1);
    assert_int_equal(scan.lines, 4);
    assert_int_equal(scan.method_len, 4);
    assert_int_equal(scan.target_at, 5);
    assert_int_equal(scan.target_len, 4);
    assert_int_equal(scan.minor, 1);
}

static void rfc9112_2_2_one_empty_line_before_is_skipped(void **state)
{
    struct http_scan scan;
    (void)state;
    assert_int_equal(scan_both("\r\nGET / HTTP/1.0\r\n\r\n", 20, &scan), HTTP_REFUSAL_NONE);
    assert_int_equal(scan.start, 2);
    assert_int_equal(scan.end, 20);
    assert_int_equal(scan.minor, 0);
    assert_int_equal(scan_both("\r\n\r\nGET / HTTP/1.0\r\n\r\n", 22, &scan),
                     HTTP_REFUSAL_REQUEST_LINE);
}

static const struct {
    const char *text;
    enum http_refusal refusal;
} scan_bad[] = {
    {"GET / HTTP/1.1\nHost: x\r\n\r\n", HTTP_REFUSAL_LINE_END},
    {"GET / HTTP/1.1\r\nHost: x\n\r\n", HTTP_REFUSAL_LINE_END},
    {"GET / HTTP/1.1\r\nHost: x\r\n\n", HTTP_REFUSAL_LINE_END},
    {"GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n", HTTP_REFUSAL_LINE_END},
    {"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", HTTP_REFUSAL_LINE_END},
    {"GET / HTTP/1.1\r\nTE: chunked\x0b\r\n\r\n", HTTP_REFUSAL_CONTROL},
    {"GET / HTTP/1.1\r\nA: \x1f\r\n\r\n", HTTP_REFUSAL_CONTROL},
    {"GET\t/ HTTP/1.1\r\n\r\n", HTTP_REFUSAL_CONTROL},
    {"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", HTTP_REFUSAL_FOLD},
    {"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", HTTP_REFUSAL_FOLD},
    {"GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", HTTP_REFUSAL_NAME},
    {"GET / HTTP/1.1\r\nTransfer-Encoding\t: chunked\r\n\r\n", HTTP_REFUSAL_NAME},
    {"GET / HTTP/1.1\r\n: x\r\n\r\n", HTTP_REFUSAL_NAME},
    {"GET / HTTP/1.1\r\nnothing\r\n\r\n", HTTP_REFUSAL_NAME},
    {"GET /\r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"GET  / HTTP/1.1\r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"GET / /x HTTP/1.1\r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"GET / HTTP/1.1 \r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"GET / XTTP/1.1\r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"GET / http/1.1\r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", HTTP_REFUSAL_REQUEST_LINE},
    {"PRI * HTTP/2.0\r\n\r\n", HTTP_REFUSAL_VERSION},
    {"GET / HTTP/0.9\r\n\r\n", HTTP_REFUSAL_VERSION},
    {"GET / HTTP/1.2\r\n\r\n", HTTP_REFUSAL_VERSION},
    {"post / HTTP/1.1\r\n\r\n", HTTP_REFUSAL_METHOD_MALFORMED},
    {" GET / HTTP/1.1\r\n\r\n", HTTP_REFUSAL_METHOD_MALFORMED},
    {"\x16\x03\x01\x02", HTTP_REFUSAL_METHOD_MALFORMED},
    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n",
     HTTP_REFUSAL_METHOD_MALFORMED},
};

static void A8_A9_A20_what_parsers_disagree_about_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scan_bad / sizeof scan_bad[0]; i++) {
        struct http_scan scan;
        enum http_refusal refusal = scan_both(scan_bad[i].text, strlen(scan_bad[i].text), &scan);
        if (refusal != scan_bad[i].refusal)
            fail_msg("row %zu: %d", i, refusal);
    }
}

// NUL, and any control byte but TAB, CR and LF, at every place of a good block.
static void A9_no_control_byte_passes_anywhere(void **state)
{
    char text[sizeof scan_good];
    (void)state;
    for (size_t at = 0; at + 1 < sizeof scan_good; at++) {
        for (char c = 0; c < 0x20; c++) {
            struct http_scan scan;
            memcpy(text, scan_good, sizeof text);
            if (c == '\t' || text[at] == c)
                continue;
            text[at] = c;
            if (scan_both(text, sizeof text - 1, &scan) == HTTP_REFUSAL_NONE)
                assert_int_equal(scan.end, 0); // a CR at the very end: the LF is awaited
        }
    }
}

static void A5_a_request_line_without_end_is_414(void **state)
{
    static char text[HTTP_HEAD_MAX];
    struct http_scan scan = {0};
    (void)state;
    memset(text, 'A', sizeof text);
    memcpy(text, "GET /", 5);
    assert_int_equal(http_scan(&scan, str_of(text, sizeof text)), HTTP_REFUSAL_TARGET_LONG);
    struct http_scan shorter = {0};
    assert_int_equal(http_scan(&shorter, str_of(text, HTTP_TARGET_MAX)), HTTP_REFUSAL_NONE);
}

static void A4_more_than_100_headers_are_431(void **state)
{
    static char text[8192];
    (void)state;
    for (unsigned headers = 100; headers <= 101; headers++) {
        struct http_scan scan = {0};
        size_t len = 0;
        memcpy(text, "GET / HTTP/1.1\r\n", 16);
        for (len = 16; len < 16 + headers * 6; len += 6)
            memcpy(text + len, "A: b\r\n", 6);
        memcpy(text + len, "\r\n", 2);
        assert_int_equal(http_scan(&scan, str_of(text, len + 2)),
                         headers > 100 ? HTTP_REFUSAL_HEADERS_MANY : HTTP_REFUSAL_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9112_3_a_good_block_is_found_whole),
        cmocka_unit_test(rfc9112_2_2_one_empty_line_before_is_skipped),
        cmocka_unit_test(A8_A9_A20_what_parsers_disagree_about_is_refused),
        cmocka_unit_test(A9_no_control_byte_passes_anywhere),
        cmocka_unit_test(A5_a_request_line_without_end_is_414),
        cmocka_unit_test(A4_more_than_100_headers_are_431),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
