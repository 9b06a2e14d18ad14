// SPDX-License-Identifier: Apache-2.0
// The log's thread (design 3.3): lines of many threads arrive whole and in the order of each
// thread; a full ring drops lines, counts them, and holds nobody up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "daemon/logger.h"

#define TALKERS 4
#define TALKER_LINES 20000 // several times the ring of each
#define TALKER_FILLING 300 // so that lines end at every place of the ring
#define NOW ((int64_t)1700000000 * 1000000)

struct talker {
    unsigned number;
    bool joins;     // with a ring; else its lines are written at once
    bool patient;   // waits for room, so that nothing is dropped
    unsigned lines;
    pthread_t thread;
};

static void talker_say(const struct talker *talker, unsigned number)
{
    static const char filling[TALKER_FILLING] = {[0 ... TALKER_FILLING - 1] = 'x'};
    struct log_line line;
    log_begin(&line, LOG_INFO, NOW, "talk");
    log_u64(&line, "talker", talker->number);
    log_u64(&line, "number", number);
    log_str(&line, "filling", str_of(filling, number * 7 % (TALKER_FILLING - 50)));
    log_word(&line, "end", "here");
    log_end(&line);
}

// Until the line stands in the file that standard error is.
static void talker_await(const struct talker *talker, unsigned number)
{
    enum { ROOM = 1 << 20 };
    char line[64];
    char *text = malloc(ROOM);
    assert_non_null(text);
    snprintf(line, sizeof line, " talker=%u number=%u ", talker->number, number);
    for (ssize_t got = 0; !memmem(text, (size_t)got, line, strlen(line)); usleep(2000)) {
        got = pread(STDERR_FILENO, text, ROOM, 0);
        assert_in_range(got, 0, ROOM - 1);
    }
    free(text);
}

static void *talker_main(void *context)
{
    const struct talker *talker = context;
    if (talker->joins)
        assert_int_equal(logger_join(), TWOLEG_NONE);
    for (unsigned i = 0; i < talker->lines; i++) {
        talker_say(talker, i);
        if (talker->patient && i % 100 == 99)
            talker_await(talker, i); // the ring takes 600 lines and more
    }
    return NULL;
}

// Standard error goes to fd until it is put back.
static int stderr_replace(int fd)
{
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    return kept;
}

static void stderr_put_back(int kept)
{
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
}

// Every line is whole, and the numbers of each talker ascend. Returns how many lines there are.
static size_t lines_check(FILE *file, const struct talker *talkers, size_t count)
{
    char line[LOG_LINE_MAX + 2];
    long long last[TALKERS] = {-1, -1, -1, -1};
    size_t lines = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned talker, number;
        const char *at = strstr(line, " event=talk talker=");
        assert_int_equal(strncmp(line, "2023-11-14T22:13:20.000000Z info", 32), 0);
        assert_ptr_equal(at, line + 32);
        assert_int_equal(sscanf(at, " event=talk talker=%u number=%u", &talker, &number), 2);
        assert_non_null(strstr(line, "\" end=here\n"));
        assert_true(talker < count && number < talkers[talker].lines);
        assert_true((long long)number > last[talker]);
        last[talker] = number;
        lines++;
    }
    return lines;
}

static size_t talkers_run(struct talker *talkers, size_t count)
{
    char path[] = "/tmp/twoleg-logger-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    int kept = stderr_replace(fd);
    enum twoleg_error error = logger_start();
    for (size_t i = 0; i < count; i++)
        pthread_create(&talkers[i].thread, NULL, talker_main, &talkers[i]);
    for (size_t i = 0; i < count; i++)
        pthread_join(talkers[i].thread, NULL);
    logger_stop();
    stderr_put_back(kept);
    assert_int_equal(error, TWOLEG_NONE);
    lseek(fd, 0, SEEK_SET);
    FILE *file = fdopen(fd, "r");
    size_t lines = lines_check(file, talkers, count);
    fclose(file);
    return lines;
}

static void design_3_3_lines_of_many_threads_arrive_whole_and_in_order(void **state)
{
    (void)state;
    struct talker talkers[TALKERS];
    for (unsigned i = 0; i < TALKERS; i++)
        talkers[i] = (struct talker){.number = i, .joins = i > 0, .lines = TALKER_LINES};
    uint64_t dropped = log_dropped();
    size_t lines = talkers_run(talkers, TALKERS);
    assert_int_equal(lines + (log_dropped() - dropped), TALKERS * TALKER_LINES);
    assert_true(lines >= TALKER_LINES); // those written at once are never dropped
}

static void design_3_3_nothing_is_dropped_while_there_is_room(void **state)
{
    (void)state;
    struct talker talkers[2];
    for (unsigned i = 0; i < 2; i++)
        talkers[i] = (struct talker){
            .number = i, .joins = true, .patient = true, .lines = TALKER_LINES / 10};
    uint64_t dropped = log_dropped();
    assert_int_equal(talkers_run(talkers, 2), 2 * TALKER_LINES / 10);
    assert_int_equal(log_dropped(), dropped);
}

static void *reader_main(void *context)
{
    FILE *file = fdopen(*(int *)context, "r");
    struct talker talker = {.number = 0, .lines = TALKER_LINES};
    size_t lines = lines_check(file, &talker, 1);
    fclose(file);
    return (void *)lines;
}

static void design_3_3_a_full_ring_drops_and_counts_and_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    pthread_t reader;
    void *lines;
    struct talker talker = {.number = 0, .joins = true, .lines = TALKER_LINES};
    uint64_t dropped = log_dropped();
    assert_int_equal(pipe(ends), 0);
    int kept = stderr_replace(ends[1]);
    close(ends[1]);
    enum twoleg_error error = logger_start();
    pthread_create(&talker.thread, NULL, talker_main, &talker);
    pthread_join(talker.thread, NULL); // ends, although nobody reads
    uint64_t lost = log_dropped() - dropped;
    pthread_create(&reader, NULL, reader_main, &ends[0]);
    logger_stop();
    stderr_put_back(kept); // the last writing end
    pthread_join(reader, &lines);
    assert_int_equal(error, TWOLEG_NONE);
    assert_true(lost > 0);
    assert_int_equal((size_t)lines + lost, TALKER_LINES);
}

// A pipe of 4 KiB as standard error; nobody reads from its other end before the server has ended.
static void F8_a_reader_that_reads_nothing_holds_up_no_end(void **state)
{
    (void)state;
    int ends[2];
    struct talker talkers[2] = {{.number = 0, .joins = true, .lines = 500},
                                {.number = 1, .lines = 2}};
    struct timespec before, after;
    uint64_t dropped = log_dropped();
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    int kept = stderr_replace(ends[1]);
    close(ends[1]);
    enum twoleg_error error = logger_start();
    for (size_t i = 0; i < 2; i++) {
        pthread_create(&talkers[i].thread, NULL, talker_main, &talkers[i]);
        pthread_join(talkers[i].thread, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &before);
    logger_stop();
    talker_say(&talkers[1], 3); // what is said after the end waits no longer either
    clock_gettime(CLOCK_MONOTONIC, &after);
    stderr_put_back(kept);
    assert_int_equal(error, TWOLEG_NONE);
    assert_in_range(after.tv_sec - before.tv_sec, 1, 60); // without an end it would be
    char text[8192];
    ssize_t got = read(ends[0], text, sizeof text);
    assert_true(got > 0);
    uint64_t lines = log_dropped() - dropped;
    for (ssize_t i = 0; i < got; i++)
        lines += text[i] == '\n';
    close(ends[0]);
    assert_in_range(lines, 502, 503); // each is read or counted; one may be cut
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(design_3_3_lines_of_many_threads_arrive_whole_and_in_order),
        cmocka_unit_test(design_3_3_nothing_is_dropped_while_there_is_room),
        cmocka_unit_test(design_3_3_a_full_ring_drops_and_counts_and_holds_nobody_up),
        cmocka_unit_test(F8_a_reader_that_reads_nothing_holds_up_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
