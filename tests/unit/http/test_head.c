// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "http/head.h"
#include "http/target.h"

static struct http_header head_headers[HTTP_HEADERS_MAX];

static enum http_refusal head_parse(const char *text, struct http_head *ret_head)
{
    struct http_scan scan = {0};
    struct str bytes = str_from(text);
    enum http_refusal refusal = http_scan(&scan, bytes);
    if (refusal)
        return refusal;
    assert_int_equal(scan.end, bytes.len);
    return http_head_parse(&scan, bytes, head_headers, ret_head);
}

static void rfc9112_views_are_right(void **state)
{
    struct http_head head;
    (void)state;
    assert_int_equal(head_parse("\r\nPOST /oauth/token?a=b%20c HTTP/1.1\r\nhOST: api:8080\r\n"
                                "Content-Type: \t application/json;charset=UTF-8 \t\r\n"
                                "Authorization: Basic eDp5\r\nX-Empty:\r\n"
                                "Content-Length: 12\r\n\r\n",
                                &head),
                     HTTP_REFUSAL_NONE);
    assert_true(str_equal(head.method, STR("POST")));
    assert_true(str_equal(head.path, STR("/oauth/token")));
    assert_true(str_equal(head.query, STR("a=b%20c")));
    assert_true(str_equal(head.content_type, STR("application/json;charset=UTF-8")));
    assert_true(str_equal(head.authorization, STR("Basic eDp5")));
    assert_int_equal(head.header_count, 5);
    assert_true(str_equal(head.headers[3].name, STR("X-Empty")));
    assert_int_equal(head.headers[3].value.len, 0);
    assert_non_null(head.headers[3].value.ptr);
    assert_int_equal(head.content_length, 12);
    assert_true(head.keep_alive);
    assert_false(head.chunked);
    assert_false(head.expects_continue);
}

static const struct {
    const char *text;
    enum http_refusal refusal;
} head_rows[] = {
    // Java's HttpClient sends this on every plain request: Upgrade is ignored.
    {"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: x\r\n"
     "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n\r\n", HTTP_REFUSAL_HOST_MISSING},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HTTP_REFUSAL_HOST_TWICE},
    {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", HTTP_REFUSAL_HOST_MALFORMED},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP_REFUSAL_HOST_MALFORMED},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HTTP_REFUSAL_HOST_MALFORMED},
    {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: A\r\nauthorization: A\r\n\r\n",
     HTTP_REFUSAL_AUTHORIZATION_TWICE},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n",
     HTTP_REFUSAL_CONTENT_TYPE_TWICE},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
     HTTP_REFUSAL_LENGTH_TWICE},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
     HTTP_REFUSAL_LENGTH_TWICE},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 \r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
     HTTP_REFUSAL_LENGTH_MALFORMED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     HTTP_REFUSAL_LENGTH_AND_CODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
     HTTP_REFUSAL_LENGTH_AND_CODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", HTTP_REFUSAL_CODING_UNKNOWN},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     HTTP_REFUSAL_CODING_UNKNOWN},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
     HTTP_REFUSAL_SYNTAX},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
     HTTP_REFUSAL_CODING_UNKNOWN},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
     HTTP_REFUSAL_CODING_UNKNOWN},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", HTTP_REFUSAL_CODING_UNKNOWN},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
     "Transfer-Encoding: chunked\r\n\r\n",
     HTTP_REFUSAL_CODING_TWICE},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_REFUSAL_CODING_OLD},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\r\n", HTTP_REFUSAL_CONTENT_CODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nExpect: the-moon\r\n\r\n", HTTP_REFUSAL_EXPECTATION},
    {"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_METHOD_UNKNOWN},
    {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_METHOD_UNKNOWN},
    {"GETX / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_METHOD_UNKNOWN},
    {"GET? / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_METHOD_MALFORMED},
    {"GeT / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_METHOD_UNKNOWN},
    {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"GET /# HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_TARGET},
    {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_TARGET},
    {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_TARGET},
    {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_TARGET},
    {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_REFUSAL_TARGET},
    {"GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", HTTP_REFUSAL_SYNTAX},
    {"GET / HTTP/1.1\r\nHost: a\r\nA(b): c\r\n\r\n", HTTP_REFUSAL_SYNTAX},
    {"GET / HTTP/1.1\r\nHost: a\r\nA: \x7f\r\n\r\n", HTTP_REFUSAL_SYNTAX},
};

static void A7_A8_A11_A21_A23_A24_the_rules_of_framing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof head_rows / sizeof head_rows[0]; i++) {
        struct http_head head;
        enum http_refusal refusal = head_parse(head_rows[i].text, &head);
        if (!refusal)
            refusal = head.pending; // the route may overrule it
        if (refusal != head_rows[i].refusal)
            fail_msg("row %zu: %d instead of %d\n%s", i, refusal, head_rows[i].refusal,
                     head_rows[i].text);
    }
}

static void rfc9112_9_3_persistence(void **state)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: foo , close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_head head;
        assert_int_equal(head_parse(rows[i].text, &head), HTTP_REFUSAL_NONE);
        assert_int_equal(head.keep_alive, rows[i].keep_alive);
    }
}

static void rfc9112_3_2_2_an_absolute_target_has_an_authority(void **state)
{
    static const struct {
        const char *target, *path, *query, *authority;
    } rows[] = {
        {"http://evil.example/check?a", "/check", "a", "evil.example"},
        {"HTTPS://evil@x:1/check", "/check", "", "evil@x:1"},
        {"http://evil.example", "/", "", "evil.example"},
        {"http://evil.example?a", "/", "a", "evil.example"},
        {"/?", "/", "", ""},
        {"/http://x/", "/http://x/", "", ""},
        {"*", "*", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str path;
        struct str query, authority;
        assert_int_equal(
            http_target_split(str_from(rows[i].target), &path, &query, &authority), 0);
        assert_true(str_equal(authority, str_from(rows[i].authority)));
        assert_int_equal(authority.ptr == NULL, authority.len == 0);
        assert_true(str_equal(path, str_from(rows[i].path)) ||
                    (path.len == 0 && str_equal(STR("/"), str_from(rows[i].path))));
        assert_true(str_equal(query, str_from(rows[i].query)));
    }
}

static void A22_a_path_has_one_spelling(void **state)
{
    static const char *const good[] = {"/", "/a", "/a/", "/a/b.c", "/a/%20b", "/...", "/a;x"};
    static const char *const bad[] = {"",       "*",      "a",      "//",      "/a//b",  "/./a",
                                      "/a/..",  "/../a",  "/a/.",   "/%2e/a",  "/%2E",   "/%00",
                                      "/a%2fb", "/a%2Fb", "/%5c",   "/%25",    "/%",     "/%2",
                                      "/%zz",   "/a/./",  "/a/../", "/%2e%2e"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!http_path_is_canonical(str_from(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (http_path_is_canonical(str_from(bad[i])))
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9112_views_are_right),
        cmocka_unit_test(A7_A8_A11_A21_A23_A24_the_rules_of_framing),
        cmocka_unit_test(rfc9112_9_3_persistence),
        cmocka_unit_test(rfc9112_3_2_2_an_absolute_target_has_an_authority),
        cmocka_unit_test(A22_a_path_has_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
