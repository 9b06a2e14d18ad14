// SPDX-License-Identifier: Apache-2.0
// Writes JSON (RFC 8259) straight into a buffer, without a tree. Errors stick to the buffer: a
// nesting deeper than JSON_WRITE_DEPTH or an end without its begin makes it fail, as does a full
// buffer. The caller writes one top value and keeps the order key, value; commas are ours.
// jansson owns the symbol json_null, so the null writer is json_nil.
#pragma once
#include "base/buf.h"

#define JSON_WRITE_DEPTH 16

struct json_writer {
    struct buf *out; // not owned
    unsigned depth;
    bool comma; // something stands before the next value or key
};

void json_writer_init(struct json_writer *w, struct buf *out);

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);

void json_key(struct json_writer *w, struct str key);
// A byte that is not UTF-8 leaves as U+FFFD, so that the output is valid whatever comes in.
void json_str(struct json_writer *w, struct str text);
void json_u64(struct json_writer *w, uint64_t value);
void json_i64(struct json_writer *w, int64_t value);
void json_bool(struct json_writer *w, bool value);
void json_nil(struct json_writer *w);
// What stands between a string's quotes, without them and without a comma.
void json_escape(struct buf *out, struct str text);
// Text that is one JSON value already; copied as it is.
void json_raw(struct json_writer *w, struct str value);

// A key and its value at once.
void json_key_str(struct json_writer *w, struct str key, struct str text);
void json_key_u64(struct json_writer *w, struct str key, uint64_t value);
void json_key_i64(struct json_writer *w, struct str key, int64_t value);
void json_key_bool(struct json_writer *w, struct str key, bool value);
void json_key_nil(struct json_writer *w, struct str key);
void json_key_raw(struct json_writer *w, struct str key, struct str value);
