// SPDX-License-Identifier: Apache-2.0
// A strict, bounded reader of JSON (RFC 8259) for token headers and claims, without recursion and
// without a tree. Refused at every level: malformed UTF-8, lone surrogates, a byte order mark,
// bytes behind the value, a key given twice in one object (also when spelled with escapes), and
// whatever exceeds the limits. Memory is taken from the arena only for a string with escapes.
#pragma once
#include "base/arena.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 16
#define JSON_MEMBERS_MAX 64
#define JSON_NUMBER_MAX 64 // bytes of one number

struct json_limits {
    size_t bytes;     // of the whole text
    unsigned depth;   // of nesting, the top value being 1; at most JSON_DEPTH_MAX
    unsigned members; // per object; at most JSON_MEMBERS_MAX
};

// 64 KiB (the largest body), depth 16, 64 members.
extern const struct json_limits json_limits_default;

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

// Members of one object, in order:
//     json_reader_init(&r, text, arena, NULL);
//     while (json_next_member(&r, &key, &value)) ...
//     error = json_reader_error(&r);
// Nothing read counts before json_reader_error() has said TWOLEG_NONE: only then has the whole text
// been seen and found good. Views point into the text or the arena.
struct json_reader {
    struct str text;
    size_t at;
    struct arena *arena;
    struct json_limits limits;
    unsigned count;
    bool ended;
    enum twoleg_error error;
    struct str keys[JSON_MEMBERS_MAX]; // as written, against duplicates; the first `count` are set
};

// limits NULL: json_limits_default. The text must be an object.
void json_reader_init(struct json_reader *r, struct str text, struct arena *arena,
                      const struct json_limits *limits);
bool json_next_member(struct json_reader *r, struct str *ret_key, struct json_value *ret_value);
// MALFORMED, DUPLICATE, TOO_LONG (text or number), LIMIT (depth or members), NO_MEMORY.
// MALFORMED also when members were left unread.
enum twoleg_error json_reader_error(const struct json_reader *r);

// Elements of an array that a reader gave (value.text, already checked): start with *rest = text;
// false when there is none left or on an error, then *rest is STR_NONE after the regular end only.
bool json_array_next(struct str *rest, struct arena *arena, struct json_value *ret_value);

// Is the text one value within the limits, no key twice in any object? Run before jansson.
TWOLEG_MUST_CHECK
enum twoleg_error json_check(struct str text, const struct json_limits *limits);
