// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static log_sink *log_to;
static void *log_context;
static _Atomic uint64_t log_lost;
static atomic_int log_least = LOG_INFO;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_set_sink(log_sink *sink, void *context)
{
    log_context = context;
    log_to = sink;
}

void log_set_level(enum log_level level)
{
    atomic_store(&log_least, (int)level);
}

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_least, memory_order_relaxed);
}

bool log_sample(struct log_sample *sample, int64_t now_us, uint64_t *ret_left_out)
{
    int64_t second = now_us / 1000000;
    uint64_t left_out = 0;
    if (sample->second != second) {
        left_out = sample->seen > LOG_SAMPLE ? sample->seen - LOG_SAMPLE : 0;
        sample->second = second;
        sample->seen = 0;
    }
    *ret_left_out = left_out;
    return sample->seen++ < LOG_SAMPLE;
}

// One byte is kept for the newline.
static void log_put(struct log_line *line, const char *bytes, size_t len)
{
    size_t room = sizeof line->text - 1 - line->len;
    len = len > room ? room : len;
    if (len == 0)
        return; // bytes may be NULL
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void log_key(struct log_line *line, const char *key)
{
    log_put(line, " ", 1);
    log_put(line, key, strlen(key));
    log_put(line, "=", 1);
}

// "2026-01-31T23:59:59", made once for all lines of a second.
static struct str log_second(int64_t now_us)
{
    static _Thread_local struct {
        int64_t second;
        size_t len;
        char text[40];
    } last = {.second = INT64_MIN};
    int64_t second = now_us / 1000000;
    if (last.second != second) {
        time_t seconds = (time_t)second;
        struct tm parts;
        gmtime_r(&seconds, &parts);
        last.len = strftime(last.text, sizeof last.text, "%Y-%m-%dT%H:%M:%S", &parts);
        last.second = second;
    }
    return str_of(last.text, last.len);
}

void log_begin(struct log_line *line, enum log_level level, int64_t now_us, const char *event)
{
    char micros[] = ".000000Z ";
    struct str second = log_second(now_us);
    int64_t left = now_us % 1000000;
    for (size_t i = 6; i > 0; i--, left /= 10)
        micros[i] = (char)('0' + left % 10);
    line->len = 0;
    line->level = level;
    log_put(line, second.ptr, second.len);
    log_put(line, micros, sizeof micros - 1);
    log_put(line, level_names[level], strlen(level_names[level]));
    log_word(line, "event", event);
}

void log_word(struct log_line *line, const char *key, const char *value)
{
    log_key(line, key);
    log_put(line, value, strlen(value));
}

void log_u64(struct log_line *line, const char *key, uint64_t value)
{
    char digits[20];
    size_t from = sizeof digits;
    do
        digits[--from] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    log_key(line, key);
    log_put(line, digits + from, sizeof digits - from);
}

// A value from outside is cut so that no one field can push the others off the line.
#define LOG_VALUE_MAX 256

// How many bytes at the front stand for themselves: usually all.
static size_t log_plain(struct str value)
{
    size_t i = 0;
    while (i < value.len && value.ptr[i] >= 0x20 && value.ptr[i] < 0x7f && value.ptr[i] != '"' &&
           value.ptr[i] != '\\')
        i++;
    return i;
}

void log_str(struct log_line *line, const char *key, struct str value)
{
    static const char digits[] = "0123456789abcdef";
    struct str rest = str_slice(value, 0, LOG_VALUE_MAX);
    log_key(line, key);
    log_put(line, "\"", 1);
    for (;;) {
        size_t plain = log_plain(rest);
        log_put(line, rest.ptr, plain);
        if (plain == rest.len)
            break;
        uint8_t c = (uint8_t)rest.ptr[plain];
        char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        log_put(line, hex, sizeof hex);
        rest = str_slice(rest, plain + 1, rest.len);
    }
    log_put(line, value.len > LOG_VALUE_MAX ? "...\"" : "\"", value.len > LOG_VALUE_MAX ? 4 : 1);
}

void log_end(struct log_line *line)
{
    if (!log_wants(line->level))
        return;
    line->text[line->len] = '\n';
    struct str whole = str_of(line->text, line->len + 1);
    if (log_to)
        log_to(log_context, line->level, whole);
    else if (write(STDERR_FILENO, whole.ptr, whole.len) < 0)
        return; // nobody is left to be told
}

struct log_ring {
    size_t size;
    _Alignas(64) _Atomic size_t head; // written by the producer
    _Alignas(64) _Atomic size_t tail; // written by the consumer
    char bytes[];
};

struct log_ring *log_ring_create(size_t size)
{
    size_t room = sizeof(struct log_ring) + size;
    struct log_ring *ring = aligned_alloc(64, (room + 63) & ~(size_t)63);
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->size = size;
    return ring;
}

void log_ring_destroy(struct log_ring *ring)
{
    free(ring);
}

bool log_ring_put(struct log_ring *ring, struct str line)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (line.len > ring->size - (head - tail)) {
        atomic_fetch_add_explicit(&log_lost, 1, memory_order_relaxed);
        return false;
    }
    size_t at = head & (ring->size - 1);
    size_t first = line.len < ring->size - at ? line.len : ring->size - at;
    memcpy(ring->bytes + at, line.ptr, first);
    memcpy(ring->bytes, line.ptr + first, line.len - first);
    atomic_store_explicit(&ring->head, head + line.len, memory_order_release);
    return true;
}

struct str log_ring_peek(struct log_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    size_t at = tail & (ring->size - 1);
    size_t len = head - tail;
    return str_of(ring->bytes + at, len < ring->size - at ? len : ring->size - at);
}

void log_ring_release(struct log_ring *ring, size_t len)
{
    atomic_fetch_add_explicit(&ring->tail, len, memory_order_release);
}

void log_note_dropped(uint64_t lines)
{
    atomic_fetch_add_explicit(&log_lost, lines, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&log_lost, memory_order_relaxed);
}
