// SPDX-License-Identifier: Apache-2.0
// What the CLI takes for an answer of the server: the body is all that stands behind a blank line,
// one length says so, and an answer that is cut anywhere is none.
#include "base/arena.h"
#include "base/buf.h"
#include "cli/answer.h"
#include "fuzz.h"

static void fuzz_written(struct arena *arena, const struct cli_answer *answer)
{
    struct buf out;
    struct cli_answer again;
    buf_init_arena(&out, arena, 256);
    buf_addf(&out, "HTTP/1.1 %u X\r\nContent-Length: %zu\r\n\r\n", answer->status,
             answer->body.len);
    buf_add(&out, answer->body);
    FUZZ_MUST(cli_answer_read(buf_str(&out), &again));
    FUZZ_MUST(again.status == answer->status && str_equal(again.body, answer->body));
}

// Position of the first blank line's end; the text's length when there is none.
static size_t fuzz_head(struct str text)
{
    size_t at = 0;
    while (at < text.len) {
        struct str line = str_slice(text, at, text.len);
        size_t end = str_find(line, '\n');
        if (end == line.len)
            return text.len;
        at += end + 1;
        if (str_trim(str_slice(line, 0, end), "\r").len == 0)
            return at;
    }
    return text.len + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str text = str_of(data, size);
    struct cli_answer answer;
    struct cli_answer part;
    if (!cli_answer_read(text, &answer))
        return 0;
    FUZZ_MUST(answer.status >= 200 && answer.status <= 599);
    FUZZ_MUST(fuzz_head(text) + answer.body.len == text.len);
    for (size_t len = size > 64 ? size - 64 : 0; len < size; len++)
        FUZZ_MUST(!cli_answer_read(str_of(data, len), &part));
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_written(&arena, &answer);
    arena_finish(&arena);
    return 0;
}
