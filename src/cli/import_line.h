// SPDX-License-Identifier: Apache-2.0
// What a line of a file to import says: JSON lines or CSV, which the first line decides.
#pragma once
#include <jansson.h>

#include "base/str.h"

#define IMPORT_LINE_MAX ((size_t)32 * 1024) // bytes of a line
#define IMPORT_COLUMNS_MAX 16

enum import_form { IMPORT_FORM_UNKNOWN, IMPORT_FORM_JSON, IMPORT_FORM_CSV };

struct import_lines { // zeroed before the first line
    enum import_form form;
    bool bad; // no line can be read: the first one is not what it must be
    unsigned char columns[IMPORT_COLUMNS_MAX]; // CSV: which fact each of them is
    size_t column_count;
    // Why a line is bad. Repeats no value, but where values stand in place of CSV's header: of the
    // first that is no fact's name up to 8 bytes and no more than half, or 24 when it is like one.
    char problem[256];
    char room[IMPORT_LINE_MAX];
};

enum import_line {
    IMPORT_LINE_NONE, // blank, or the header of CSV
    IMPORT_LINE_FACTS,
    IMPORT_LINE_BAD,
};

// The line has no line end. On IMPORT_LINE_FACTS *ret_body is an object as the admin API takes it,
// the caller's; it has a client_id.
enum import_line import_line_read(struct import_lines *lines, struct str line, json_t **ret_body);
