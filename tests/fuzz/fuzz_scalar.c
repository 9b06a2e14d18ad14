// SPDX-License-Identifier: Apache-2.0
// Single values of the configuration by a row that the input makes: a line with the type (a digit),
// the least and the greatest value; the rest is the text. What is read is written as a text that
// reads as the same; what is not is refused in words.
#include <string.h>

#include "codec/rate.h"
#include "config/schema.h"
#include "fuzz.h"

union fuzz_value {
    bool yes;
    int64_t number;
    struct str text;
    unsigned word;
    struct schema_endpoint endpoint;
    struct cidr cidr;
    struct rate rate;
};

static const char *fuzz_limit(struct str *line, char memory[static 32])
{
    struct str word;
    if (!str_word(line, &word) || word.len > 31 || str_equal(word, STR("-")))
        return NULL;
    memcpy(memory, word.ptr, word.len);
    memory[word.len] = '\0';
    return memory;
}

static enum twoleg_error fuzz_read(const struct schema_row *row, struct arena *arena,
                                   struct str text, union fuzz_value *ret_value)
{
    const struct schema_context context = {arena, STR("/folder")};
    const char *problem = NULL;
    memset(ret_value, 0, sizeof *ret_value);
    enum twoleg_error error = schema_scalar_read(&context, row, text, ret_value, &problem);
    FUZZ_MUST(!error || (problem && problem[0]));
    return error;
}

// As it stands in a file: plain, or quoted with escapes.
static struct str fuzz_plain(struct arena *arena, struct str text)
{
    struct buf out;
    if (!str_starts_with(text, STR("\"")))
        return text;
    buf_init_arena(&out, arena, text.len + 1);
    for (size_t i = 1; i + 1 < text.len; i++) {
        i += text.ptr[i] == '\\';
        buf_add_char(&out, text.ptr[i]);
    }
    return out.len ? buf_str(&out) : STR("");
}

static void fuzz_row(const struct schema_row *row, struct str text)
{
    struct arena arena, little;
    union fuzz_value value, again;
    struct buf out, twice;
    arena_init(&arena, NULL, (size_t)1 << 22);
    arena_init(&little, NULL, 1);
    enum twoleg_error error = fuzz_read(row, &arena, text, &value);
    buf_init_arena(&out, &arena, 64);
    schema_row_describe(row, &out);
    FUZZ_MUST(error != TWOLEG_NO_MEMORY && !out.failed && out.len > 0);
    struct schema_row shown = *row;
    if (row->type == SCHEMA_PATH)
        shown.max = NULL; // the folder before a relative path does not count
    if (!error) {
        out.len = 0;
        schema_scalar_write(row, &value, &out);
        FUZZ_MUST(!out.failed);
        FUZZ_MUST(!fuzz_read(&shown, &arena, fuzz_plain(&arena, buf_str(&out)), &again));
        buf_init_arena(&twice, &arena, 64);
        schema_scalar_write(row, &again, &twice);
        FUZZ_MUST(str_equal(buf_str(&out), buf_str(&twice)));
    }
    enum twoleg_error tight = fuzz_read(row, &little, text, &again);
    FUZZ_MUST(tight == error || tight == TWOLEG_NO_MEMORY);
    arena_finish(&little);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"first", "second", NULL};
    static const struct schema_shape shapes[] = {
        {.words = words}, {.never = true, .words = words}, {.characters = "abc", .words = words}};
    static const enum schema_type types[] = {
        SCHEMA_BOOL, SCHEMA_INTEGER, SCHEMA_DURATION, SCHEMA_CIDR, SCHEMA_TEXT,
        SCHEMA_URL,  SCHEMA_PATH,    SCHEMA_WORD,     SCHEMA_RATE, SCHEMA_ENDPOINT};
    char least[32], most[32];
    struct str input = str_of(data, size);
    struct str line = fuzz_line(&input);
    struct str kind;
    if (!str_word(&line, &kind))
        return 0;
    size_t type = (size_t)(unsigned char)kind.ptr[0] - 'a';
    if (type >= sizeof types / sizeof *types)
        return 0;
    const struct schema_row row = {.name = "row",
                                   .type = types[type],
                                   .shape = &shapes[kind.len % 3],
                                   .min = fuzz_limit(&line, least),
                                   .max = fuzz_limit(&line, most)};
    fuzz_row(&row, input);
    return 0;
}
