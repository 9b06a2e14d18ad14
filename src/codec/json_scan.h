// SPDX-License-Identifier: Apache-2.0
// The grammar of JSON below json_read.h: a cursor that takes one value after the other.
#pragma once
#include "base/arena.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 16
#define JSON_MEMBERS_MAX 64
#define JSON_NUMBER_MAX 64 // bytes of one number

struct json_limits {
    size_t bytes;     // of the whole text
    unsigned depth;   // nested arrays and objects, the top one being 1; at most JSON_DEPTH_MAX
    unsigned members; // per object; at most JSON_MEMBERS_MAX
};

// The names are long because jansson owns enum json_type and JSON_STRING.
enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_INTEGER, // written without fraction and exponent, not "-0", and in int64
    JSON_KIND_NUMBER,  // any other number; only its text is given
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT,
};

struct json_value {
    enum json_kind kind;
    bool boolean;
    int64_t integer;
    struct str text; // STRING: unescaped (may hold NUL); all others: as written
};

// A member's name as written between its quotes.
struct json_key {
    struct str raw;
    bool escaped; // there is a backslash in it
};

struct json_cursor {
    const char *at;
    const char *end;
    struct json_limits limits; // never above the two maxima
    unsigned depth;            // arrays and objects already open around the cursor
};

// limits NULL: 64 KiB (the largest body), depth 16, 64 members. An empty text is MALFORMED.
enum twoleg_error json_cursor_init(struct json_cursor *c, struct str text,
                                   const struct json_limits *limits);

void json_cursor_blank(struct json_cursor *c);
// Takes the byte if it is the next one.
bool json_cursor_take(struct json_cursor *c, char byte);

// Takes one value of any kind. With an arena a string is unescaped, without one it is given as
// written.
enum twoleg_error json_cursor_value(struct json_cursor *c, struct arena *arena,
                                    struct json_value *ret_value);

// Takes `"name" :` and adds the name to the keys of its object; LIMIT when there are too many.
enum twoleg_error json_cursor_key(struct json_cursor *c, struct json_key *keys, unsigned *count);

// The text between a string's quotes; TWOLEG_NO_MEMORY only.
enum twoleg_error json_unescape(struct str raw, bool escaped, struct arena *arena,
                                struct str *ret_text);

// Bytes at the start that need no look by a reader or writer: ASCII without controls, `"`, `\`.
size_t json_plain_run(const char *text, size_t len);
