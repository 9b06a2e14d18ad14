// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "http/answer.h"

#define ANSWER_DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static struct arena answer_arena;
static const struct http_frame answer_frame = {
    .date = {ANSWER_DATE, HTTP_DATE_LEN},
    .id = {"0123456789abcdef01234567", HTTP_ID_LEN},
    .minor = 1,
    .keep_alive = true,
};

static void answer_expect(const struct http_answer *answer, const struct http_frame *frame,
                          const char *expected)
{
    struct str parts[HTTP_ANSWER_PARTS];
    char all[8192];
    assert_int_equal(http_answer_write(answer, frame, &answer_arena, parts), TWOLEG_NONE);
    assert_true(parts[0].len + parts[1].len < sizeof all);
    memcpy(all, parts[0].ptr, parts[0].len);
    if (parts[1].len)
        memcpy(all + parts[0].len, parts[1].ptr, parts[1].len);
    all[parts[0].len + parts[1].len] = '\0';
    assert_string_equal(all, expected);
    arena_finish(&answer_arena);
}

static void the_bytes_are_exact(void **state)
{
    struct http_answer answer = {.status = 200,
                                 .content_type = STR("application/json"),
                                 .body = STR("{\"a\":1}"),
                                 .headers = STR("ETag: \"x\"\r\n"),
                                 .no_store = true};
    (void)state;
    answer_expect(&answer, &answer_frame,
                  "HTTP/1.1 200 OK\r\nDate: " ANSWER_DATE "\r\nContent-Type: application/json\r\n"
                  "X-Content-Type-Options: nosniff\r\nContent-Length: 7\r\n"
                  "X-Request-Id: 0123456789abcdef01234567\r\n"
                  "Cache-Control: no-store\r\nPragma: no-cache\r\nETag: \"x\"\r\n\r\n{\"a\":1}");
    struct http_frame close = answer_frame;
    close.keep_alive = false;
    answer = (struct http_answer){.status = 401};
    answer_expect(&answer, &close,
                  "HTTP/1.1 401 Unauthorized\r\nDate: " ANSWER_DATE "\r\nContent-Length: 0\r\n"
                  "X-Request-Id: 0123456789abcdef01234567\r\nConnection: close\r\n\r\n");
}

static void rfc9110_9_3_2_head_has_the_length_and_no_body(void **state)
{
    struct http_answer answer = {
        .status = 200, .content_type = STR("text/plain"), .body = STR("twelve bytes")};
    struct http_frame head = answer_frame;
    (void)state;
    head.head = true;
    answer_expect(&answer, &head,
                  "HTTP/1.1 200 OK\r\nDate: " ANSWER_DATE "\r\nContent-Type: text/plain\r\n"
                  "X-Content-Type-Options: nosniff\r\nContent-Length: 12\r\n"
                  "X-Request-Id: 0123456789abcdef01234567\r\n\r\n");
}

static void rfc9110_15_3_5_some_statuses_have_no_body(void **state)
{
    struct http_answer answer = {
        .status = 204, .content_type = STR("text/plain"), .body = STR("nothing")};
    (void)state;
    answer_expect(&answer, &answer_frame,
                  "HTTP/1.1 204 No Content\r\nDate: " ANSWER_DATE "\r\n"
                  "X-Request-Id: 0123456789abcdef01234567\r\n\r\n");
}

static void an_unknown_status_keeps_its_number(void **state)
{
    struct http_answer answer = {.status = 429 + 62};
    struct http_frame old = answer_frame;
    (void)state;
    old.minor = 0;
    answer_expect(&answer, &old,
                  "HTTP/1.1 491 \r\nDate: " ANSWER_DATE "\r\nContent-Length: 0\r\n"
                  "X-Request-Id: 0123456789abcdef01234567\r\nConnection: keep-alive\r\n\r\n");
}

static void a_long_body_is_not_copied(void **state)
{
    static char body[4000];
    struct str parts[HTTP_ANSWER_PARTS];
    struct http_answer answer = {.status = 200, .body = str_of(body, sizeof body)};
    (void)state;
    assert_int_equal(http_answer_write(&answer, &answer_frame, &answer_arena, parts), TWOLEG_NONE);
    assert_ptr_equal(parts[1].ptr, body);
    assert_int_equal(parts[1].len, sizeof body);
    assert_true(str_ends_with(parts[0], STR("\r\n\r\n")));
    arena_finish(&answer_arena);
}

static void an_arena_at_its_cap_gives_no_memory(void **state)
{
    struct str parts[HTTP_ANSWER_PARTS];
    struct http_answer answer = {.status = 200};
    struct arena tight;
    (void)state;
    arena_init(&tight, NULL, 64);
    assert_int_equal(http_answer_write(&answer, &answer_frame, &tight, parts), TWOLEG_NO_MEMORY);
    arena_finish(&tight);
}

static void rfc9110_5_6_7_the_date_is_fixed_width(void **state)
{
    char date[HTTP_DATE_LEN];
    (void)state;
    http_date_write(784111777 * SECOND_US, date);
    assert_memory_equal(date, ANSWER_DATE, HTTP_DATE_LEN);
    http_date_write(951782400 * SECOND_US + 999999, date);
    assert_memory_equal(date, "Tue, 29 Feb 2000 00:00:00 GMT", HTTP_DATE_LEN);
}

static void request_ids_are_visible_and_unique(void **state)
{
    char a[HTTP_ID_LEN];
    char b[HTTP_ID_LEN];
    (void)state;
    http_id_write(1700000000000000, 1, 1, a);
    assert_memory_equal(a, "18bcfe568000100000000001", HTTP_ID_LEN);
    http_id_write(1700000000000000, 1, 2, b);
    assert_memory_not_equal(a, b, HTTP_ID_LEN);
    http_id_write(1700000000000000, 2, 1, b);
    assert_memory_not_equal(a, b, HTTP_ID_LEN);
    http_id_write(1700000000001000, 1, 1, b);
    assert_memory_not_equal(a, b, HTTP_ID_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_exact),
        cmocka_unit_test(rfc9110_9_3_2_head_has_the_length_and_no_body),
        cmocka_unit_test(rfc9110_15_3_5_some_statuses_have_no_body),
        cmocka_unit_test(an_unknown_status_keeps_its_number),
        cmocka_unit_test(a_long_body_is_not_copied),
        cmocka_unit_test(an_arena_at_its_cap_gives_no_memory),
        cmocka_unit_test(rfc9110_5_6_7_the_date_is_fixed_width),
        cmocka_unit_test(request_ids_are_visible_and_unique),
    };
    arena_init(&answer_arena, NULL, ARENA_REQUEST_CAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
