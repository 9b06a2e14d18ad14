// SPDX-License-Identifier: Apache-2.0
#include "daemon/logger.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/epoch.h"

#define LOGGER_RING_SIZE ((size_t)256 * 1024) // touched only as far as it fills
#define LOGGER_BATCH_NS (20 * 1000 * 1000)    // lines of a busy server go out this often
#define LOGGER_LOOK_MS 100                    // how soon a stop is noticed by one who waits
#define LOGGER_PATIENCE_US SECOND_US          // for a reader that reads no more, where it matters

static struct {
    pthread_t thread;
    pthread_mutex_t lock; // of standard error: a whole line of a ring may need two writes
    bool running;
    int wake;            // eventfd; written only while the thread is asleep
    atomic_bool asleep;
    atomic_bool stopping;
    _Atomic int64_t until_us; // monotonic: when the thread gives up writing; 0 = never
    atomic_uint ring_count;
    struct log_ring *_Atomic rings[EPOCH_READERS];
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct log_ring *logger_ring;

static void logger_drop(struct str text)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    log_note_dropped(lines);
}

// False: the reader takes nothing any more, and it is time to give up. until_us 0: as long as the
// server runs.
static bool logger_ready(int64_t until_us)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    for (;;) {
        int64_t end_us = until_us ? until_us : atomic_load(&logger.until_us);
        bool late = end_us && env_mono() >= end_us;
        int ready = poll(&out, 1, late ? 0 : LOGGER_LOOK_MS);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true;
        if (late)
            return false;
    }
}

// A pipe that can be written to at all takes PIPE_BUF bytes: a write of these never waits.
static void logger_write(struct str text, int64_t until_us)
{
    while (text.len) {
        if (!logger_ready(until_us))
            break;
        ssize_t done =
            write(STDERR_FILENO, text.ptr, text.len < PIPE_BUF ? text.len : PIPE_BUF);
        if (done < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (done <= 0)
            break; // the reader is gone or the disk is full: the lines are lost, not the server
        text = str_slice(text, (size_t)done, text.len);
    }
    logger_drop(text);
}

// All that was there at the first look. What stands in the ring beyond its end comes in a second
// piece, and a line may be split between the two: nobody else writes meanwhile.
static bool logger_drain_ring(struct log_ring *ring)
{
    struct str text = log_ring_peek(ring);
    if (text.len == 0)
        return false;
    bool whole = false;
    pthread_mutex_lock(&logger.lock);
    while (text.len && !whole) {
        whole = text.ptr[text.len - 1] == '\n';
        logger_write(text, 0);
        log_ring_release(ring, text.len);
        text = log_ring_peek(ring);
    }
    pthread_mutex_unlock(&logger.lock);
    return true;
}

// For a thread without a ring, which has other work too.
static void logger_write_now(struct str line)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    int64_t until_us = env_mono() + LOGGER_PATIENCE_US;
    int held = pthread_mutex_trylock(&logger.lock);
    while (held != 0 && env_mono() < until_us) {
        nanosleep(&pause, NULL);
        held = pthread_mutex_trylock(&logger.lock);
    }
    if (held != 0) {
        logger_drop(line);
        return;
    }
    logger_write(line, until_us);
    pthread_mutex_unlock(&logger.lock);
}

static bool logger_drain(void)
{
    bool any = false;
    unsigned count = atomic_load(&logger.ring_count);
    for (unsigned i = 0; i < count && i < EPOCH_READERS; i++) {
        struct log_ring *ring = atomic_load(&logger.rings[i]);
        any = (ring && logger_drain_ring(ring)) || any;
    }
    return any;
}

static void logger_sleep(void)
{
    uint64_t woken;
    atomic_store(&logger.asleep, true);
    // A line that came between the last look and the flag would wake nobody: look once more.
    if (logger_drain() || atomic_load(&logger.stopping)) {
        atomic_store(&logger.asleep, false);
        return;
    }
    if (read(logger.wake, &woken, sizeof woken) < 0 && errno != EINTR)
        atomic_store(&logger.stopping, true);
    atomic_store(&logger.asleep, false);
}

static void *logger_main(void *context)
{
    const struct timespec batch = {.tv_nsec = LOGGER_BATCH_NS};
    (void)context;
    while (!atomic_load(&logger.stopping)) {
        if (logger_drain())
            nanosleep(&batch, NULL);
        else
            logger_sleep();
    }
    while (logger_drain())
        ;
    return NULL;
}

static void logger_wake(void)
{
    uint64_t one = 1;
    if (atomic_exchange(&logger.asleep, false) && write(logger.wake, &one, sizeof one) < 0)
        return; // the counter is full: it is awake
}

static void logger_sink(void *context, enum log_level level, struct str line)
{
    (void)context;
    (void)level;
    if (!logger_ring)
        logger_write_now(line);
    else if (log_ring_put(logger_ring, line))
        logger_wake();
}

// What is said after the end of the thread must not wait for ever either.
static void logger_sink_late(void *context, enum log_level level, struct str line)
{
    (void)context;
    (void)level;
    logger_write_now(line);
}

enum twoleg_error logger_start(void)
{
    atomic_store(&logger.until_us, 0);
    atomic_store(&logger.stopping, false);
    logger.wake = eventfd(0, EFD_CLOEXEC);
    if (logger.wake < 0)
        return TWOLEG_INTERNAL;
    if (pthread_create(&logger.thread, NULL, logger_main, NULL) != 0) {
        close(logger.wake);
        return TWOLEG_NO_MEMORY;
    }
    logger.running = true;
    log_set_sink(logger_sink, NULL);
    return TWOLEG_NONE;
}

enum twoleg_error logger_join(void)
{
    struct log_ring *ring = log_ring_create(LOGGER_RING_SIZE);
    if (!ring)
        return TWOLEG_NO_MEMORY;
    unsigned at = atomic_fetch_add(&logger.ring_count, 1);
    if (at >= EPOCH_READERS) {
        log_ring_destroy(ring);
        return TWOLEG_LIMIT;
    }
    atomic_store(&logger.rings[at], ring);
    logger_ring = ring;
    return TWOLEG_NONE;
}

void logger_stop(void)
{
    if (!logger.running)
        return;
    atomic_store(&logger.until_us, env_mono() + LOGGER_PATIENCE_US);
    atomic_store(&logger.stopping, true);
    atomic_store(&logger.asleep, true);
    logger_wake();
    pthread_join(logger.thread, NULL);
    atomic_store(&logger.asleep, false);
    log_set_sink(logger_sink_late, NULL);
    unsigned count = atomic_exchange(&logger.ring_count, 0);
    for (unsigned i = 0; i < count && i < EPOCH_READERS; i++)
        log_ring_destroy(atomic_exchange(&logger.rings[i], NULL));
    close(logger.wake);
    logger.running = false;
}
