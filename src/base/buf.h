// SPDX-License-Identifier: Apache-2.0
// Output text with a sticky error: write on, ask once at the end.
#pragma once
#include "base/str.h"

struct arena;

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    struct arena *arena; // grows here when set; otherwise the memory is the caller's and fixed
    bool failed;         // something did not fit: the content is not to be used
};

void buf_init(struct buf *buf, void *memory, size_t cap);
// Grows by doubling inside the arena; the result lives as long as the arena's content.
void buf_init_arena(struct buf *buf, struct arena *arena, size_t first);

void buf_add(struct buf *buf, struct str text);
void buf_add_char(struct buf *buf, char c);
void buf_add_u64(struct buf *buf, uint64_t value);
void buf_add_i64(struct buf *buf, int64_t value);
void buf_add_word(struct buf *buf, struct str word); // behind a blank, unless it is the first text
void buf_add_hex(struct buf *buf, const void *bytes, size_t len); // lower case
// Fixed width in network byte order.
void buf_add_be(struct buf *buf, uint64_t value, unsigned bytes);
// For logs and the CLI, never on a request's path.
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Room for len bytes to be written by the caller, or NULL (and the error sticks). The length
// already counts them.
char *buf_reserve(struct buf *buf, size_t len);

struct str buf_str(const struct buf *buf); // STR_NONE after an error
