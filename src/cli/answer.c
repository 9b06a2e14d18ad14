// SPDX-License-Identifier: Apache-2.0
#include "cli/answer.h"

static bool answer_length(struct str line, uint64_t *ret_length)
{
    struct str name = str_slice(line, 0, str_find(line, ':'));
    if (!str_equal_nocase(name, STR("Content-Length")))
        return false;
    return str_to_u64(str_trim(str_slice(line, name.len + 1, line.len), " \t"), ret_length);
}

bool cli_answer_read(struct str text, struct cli_answer *ret_answer)
{
    struct str line;
    uint64_t status = 0;
    uint64_t length = UINT64_MAX;
    bool ended = false;
    if (!str_split(&text, '\n', &line) || !str_starts_with(line, STR("HTTP/1.1 ")) ||
        !str_to_u64(str_slice(line, 9, 12), &status))
        return false;
    // Only what ends with LF is a line: an answer may be cut where the blank one would come.
    while (!ended && str_find(text, '\n') < text.len && str_split(&text, '\n', &line)) {
        uint64_t found;
        if (answer_length(str_trim(line, "\r"), &found))
            length = found;
        ended = str_trim(line, "\r").len == 0;
    }
    if (!ended || status < 200 || status > 599 || length != text.len)
        return false;
    *ret_answer = (struct cli_answer){.status = (unsigned)status, .body = text};
    return true;
}
