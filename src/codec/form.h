// SPDX-License-Identifier: Apache-2.0
// application/x-www-form-urlencoded (RFC 6749 appendix B), for bodies and queries. Only & separates
// pairs; ; is data (threat row 62). Empty parts ("a=1&&b=2") are skipped, a pair without = has an
// empty value. Duplicates are the caller's to see.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define FORM_PAIRS_MAX 64

struct form_reader {
    struct str rest;
    struct arena *arena;
    unsigned left; // pairs that may still come
    enum twoleg_error error;
};

void form_reader_init(struct form_reader *r, struct str text, struct arena *arena,
                      unsigned max_pairs);
// Names and values are decoded once; they point into the text, or into the arena where something
// had to be decoded. False at the end and on an error: ask form_reader_error().
bool form_next(struct form_reader *r, struct str *ret_name, struct str *ret_value);
// PARAMETER_MALFORMED (a bad %, NUL), PARAMETER_COUNT (more than max_pairs), NO_MEMORY.
enum twoleg_error form_reader_error(const struct form_reader *r);

void form_encode(struct buf *out, struct str text);
// name=value, with & before it when the buffer is not empty.
void form_encode_pair(struct buf *out, struct str name, struct str value);
