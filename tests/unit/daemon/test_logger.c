// SPDX-License-Identifier: Apache-2.0
#include "daemon/logger.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LINES 500

static void *say_much(void *ring)
{
    struct log_line line;
    if (ring && logger_join() != TWOLEG_NONE)
        return (void *)1;
    for (uint64_t i = 0; i < (ring ? LINES : 2); i++) {
        log_begin(&line, LOG_WARNING, 0, "much");
        log_u64(&line, "i", i);
        log_end(&line);
    }
    return NULL;
}

static void say(void *ring)
{
    pthread_t thread;
    void *wrong;
    assert_int_equal(pthread_create(&thread, NULL, say_much, ring), 0);
    pthread_join(thread, &wrong);
    assert_null(wrong);
}

static unsigned count_lines(int fd)
{
    char text[65536];
    unsigned lines = 0;
    for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < got; i++)
            lines += text[i] == '\n';
    return lines;
}

// Runs with a pipe of 4 KiB as standard error; ret_pipe is what can be read of it.
static int swap_stderr(int *ret_pipe)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    int kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    *ret_pipe = ends[0];
    return kept;
}

static void restore_stderr(int kept)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
}

static void M4_a_reader_that_reads_nothing_holds_up_no_end(void **state)
{
    (void)state;
    int pipe_end;
    uint64_t lost = log_dropped();
    int kept = swap_stderr(&pipe_end);
    assert_int_equal(logger_start(), TWOLEG_NONE);
    say(&pipe_end); // more than the pipe takes
    say(NULL);      // without a ring
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    logger_stop();
    say(NULL); // after the end
    clock_gettime(CLOCK_MONOTONIC, &after);
    restore_stderr(kept);
    assert_in_range(after.tv_sec - before.tv_sec, 1, 6);
    unsigned read_lines = count_lines(pipe_end);
    close(pipe_end);
    assert_true(read_lines > 0);
    // Every line is read or counted; one may be cut.
    assert_in_range(read_lines + (log_dropped() - lost), LINES + 4 - 1, LINES + 4 + 1);
}

static void what_is_read_is_whole(void **state)
{
    (void)state;
    int pipe_end;
    uint64_t lost = log_dropped();
    int kept = swap_stderr(&pipe_end);
    fcntl(STDERR_FILENO, F_SETPIPE_SZ, 1048576);
    assert_int_equal(logger_start(), TWOLEG_NONE);
    say(&pipe_end);
    logger_stop();
    restore_stderr(kept);
    assert_int_equal(count_lines(pipe_end), LINES);
    close(pipe_end);
    assert_int_equal(log_dropped(), lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_whole),
        cmocka_unit_test(M4_a_reader_that_reads_nothing_holds_up_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
