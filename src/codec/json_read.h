// SPDX-License-Identifier: Apache-2.0
// A strict, bounded reader of JSON (RFC 8259) for token headers and claims, without recursion and
// without a tree. Refused at every level: malformed UTF-8, lone surrogates, a byte order mark,
// bytes behind the value, a key given twice in one object (also when spelled with escapes), and
// whatever exceeds the limits. Memory is taken from the arena only for a string with escapes.
#pragma once
#include "codec/json_scan.h"

// Members of one object, in order:
//     json_reader_init(&r, text, arena, NULL);
//     while (json_next_member(&r, &key, &value)) ...
//     error = json_reader_error(&r);
// Nothing read counts before json_reader_error() has said TWOLEG_NONE: only then has the whole text
// been seen and found good. Views point into the text or the arena.
struct json_reader {
    struct json_cursor cursor;
    struct arena *arena;
    bool ended;
    enum twoleg_error error;
    unsigned count;
    struct json_key keys[JSON_MEMBERS_MAX]; // against duplicates; the first `count` are set
};

// limits NULL: 64 KiB, depth 16, 64 members. The text must be an object.
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
