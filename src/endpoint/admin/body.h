// SPDX-License-Identifier: Apache-2.0
// Bodies of the admin API: one flat JSON object, read by a table into a plain struct.
#pragma once
#include "endpoint/admin/call.h"

enum admin_field_kind {
    ADMIN_TEXT,  // struct str; ptr NULL: not given
    ADMIN_BOOL,  // struct admin_bool
    ADMIN_TEXTS, // struct manage_texts; items NULL: not given
    ADMIN_LIFE,  // struct admin_life: seconds, a text such as "1h", or null for never
};

struct admin_bool {
    bool given, value;
};

struct admin_life {
    bool given;
    int64_t us; // TIME_NEVER
};

#define ADMIN_TEXTS_MAX 64

struct admin_field {
    const char *name;
    enum admin_field_kind kind;
    size_t offset;
};

// The target must be zeroed. An empty body stands for an empty object. MEDIA_TYPE; UNKNOWN for a
// field that is not in the table; DUPLICATE, MALFORMED, LIMIT, TOO_LONG.
enum twoleg_error admin_body(struct admin_call *call, const struct admin_field *fields,
                             size_t count, void *target) TWOLEG_MUST_CHECK;
