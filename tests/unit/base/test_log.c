// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "base_test.h"

static char seen[4096];
static size_t seen_len;

static void keep(void *context, enum log_level level, struct str line)
{
    (void)context;
    (void)level;
    assert_true(seen_len + line.len <= sizeof seen);
    memcpy(seen + seen_len, line.ptr, line.len);
    seen_len += line.len;
}

static int catch_lines(void **state)
{
    (void)state;
    seen_len = 0;
    log_set_level(LOG_INFO);
    log_set_sink(keep, NULL);
    return 0;
}

static int let_lines_go(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    return 0;
}

static void a_line_is_key_and_value(void **state)
{
    (void)state;
    struct log_line line;
    log_begin(&line, LOG_WARNING, INT64_C(1700000000000042), "token.refused");
    log_str(&line, "client", STR("billing"));
    log_u64(&line, "line", 42);
    log_word(&line, "reason", "SECRET_WRONG");
    log_end(&line);
    check_str(str_of(seen, seen_len),
              "2023-11-14T22:13:20.000042Z warning event=token.refused client=\"billing\" line=42 "
              "reason=SECRET_WRONG\n");
}

// The text of a second is kept from line to line.
static void each_line_has_its_own_time(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {{INT64_C(1700000000999999), "2023-11-14T22:13:20.999999Z"},
                {INT64_C(1700000001000000), "2023-11-14T22:13:21.000000Z"},
                {INT64_C(1700000000000000), "2023-11-14T22:13:20.000000Z"},
                {INT64_C(1700000000000001), "2023-11-14T22:13:20.000001Z"},
                {INT64_C(951782399123456), "2000-02-28T23:59:59.123456Z"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct log_line line;
        log_begin(&line, LOG_INFO, rows[i].us, "x");
        assert_true(str_starts_with(str_of(line.text, line.len), str_from(rows[i].text)));
    }
}

static void numbers_are_decimal(void **state)
{
    (void)state;
    struct log_line line;
    log_begin(&line, LOG_INFO, 0, "x");
    log_u64(&line, "least", 0);
    log_u64(&line, "most", UINT64_MAX);
    log_str(&line, "none", STR_NONE);
    log_end(&line);
    assert_true(str_ends_with(str_of(seen, seen_len),
                              STR(" least=0 most=18446744073709551615 none=\"\"\n")));
}

static void what_comes_from_outside_cannot_forge_a_line(void **state)
{
    (void)state;
    struct log_line line;
    log_begin(&line, LOG_INFO, 0, "x");
    log_str(&line, "id", STR("a\" b=\"c\n\r\x1b[2J\\\x80\0z"));
    log_end(&line);
    check_str(str_of(seen, seen_len),
              "1970-01-01T00:00:00.000000Z info event=x "
              "id=\"a\\x22 b=\\x22c\\x0a\\x0d\\x1b[2J\\x5c\\x80\\x00z\"\n");
}

static void a_long_value_leaves_room_for_the_others(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, 'v', sizeof text);
    struct log_line line;
    log_begin(&line, LOG_INFO, 0, "x");
    log_str(&line, "long", str_of(text, sizeof text));
    log_word(&line, "after", "here");
    log_end(&line);
    assert_true(str_ends_with(str_of(seen, seen_len), STR("v...\" after=here\n")));
}

static void a_line_never_grows_past_its_end(void **state)
{
    (void)state;
    struct log_line line;
    log_begin(&line, LOG_INFO, 0, "x");
    for (int i = 0; i < 500; i++)
        log_str(&line, "k", STR("\x01\x02\x03\x04"));
    log_end(&line);
    assert_int_equal(seen_len, LOG_LINE_MAX);
    assert_int_equal(seen[seen_len - 1], '\n');
    assert_null(memchr(seen, '\n', seen_len - 1));
}

static void lines_below_the_level_go_nowhere(void **state)
{
    (void)state;
    struct log_line line;
    assert_false(log_wants(LOG_DEBUG));
    log_begin(&line, LOG_DEBUG, 0, "x");
    log_end(&line);
    assert_int_equal(seen_len, 0);
    log_set_level(LOG_DEBUG);
    log_end(&line);
    assert_true(seen_len > 0);
}

static void a_full_ring_drops_and_counts(void **state)
{
    (void)state;
    struct log_ring *ring = log_ring_create(64);
    assert_non_null(ring);
    char line[40];
    memset(line, 'l', sizeof line);
    assert_true(log_ring_put(ring, str_of(line, sizeof line)));
    assert_false(log_ring_put(ring, str_of(line, sizeof line)));
    assert_int_equal(log_dropped(), 1);
    assert_int_equal(log_ring_peek(ring).len, 40);
    log_ring_release(ring, 40);
    // The second goes round the end: two pieces.
    assert_true(log_ring_put(ring, str_of(line, sizeof line)));
    assert_int_equal(log_ring_peek(ring).len, 24);
    log_ring_release(ring, 24);
    assert_int_equal(log_ring_peek(ring).len, 16);
    log_ring_release(ring, 16);
    assert_int_equal(log_ring_peek(ring).len, 0);
    log_ring_destroy(ring);
}

#define LINES 20000

static void *produce(void *argument)
{
    struct log_ring *ring = argument;
    for (int i = 0; i < LINES; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "%d\n", i);
        while (!log_ring_put(ring, str_of(text, (size_t)len)))
            sched_yield();
    }
    return NULL;
}

static void lines_come_in_order_across_threads(void **state)
{
    (void)state;
    struct log_ring *ring = log_ring_create(256);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    uint64_t number = 0;
    uint64_t expected = 0;
    while (expected < LINES) {
        struct str piece = log_ring_peek(ring);
        for (size_t i = 0; i < piece.len; i++) {
            if (piece.ptr[i] != '\n') {
                number = number * 10 + (uint64_t)(piece.ptr[i] - '0');
                continue;
            }
            assert_int_equal(number, expected);
            expected++;
            number = 0;
        }
        log_ring_release(ring, piece.len);
    }
    pthread_join(producer, NULL);
    log_ring_destroy(ring);
}

#define caught(test) cmocka_unit_test_setup_teardown(test, catch_lines, let_lines_go)

int main(void)
{
    const struct CMUnitTest tests[] = {
        caught(a_line_is_key_and_value),
        caught(each_line_has_its_own_time),
        caught(numbers_are_decimal),
        caught(what_comes_from_outside_cannot_forge_a_line),
        caught(a_long_value_leaves_room_for_the_others),
        caught(a_line_never_grows_past_its_end),
        caught(lines_below_the_level_go_nowhere),
        cmocka_unit_test(a_full_ring_drops_and_counts),
        cmocka_unit_test(lines_come_in_order_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
