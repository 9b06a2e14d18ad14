// SPDX-License-Identifier: Apache-2.0
#include "daemon/logger.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/epoch.h"

#define LOGGER_RING_SIZE ((size_t)256 * 1024) // touched only as far as it fills
#define LOGGER_BATCH_NS (20 * 1000 * 1000)    // lines of a busy server go out this often

static struct {
    pthread_t thread;
    pthread_mutex_t lock; // of standard error: a ring may need two writes for a whole line
    bool running;
    int wake;            // eventfd; written only while the thread is asleep
    atomic_bool asleep;
    atomic_bool stopping;
    atomic_uint ring_count;
    struct log_ring *_Atomic rings[EPOCH_READERS];
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct log_ring *logger_ring;

static void logger_write(struct str text)
{
    while (text.len) {
        ssize_t done = write(STDERR_FILENO, text.ptr, text.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; // the reader is gone or the disk is full: the lines are lost, not the server
        text = str_slice(text, (size_t)done, text.len);
    }
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
        logger_write(text);
        log_ring_release(ring, text.len);
        text = log_ring_peek(ring);
    }
    pthread_mutex_unlock(&logger.lock);
    return true;
}

static void logger_write_now(struct str line)
{
    pthread_mutex_lock(&logger.lock);
    logger_write(line);
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

enum twoleg_error logger_start(void)
{
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
    atomic_store(&logger.stopping, true);
    atomic_store(&logger.asleep, true);
    logger_wake();
    pthread_join(logger.thread, NULL);
    atomic_store(&logger.asleep, false);
    log_set_sink(NULL, NULL);
    unsigned count = atomic_exchange(&logger.ring_count, 0);
    for (unsigned i = 0; i < count && i < EPOCH_READERS; i++)
        log_ring_destroy(atomic_exchange(&logger.rings[i], NULL));
    close(logger.wake);
    logger.running = false;
}
