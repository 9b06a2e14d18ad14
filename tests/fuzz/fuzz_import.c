// SPDX-License-Identifier: Apache-2.0
// A file to import, line by line: a line is nothing, bad in words that fit, or facts with an ID
// that can be sent as JSON. What the facts say written as JSON lines says the same again.
#include <string.h>

#include "cli/import_line.h"
#include "codec/utf8.h"
#include "fuzz.h"

static void fuzz_again(const json_t *body)
{
    static struct import_lines again;
    json_t *same = NULL;
    char *text = json_dumps(body, JSON_COMPACT);
    FUZZ_MUST(text && utf8_valid(str_from(text)));
    again = (struct import_lines){.form = IMPORT_FORM_JSON};
    enum import_line result = import_line_read(&again, str_from(text), &same);
    // Escapes may make it longer than a line can be.
    FUZZ_MUST(result == IMPORT_LINE_FACTS || strlen(text) > IMPORT_LINE_MAX);
    FUZZ_MUST(result != IMPORT_LINE_FACTS || json_equal(body, same));
    json_decref(same);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct import_lines lines;
    struct str rest = str_of(data, size);
    lines = (struct import_lines){.form = IMPORT_FORM_UNKNOWN};
    while (rest.len && !lines.bad) {
        json_t *body = NULL;
        size_t end = str_find(rest, '\n');
        struct str line = str_slice(rest, 0, end);
        rest = str_slice(rest, end + 1, rest.len);
        lines.problem[0] = '\0';
        enum import_line result = import_line_read(&lines, line, &body);
        FUZZ_MUST((result == IMPORT_LINE_FACTS) == (body != NULL));
        FUZZ_MUST((result == IMPORT_LINE_BAD) == (lines.problem[0] != '\0'));
        FUZZ_MUST(strlen(lines.problem) < sizeof lines.problem - 1);
        FUZZ_MUST(utf8_valid(str_from(lines.problem)));
        FUZZ_MUST(lines.column_count <= IMPORT_COLUMNS_MAX);
        if (!body)
            continue;
        FUZZ_MUST(json_string_length(json_object_get(body, "client_id")) > 0);
        FUZZ_MUST(!json_object_get(body, "dry_run") && !json_object_get(body, "update"));
        fuzz_again(body);
        json_decref(body);
    }
    return 0;
}
