// SPDX-License-Identifier: Apache-2.0
// Requests as bytes, to a worker on its own thread.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/sockios.h>
#include <malloc.h>
#include <sys/ioctl.h>

#include "unit/http/toy.h"

#define GET_ECHO "GET /echo?q=1 HTTP/1.1\r\nHost: x\r\n\r\n"

static const char worker_post[] = "POST /echo/one HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n"
                                  "Content-Type: text/plain\r\n\r\nhello world";
static const char worker_chunked[] = "POST /echo HTTP/1.1\r\nHost: x\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n"
                                     "6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\nT: v\r\n\r\n";

static int worker_setup(void **state)
{
    (void)state;
    toy_start(toy_limits);
    return 0;
}

static int worker_teardown(void **state)
{
    (void)state;
    toy_stop();
    return 0;
}

// Stands in the place of the C library's.
static atomic_int worker_trims;
int malloc_trim(size_t pad)
{
    atomic_fetch_add(&worker_trims, 1);
    return pad != 0;
}

// Where malloc is not glibc's own, the first malloc_trim sets glibc's up, and a second one in the
// same moment crashes: so the first is made before a worker runs. This is the first test.
static void G9_no_two_workers_are_the_first_to_trim(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&worker_trims), 1);
}

static void a_kept_connection_answers_again_and_again(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    for (int i = 0; i < 50; i++) {
        toy_say(fd, GET_ECHO);
        assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
        assert_int_equal(status, 200);
        toy_say(fd, worker_post);
        assert_string_equal(toy_read(fd, &status), "4 /echo/one? one|hello world");
    }
    close(fd);
}

// In two pieces, cut at every offset; the second is sent when the first may have been read.
static void a_request_may_be_cut_anywhere(void **state)
{
    static const char *const texts[] = {worker_post, worker_chunked, "\r\n" GET_ECHO};
    static const char *const answers[] = {"4 /echo/one? one|hello world", "4 /echo?|hello world",
                                          "1 /echo?q=1|"};
    int status;
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        int fd = toy_connect();
        for (size_t cut = 0; cut <= strlen(texts[t]); cut++) {
            toy_send(fd, texts[t], cut);
            sched_yield();
            toy_say(fd, texts[t] + cut);
            assert_string_equal(toy_read(fd, &status), answers[t]);
        }
        close(fd);
    }
}

static void a_request_may_come_byte_by_byte(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    for (size_t i = 0; i < sizeof worker_chunked - 1; i++) {
        toy_send(fd, worker_chunked + i, 1);
        sched_yield();
    }
    assert_string_equal(toy_read(fd, &status), "4 /echo?|hello world");
    close(fd);
}

static void A12_a_thousand_pipelined_requests_are_answered_in_order(void **state)
{
    enum { REQUESTS = 1000 };
    static char text[REQUESTS * 64];
    char expected[32];
    size_t len = 0;
    int status;
    (void)state;
    for (int i = 0; i < REQUESTS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "GET /echo?%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    int fd = toy_connect();
    toy_send(fd, text, len);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(expected, sizeof expected, "1 /echo?%d|", i);
        assert_string_equal(toy_read(fd, &status), expected);
    }
    close(fd);
}

static void A17_disconnect_at_every_offset(void **state)
{
    static const char *const texts[] = {worker_post, worker_chunked, "GET /park HTTP/1.0\r\n"};
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t cut = 0; cut <= strlen(texts[t]); cut++) {
            int fd = toy_connect();
            toy_send(fd, texts[t], cut);
            close(fd);
        }
    }
    int fd = toy_connect();
    int status;
    toy_say(fd, GET_ECHO);
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
    close(fd);
}

// More of them at once than slabs are kept, so that memory which is let go of is really gone.
static void A17_disconnect_before_a_long_body(void **state)
{
    enum { MANY = 80 };
    int fds[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = toy_connect();
        toy_say(fds[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
    }
    for (size_t i = 0; i < MANY; i++)
        close(fds[i]);
    int fd = toy_connect();
    int status;
    toy_say(fd, GET_ECHO);
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
    close(fd);
}

static void A16_half_close_still_gets_its_answer(void **state)
{
    int fd = toy_connect();
    (void)state;
    toy_say(fd, worker_post);
    shutdown(fd, SHUT_WR);
    const char *text = toy_read_all(fd);
    assert_int_equal(toy_status(text), 200);
    assert_non_null(strstr(text, "hello world"));
    close(fd);
}

static const struct {
    const char *text;
    int status;
} worker_refused[] = {
    {"GET /echo HTTP/1.1\r\n\r\n", 400},
    {"GET /echo HTTP/1.1\nHost: x\n\n", 400},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n" GET_ECHO, 400},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" GET_ECHO, 501},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n" GET_ECHO, 400},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 413},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\nabc", 413},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n"
     "\r\n", 413},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415},
    {"BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n", 501},
    {"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
    {"post /echo HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /echo HTTP/2.0\r\nHost: x\r\n\r\n", 505},
    {"SSH-2.0-OpenSSH_9.2p1\r\n", 400},
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
};

// One answer, JSON, then the end; nothing behind the bad request is answered.
static void A7_A8_A9_A20_bad_http_is_answered_once_and_closed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof worker_refused / sizeof worker_refused[0]; i++) {
        int fd = toy_connect();
        toy_say(fd, worker_refused[i].text);
        const char *text = toy_read_all(fd);
        if (toy_status(text) != worker_refused[i].status || toy_count(text, "HTTP/1.1 ") != 1)
            fail_msg("row %zu: %s", i, text);
        assert_non_null(strstr(text, "Connection: close\r\n"));
        assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
        assert_non_null(strstr(text, "{\"error\":\""));
        close(fd);
    }
    assert_int_equal(atomic_load(&toy.handled), 0);
    assert_int_equal(atomic_load(&toy.refused), sizeof worker_refused / sizeof worker_refused[0]);
}

static void A4_A5_what_is_too_long_is_refused_early(void **state)
{
    static char text[1024 * 1024];
    static const struct {
        const char *start;
        int status;
    } rows[] = {
        {"GET /echo HTTP/1.1\r\nHost: x\r\nX: ", 431},
        {"GET /echo?", 414},
        {"", 414}, // nothing but letters, no line end
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(text, 'A', sizeof text);
        memcpy(text, rows[i].start, strlen(rows[i].start));
        int fd = toy_connect();
        toy_send(fd, text, sizeof text);
        assert_int_equal(toy_status(toy_read_all(fd)), rows[i].status);
        close(fd);
    }
}

// The longest body behind the longest header block, by its length and in chunks of this size.
static void worker_send_long(int fd, const char *path, size_t chunk)
{
    static char text[HTTP_BODY_MAX * 3];
    char *at = text;
    char *end = text + sizeof text;
    at += snprintf(at, 64, "POST %s HTTP/1.1\r\nHost: x\r\nX-Pad: ", path);
    memset(at, 'h', 15 * 1024);
    at += 15 * 1024;
    if (!chunk)
        at += snprintf(at, 64, "\r\nContent-Length: %zu\r\n\r\n", HTTP_BODY_MAX);
    else
        at += snprintf(at, 64, "\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t sent = 0; sent < HTTP_BODY_MAX; sent += chunk ? chunk : HTTP_BODY_MAX) {
        size_t piece = chunk ? chunk : HTTP_BODY_MAX;
        if (chunk)
            at += snprintf(at, (size_t)(end - at), "%zx\r\n", piece);
        memset(at, 'b', piece);
        at += piece;
        if (chunk)
            at += snprintf(at, (size_t)(end - at), "\r\n");
    }
    if (chunk)
        at += snprintf(at, (size_t)(end - at), "0\r\n\r\n");
    at += snprintf(at, (size_t)(end - at), GET_ECHO);
    toy_send(fd, text, (size_t)(at - text));
}

static void A6_bodies_up_to_the_cap_arrive_whole(void **state)
{
    static const size_t chunks[] = {0, 8, 64, 4096, HTTP_BODY_MAX};
    char expected[64];
    int status;
    (void)state;
    snprintf(expected, sizeof expected, "4 /echo/x? x|%zu", HTTP_BODY_MAX * 'b');
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        int fd = toy_connect();
        worker_send_long(fd, "/echo/x", chunks[i]);
        assert_string_equal(toy_read(fd, &status), expected);
        assert_int_equal(status, 200);
        assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
        close(fd);
    }
}

// The body, the header block, and the slabs around them: what was outgrown is not held.
static void A6_a_long_body_holds_no_more_than_it_is_long(void **state)
{
    static const size_t chunks[] = {0, 64, 4096, HTTP_BODY_MAX};
    int status;
    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        int fd = toy_connect();
        worker_send_long(fd, "/held", chunks[i]);
        const char *held = toy_read(fd, &status);
        assert_int_equal(status, 200);
        assert_in_range(strtoul(held, NULL, 10), HTTP_BODY_MAX,
                        HTTP_BODY_MAX + HTTP_HEAD_MAX + 3 * ARENA_SLAB_SIZE);
        close(fd);
    }
}

// Until the server has taken all that was sent.
static void worker_await_read(int fd)
{
    int left = 1;
    for (int i = 0; i < TOY_WAIT_MS && left > 0; i++) {
        assert_int_equal(ioctl(fd, SIOCOUTQ, &left), 0);
        poll(NULL, 0, 1);
    }
    assert_int_equal(left, 0);
}

// Long bodies share a bound; the usual short one is served whatever they hold.
static void A6_long_bodies_share_a_bound(void **state)
{
    struct http_limits limits = toy_limits;
    static char half[HTTP_BODY_MAX / 2];
    int status;
    (void)state;
    toy_stop();
    limits.max_body_bytes = HTTP_BODY_MAX + HTTP_BODY_MAX / 2;
    toy_start(limits);
    int first = toy_connect();
    toy_say(first, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n");
    toy_send(first, half, sizeof half);
    toy_send(first, half, sizeof half - 1);
    worker_await_read(first);
    int second = toy_connect();
    toy_say(second, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n");
    toy_send(second, half, sizeof half);
    const char *text = toy_read_all(second);
    assert_int_equal(toy_status(text), 503);
    assert_non_null(strstr(text, "too many long bodies"));
    int third = toy_connect();
    toy_say(third, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n");
    toy_send(third, half, 4000);
    assert_string_equal(toy_read(third, &status), "4 /echo?|0");
    toy_send(first, half, 1);
    assert_string_equal(toy_read(first, &status), "4 /echo?|0");
    toy_say(third, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 32768\r\n\r\n");
    toy_send(third, half, sizeof half);
    assert_string_equal(toy_read(third, &status), "4 /echo?|0");
    close(first);
    close(second);
    close(third);
}

// RFC 9110 sections 8.4, 10.1.1, 15.6.2: what is wrong with the body or the method is no matter of
// a gate that looks at neither.
static void a_check_refuses_no_method_nor_what_describes_the_body(void **state)
{
    static const struct {
        const char *method, *headers;
        int refused; // by other routes
    } rows[] = {
        {"GET", "Content-Encoding: gzip\r\n\r\n", 415},
        {"POST", "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", 415},
        {"GET", "Expect: the-moon\r\n\r\n", 417},
        {"QUERY", "\r\n", 501},
        {"BREW", "\r\n", 501},
        {"CONNECT", "\r\n", 501},
        {"PRI", "\r\n", 501},
        {"DESCRIBE", "\r\n", 501},
        {"Ab-c1_!", "\r\n", 501},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        int status;
        int fd = toy_connect();
        snprintf(text, sizeof text, "%s /check/x HTTP/1.1\r\nHost: x\r\n%s", rows[i].method,
                 rows[i].headers);
        toy_say(fd, text);
        toy_read(fd, &status);
        assert_int_equal(status, 200);
        close(fd);
        fd = toy_connect();
        snprintf(text, sizeof text, "%s /echo HTTP/1.1\r\nHost: x\r\n%s", rows[i].method,
                 rows[i].headers);
        toy_say(fd, text);
        assert_int_equal(toy_status(toy_read_all(fd)), rows[i].refused);
        close(fd);
    }
}

static void A23_100_continue_is_answered(void **state)
{
    char text[64] = "";
    int status;
    int fd = toy_connect();
    (void)state;
    toy_say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\n");
    toy_await(fd);
    assert_int_equal(recv(fd, text, 25, MSG_WAITALL), 25);
    assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
    toy_say(fd, "hi");
    assert_string_equal(toy_read(fd, &status), "4 /echo?|hi");
    // The body is here already, or there is none: nobody waits for a 100.
    toy_say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\nhi");
    assert_string_equal(toy_read(fd, &status), "4 /echo?|hi");
    assert_int_equal(status, 200);
    toy_say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(toy_read(fd, &status), "4 /echo?|");
    assert_int_equal(status, 200);
    close(fd);
}

static void A21_A22_404_and_405_keep_the_connection(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    toy_say(fd, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_non_null(strstr(toy_read(fd, &status), "\"error\":\"not_found\""));
    assert_int_equal(status, 404);
    toy_say(fd, "TRACE /echo HTTP/1.1\r\nHost: x\r\nX-Secret: tracer\r\n\r\n");
    const char *body = toy_read(fd, &status);
    assert_non_null(strstr(body, "\"error\":\"method_not_allowed\""));
    assert_null(strstr(body, "tracer"));
    assert_int_equal(status, 405);
    toy_say(fd, "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"); // its door is not open here
    toy_read(fd, &status);
    assert_int_equal(status, 404);
    toy_say(fd, "HEAD /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const char *all = toy_read_all(fd);
    assert_int_equal(toy_status(all), 405);
    assert_non_null(strstr(all, "\r\nAllow: GET\r\n"));
    assert_true(str_ends_with(str_from(all), STR("\r\n\r\n"))); // and no body
    close(fd);
}

static void rfc9112_9_3_http_1_0_and_close(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    toy_say(fd, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    toy_read(fd, &status);
    toy_say(fd, "GET /echo HTTP/1.0\r\n\r\n");
    const char *text = toy_read_all(fd);
    assert_non_null(strstr(text, "Connection: close\r\n"));
    close(fd);
    fd = toy_connect();
    toy_say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET_ECHO);
    assert_int_equal(toy_count(toy_read_all(fd), "HTTP/1.1 "), 1);
    close(fd);
}

static void a_check_never_reads_the_body(void **state)
{
    int fd = toy_connect();
    (void)state;
    toy_say(fd, "PUT /check/name/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nsome");
    const char *text = toy_read_all(fd);
    assert_int_equal(toy_status(text), 200);
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_true(str_ends_with(str_from(text), STR(" name/x|")));
    close(fd);
}

static void failures_of_handlers_are_json(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    toy_say(fd, "GET /fail HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(toy_read(fd, &status), "\"error\":\"server_error\""));
    assert_int_equal(status, 500);
    toy_say(fd, "GET /fail?busy HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(toy_read(fd, &status), "\"error\":\"temporarily_unavailable\""));
    assert_int_equal(status, 503);
    toy_say(fd, "GET /hungry HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(toy_read(fd, &status), "out of memory"));
    assert_int_equal(status, 503);
    close(fd);
}

// Taking a byte now and then does not move the deadline, and while there is an answer to be taken
// nothing more is read: neither side's memory grows.
static void A3_who_hardly_reads_is_closed_by_the_deadline_and_read_no_further(void **state)
{
    struct http_limits quick = toy_limits;
    size_t sent = 0;
    ssize_t more;
    char byte;
    (void)state;
    toy_stop();
    quick.write_us = 300000;
    toy_start(quick);
    int fd = toy_connect();
    toy_say(fd, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
    toy_await(fd); // it is being answered
    while ((more = send(fd, GET_ECHO, strlen(GET_ECHO), MSG_NOSIGNAL | MSG_DONTWAIT)) > 0) {
        sent += (size_t)more;
        assert_true(sent < 4 * TOY_ANSWER_MAX); // what sockets hold is less
    }
    assert_int_equal(errno, EAGAIN);
    int reads = 0;
    struct pollfd gone = {.fd = fd, .events = 0};
    while (poll(&gone, 1, 10) == 0 && reads < TOY_WAIT_MS / 10)
        reads += recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
    assert_true(gone.revents & POLLHUP);
    assert_int_equal(toy.metrics.value[METRIC_HTTP_REQUESTS], 0);
    close(fd);
}

static void a_slow_reader_gets_all_of_a_long_answer(void **state)
{
    int fd = toy_connect();
    int status;
    int small = 4096;
    (void)state;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    toy_say(fd, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n" GET_ECHO);
    toy_read(fd, &status);
    assert_int_equal(status, 200);
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(G9_no_two_workers_are_the_first_to_trim, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(a_kept_connection_answers_again_and_again, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(a_request_may_be_cut_anywhere, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(a_request_may_come_byte_by_byte, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A12_a_thousand_pipelined_requests_are_answered_in_order,
                                        worker_setup, worker_teardown),
        cmocka_unit_test_setup_teardown(A17_disconnect_before_a_long_body, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A17_disconnect_at_every_offset, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A16_half_close_still_gets_its_answer, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A7_A8_A9_A20_bad_http_is_answered_once_and_closed,
                                        worker_setup, worker_teardown),
        cmocka_unit_test_setup_teardown(A4_A5_what_is_too_long_is_refused_early, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A6_bodies_up_to_the_cap_arrive_whole, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A6_a_long_body_holds_no_more_than_it_is_long,
                                        worker_setup, worker_teardown),
        cmocka_unit_test_setup_teardown(A6_long_bodies_share_a_bound, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(a_check_refuses_no_method_nor_what_describes_the_body,
                                        worker_setup, worker_teardown),
        cmocka_unit_test_setup_teardown(A23_100_continue_is_answered, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(A21_A22_404_and_405_keep_the_connection, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(rfc9112_9_3_http_1_0_and_close, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(a_check_never_reads_the_body, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(failures_of_handlers_are_json, worker_setup,
                                        worker_teardown),
        cmocka_unit_test_setup_teardown(
            A3_who_hardly_reads_is_closed_by_the_deadline_and_read_no_further, worker_setup,
            worker_teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_gets_all_of_a_long_answer, worker_setup,
                                        worker_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
