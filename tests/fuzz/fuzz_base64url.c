// SPDX-License-Identifier: Apache-2.0
// decode(encode(x)) == x, and what decodes has one spelling only (threat C7), in both alphabets.
#include "base/arena.h"
#include "base64_text.h"
#include "codec/base64.h"
#include "fuzz.h"

static void fuzz_spelling(struct arena *arena, struct str text)
{
    size_t len;
    struct buf out;
    uint8_t *bytes = arena_alloc(arena, text.len + 1);
    if (base64url_decode(text, bytes, text.len, &len) == TWOLEG_NONE) {
        buf_init_arena(&out, arena, 64);
        base64url_encode(&out, bytes, len);
        FUZZ_MUST(str_equal(buf_str(&out), text));
    }
    if (base64_decode(text, bytes, text.len, &len) == TWOLEG_NONE) {
        buf_init_arena(&out, arena, 64);
        base64_text(&out, bytes, len);
        FUZZ_MUST(str_equal(buf_str(&out), text));
    }
}

static void fuzz_round(struct arena *arena, struct str bytes)
{
    size_t len;
    struct buf out;
    uint8_t *back = arena_alloc(arena, bytes.len + 1);
    buf_init_arena(&out, arena, 64);
    base64url_encode(&out, bytes.ptr, bytes.len);
    FUZZ_MUST(base64url_decode(buf_str(&out), back, bytes.len, &len) == TWOLEG_NONE);
    FUZZ_MUST(str_equal(str_of(back, len), bytes));
    buf_init_arena(&out, arena, 64);
    base64_text(&out, bytes.ptr, bytes.len);
    FUZZ_MUST(base64_decode(buf_str(&out), back, bytes.len, &len) == TWOLEG_NONE);
    FUZZ_MUST(str_equal(str_of(back, len), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_spelling(&arena, str_of(data, size));
    fuzz_round(&arena, str_of(data, size));
    arena_finish(&arena);
    return 0;
}
