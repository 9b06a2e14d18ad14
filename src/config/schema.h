// SPDX-License-Identifier: Apache-2.0
// A schema is a table: one row for each key of a mapping. The walker (config/walk.h) reads a YAML
// text by it into a plain struct; messages, defaults and manual texts are made from the same rows.
#pragma once
#include "base/error.h"
#include "codec/address.h"
#include "config/report.h"

enum schema_type {
    SCHEMA_BOOL,     // bool
    SCHEMA_INTEGER,  // int64_t
    SCHEMA_DURATION, // int64_t, microseconds; TIME_NEVER
    SCHEMA_RATE,     // struct rate
    SCHEMA_TEXT,     // struct str, with a NUL behind it
    SCHEMA_URL,      // struct str: http or https, without user, query and fragment
    SCHEMA_PATH,     // struct str; a relative one starts at the folder of the file
    SCHEMA_WORD,     // unsigned: the index in shape->words
    SCHEMA_ENDPOINT, // struct schema_endpoint: ADDR:PORT or unix:PATH
    SCHEMA_CIDR,     // struct cidr
    SCHEMA_LIST,     // struct schema_list, items as shape->item says
    SCHEMA_WORDS,    // unsigned: one bit for each word of the list
    SCHEMA_OBJECT,   // a struct that starts with its struct config_mark; members as shape->rows
    SCHEMA_TYPES
};

struct schema_list {
    void *items;
    size_t count;
};

// Where a socket is bound.
struct schema_endpoint {
    struct str text; // as it was written: 127.0.0.1:8080, [::1]:8080, unix:/run/twoleg.sock
    struct address address; // ADDRESS_LOCAL for a Unix socket
    struct str path;        // of a Unix socket
};

struct schema_row;

// What a type needs to know beyond its range.
struct schema_shape {
    const char *const *words;      // WORD, WORDS: up to 31, NULL at the end
    const char *characters;        // TEXT: the only ones allowed; NULL: all but control characters
    const char *characters_text;   // TEXT: the same for people, or what else it is made of
    const char *characters_fault;  // TEXT: what another character shows; NULL: no more than that
    bool never;                    // DURATION: the word `never` is allowed
    const struct schema_row *rows; // OBJECT
    size_t row_count;              // at most SCHEMA_ROWS_MAX
    const char *shorthand;         // OBJECT: the member that a plain value fills, if any
    const struct schema_row *item; // LIST: type and range of each item; its name is not used
    size_t item_size;
};

#define SCHEMA_ROWS_MAX 64

struct schema_row {
    const char *name;
    enum schema_type type;
    size_t offset;        // of the value in the target struct
    size_t mark;          // of a struct config_mark there that gets the key's place; 0: none does
    const char *min;      // as one would write the value; TEXT, PATH, URL: bytes; LIST: items
    const char *max;      // NULL: no limit
    const char *fallback; // the default as one would write it, a list's only item; NULL: none
    const char *unit;     // of a plain number, NULL: none
    bool required;
    bool reloadable; // takes effect at a reload; others need a restart
    const struct schema_shape *shape;
    const char *example; // where there is no default: what may follow `name:`; NULL: nothing
    const char *manual;  // whole sentences
};

// `duration, 1s to 10y, default 1h`: what is allowed, for messages and the manual.
void schema_row_describe(const struct schema_row *row, struct buf *out);

struct schema_context {
    struct arena *arena; // for texts
    struct str folder;   // relative paths start here; STR_NONE: they stay as they are
};

// Reads one scalar into *ret_value, whose type is that of the row. On failure the problem is a
// static text such as `is not a duration`. MALFORMED, RANGE, UNKNOWN (a word), NO_MEMORY.
enum twoleg_error schema_scalar_read(const struct schema_context *context,
                                     const struct schema_row *row, struct str text, void *ret_value,
                                     const char **ret_problem) TWOLEG_MUST_CHECK;
// The value as YAML that reads back as the same.
void schema_scalar_write(const struct schema_row *row, const void *value, struct buf *out);

// The index of the word, or -1.
int schema_word_find(const struct schema_shape *shape, struct str word);

// The candidate nearest to the text, or NULL when none is near enough to be meant.
struct schema_names {
    const char *names[SCHEMA_ROWS_MAX];
    size_t count;
};
const char *schema_nearest(struct str text, const struct schema_names *candidates);

// For messages: in quotes, escaped, cut after 60 bytes.
void schema_quote(struct buf *out, struct str text);
