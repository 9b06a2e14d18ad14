// SPDX-License-Identifier: Apache-2.0
// The reader, the check and jansson agree on what JSON is; what is read can be written and read
// again.
#include <jansson.h>

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "codec/utf8.h"
#include "fuzz.h"

// The writer's text of each string reads back as the same string.
static void fuzz_string(struct arena *arena, struct str text)
{
    struct buf out;
    struct json_writer w;
    struct json_reader r;
    struct json_value value;
    struct str key;
    FUZZ_MUST(utf8_valid(text));
    // Without controls the writer needs no \u for it.
    FUZZ_MUST(!text_is_plain(text) || str_find(text, '\n') == text.len);
    buf_init_arena(&out, arena, 256);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_key_str(&w, text, text);
    json_object_end(&w);
    json_reader_init(&r, buf_str(&out), arena, NULL);
    bool one = json_next_member(&r, &key, &value);
    // A text of controls only can grow beyond the reader's length limit.
    FUZZ_MUST(one || json_reader_error(&r) == TWOLEG_TOO_LONG);
    if (!one)
        return;
    FUZZ_MUST(!json_next_member(&r, &key, &value) && !json_reader_error(&r));
    FUZZ_MUST(str_equal(key, text) && str_equal(value.text, text));
}

static void fuzz_value(struct arena *arena, const struct json_value *value)
{
    struct json_value element;
    struct str rest = value->text;
    if (value->kind == JSON_KIND_STRING) {
        fuzz_string(arena, value->text);
    } else {
        FUZZ_MUST(json_check(value->text, NULL) == TWOLEG_NONE);
    }
    if (value->kind != JSON_KIND_ARRAY)
        return;
    while (json_array_next(&rest, arena, &element))
        if (element.kind != JSON_KIND_STRING)
            FUZZ_MUST(json_check(element.text, NULL) == TWOLEG_NONE);
    FUZZ_MUST(!rest.ptr);
}

// A value of each kind by the writer's function for it.
static void fuzz_write(struct json_writer *w, struct str key, const struct json_value *value)
{
    switch (value->kind) {
    case JSON_KIND_STRING:
        json_key_str(w, key, value->text);
        break;
    case JSON_KIND_INTEGER:
        json_key_i64(w, key, value->integer);
        break;
    case JSON_KIND_BOOL:
        json_key_bool(w, key, value->boolean);
        break;
    case JSON_KIND_NULL:
        json_key_nil(w, key);
        break;
    default:
        json_key_raw(w, key, value->text);
    }
}

// With little memory it ends there, or nothing is different.
static void fuzz_little(struct str text, enum twoleg_error expected, size_t cap)
{
    struct arena arena;
    struct json_reader r;
    struct str key;
    struct json_value value;
    arena_init(&arena, NULL, cap);
    json_reader_init(&r, text, &arena, NULL);
    while (json_next_member(&r, &key, &value))
        ;
    FUZZ_MUST(json_reader_error(&r) == TWOLEG_NO_MEMORY || json_reader_error(&r) == expected);
    arena_finish(&arena);
}

// Tighter limits only refuse more.
static void fuzz_limits(struct str text, enum twoleg_error error)
{
    static const struct json_limits tight[] = {{0, 2, 0}, {0, 0, 2}, {64, 0, 0}};
    for (size_t i = 0; i < sizeof tight / sizeof *tight; i++) {
        enum twoleg_error now = json_check(text, &tight[i]);
        FUZZ_MUST(now == error || now == TWOLEG_LIMIT || now == TWOLEG_TOO_LONG);
    }
}

static enum twoleg_error fuzz_reader(struct arena *arena, struct str text)
{
    struct buf out;
    struct json_writer w;
    buf_init_arena(&out, arena, 256);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    struct json_reader r;
    struct str key;
    struct json_value value;
    json_reader_init(&r, text, arena, NULL);
    while (json_next_member(&r, &key, &value)) {
        fuzz_string(arena, key);
        fuzz_value(arena, &value);
        fuzz_write(&w, key, &value);
    }
    json_object_end(&w);
    enum twoleg_error again = json_check(buf_str(&out), NULL);
    // Escapes are longer than what they stand for.
    FUZZ_MUST(again == TWOLEG_NONE || again == TWOLEG_TOO_LONG);
    return json_reader_error(&r);
}

static void fuzz_against_jansson(struct str text, enum twoleg_error error)
{
    json_error_t reason;
    // jansson takes a NUL byte for the end and does not look at what follows: the check must.
    if (str_find(text, '\0') < text.len) {
        FUZZ_MUST(error != TWOLEG_NONE);
        return;
    }
    json_t *root = json_loadb(text.ptr, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &reason);
    if (root) {
        // What we refuse beyond the grammar are limits.
        FUZZ_MUST(error == TWOLEG_NONE || error == TWOLEG_LIMIT || error == TWOLEG_TOO_LONG);
        json_decref(root);
    } else if (error == TWOLEG_NONE) {
        // What jansson refuses beyond the grammar: numbers it cannot hold, NUL in a key.
        enum json_error_code code = json_error_code(&reason);
        FUZZ_MUST(code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of(data, size);
    struct arena arena;
    arena_init(&arena, NULL, (size_t)1 << 26);
    enum twoleg_error error = json_check(text, NULL);
    enum twoleg_error read = fuzz_reader(&arena, text);
    struct str trimmed = text;
    while (trimmed.len && str_find(STR(" \t\r\n"), trimmed.ptr[0]) < 4)
        trimmed = str_slice(trimmed, 1, trimmed.len);
    if (str_starts_with(trimmed, STR("{")))
        FUZZ_MUST(read == error);
    else
        FUZZ_MUST(read != TWOLEG_NONE);
    fuzz_against_jansson(text, error);
    fuzz_little(text, read, 1);
    fuzz_limits(text, error);
    arena_finish(&arena);
    return 0;
}
