// SPDX-License-Identifier: Apache-2.0
// Log lines: key=value text, one line each, escaped. Threads format into a ring of their own; one
// thread writes the rings out in batches. A full ring drops the line and counts it: logging never
// waits. Only endpoint/, daemon/ and cli/ log; what lies below returns errors.
#pragma once
#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

#define LOG_LINE_MAX 1024

// A line under construction, on the caller's stack.
struct log_line {
    char text[LOG_LINE_MAX];
    size_t len;
    enum log_level level;
};

void log_begin(struct log_line *line, enum log_level level, int64_t now_us, const char *event);
void log_str(struct log_line *line, const char *key, struct str value); // quoted and escaped
void log_u64(struct log_line *line, const char *key, uint64_t value);
void log_word(struct log_line *line, const char *key, const char *value); // our own text, as it is
void log_end(struct log_line *line); // hands the finished line to the sink

// A cause that comes again and again: LOG_SAMPLE lines of it a second, and how many like it were
// left out in the last busy second. Zeroed at first; of one thread.
#define LOG_SAMPLE 10
struct log_sample {
    int64_t second;
    uint64_t seen;
};
bool log_sample(struct log_sample *sample, int64_t now_us, uint64_t *ret_left_out);

// Where finished lines go; called on the thread that logs. Before a sink is set lines go to
// standard error at once. NULL sets that back.
typedef void log_sink(void *context, enum log_level level, struct str line);
void log_set_sink(log_sink *sink, void *context);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

// The ring: one producer thread, one consumer thread, no lock.
struct log_ring;
struct log_ring *log_ring_create(size_t size); // bytes, a power of two; NULL without memory
void log_ring_destroy(struct log_ring *ring);
bool log_ring_put(struct log_ring *ring, struct str line); // false: full, and counted
// The bytes that can be written out now, in one piece; then release as many as were written.
struct str log_ring_peek(struct log_ring *ring);
void log_ring_release(struct log_ring *ring, size_t len);
// Lines that found a full ring, of all rings since the start, and those noted as lost otherwise.
uint64_t log_dropped(void);
void log_note_dropped(uint64_t lines);
