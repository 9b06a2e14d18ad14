// SPDX-License-Identifier: Apache-2.0
// Bodies of refusals: a text with {words} in braces, cut into pieces when it is loaded, so that an
// answer only copies. What stands for a word is never of the client's making.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum template_word {
    TEMPLATE_LITERAL,
    TEMPLATE_CODE,       // the row's code
    TEMPLATE_MESSAGE,    // the row's message, else the error's own text
    TEMPLATE_NUMBER,     // the row's number
    TEMPLATE_STATUS,     // HTTP's
    TEMPLATE_REQUEST_ID, // X-Request-Id
    TEMPLATE_TIME,       // UTC, 2026-11-21T10:00:00Z
};

struct template_piece {
    enum template_word word;
    struct str literal;
};

struct dialect_template {
    const struct template_piece *pieces;
    size_t count; // 0: an empty body
};

struct template_values {
    struct str code, message, request_id;
    int64_t number;
    unsigned status;
    int64_t now_us;
};

// Cuts the text, which outlives the template. With json it must be one JSON value whatever the
// words stand for: a word inside a string is escaped there, elsewhere only numbers may stand.
// MALFORMED: *ret_problem is words for a person, static or in the arena. NO_MEMORY.
enum twoleg_error template_compile(struct str text, bool json, struct arena *arena,
                                   struct dialect_template *ret_template,
                                   const char **ret_problem) TWOLEG_MUST_CHECK;
// One with the words of a row that uses it: MALFORMED when that is not one JSON value. NO_MEMORY.
enum twoleg_error template_try(const struct dialect_template *template,
                               const struct template_values *values) TWOLEG_MUST_CHECK;
void template_write(const struct dialect_template *template, const struct template_values *values,
                    bool json, struct buf *out);
bool template_has(const struct dialect_template *template, enum template_word word);
