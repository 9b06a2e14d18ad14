// SPDX-License-Identifier: Apache-2.0
// Pairs that were read, written again and read again are the same pairs. The number of pairs stays
// within its cap, and no NUL comes through.
#include "codec/form.h"
#include "codec/percent.h"
#include "fuzz.h"

struct fuzz_pair {
    struct str name, value;
};

static enum twoleg_error fuzz_read(struct arena *arena, struct str text, struct fuzz_pair *pairs,
                                   unsigned *ret_count)
{
    struct form_reader r;
    struct str name;
    struct str value;
    unsigned count = 0;
    form_reader_init(&r, text, arena, FORM_PAIRS_MAX);
    while (form_next(&r, &name, &value)) {
        FUZZ_MUST(count < FORM_PAIRS_MAX);
        FUZZ_MUST(str_find(name, '\0') == name.len && str_find(value, '\0') == value.len);
        pairs[count++] = (struct fuzz_pair){name, value};
    }
    *ret_count = count;
    return form_reader_error(&r);
}

static void fuzz_percent(struct arena *arena, struct str text)
{
    struct str decoded;
    struct str again;
    struct buf out;
    FUZZ_MUST(percent_decode_or_raw(text, PERCENT_PLUS_KEPT, arena, &decoded) == TWOLEG_NONE);
    if (percent_decode(text, PERCENT_PLUS_KEPT, arena, &decoded) != TWOLEG_NONE)
        return;
    buf_init_arena(&out, arena, 64);
    percent_encode(&out, decoded);
    FUZZ_MUST(percent_decode(buf_str(&out), PERCENT_PLUS_BLANK, arena, &again) == TWOLEG_NONE);
    FUZZ_MUST(str_equal(decoded, again));
}

static void fuzz_little(struct str text)
{
    struct arena arena;
    struct fuzz_pair pairs[FORM_PAIRS_MAX];
    unsigned count;
    arena_init(&arena, NULL, 1);
    fuzz_read(&arena, text, pairs, &count);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct fuzz_pair pairs[FORM_PAIRS_MAX];
    struct fuzz_pair again[FORM_PAIRS_MAX];
    unsigned count;
    unsigned count_again;
    struct buf out;
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_percent(&arena, str_of(data, size));
    fuzz_read(&arena, str_of(data, size), pairs, &count);
    fuzz_little(str_of(data, size));
    buf_init_arena(&out, &arena, 64);
    for (unsigned i = 0; i < count; i++)
        form_encode_pair(&out, pairs[i].name, pairs[i].value);
    FUZZ_MUST(fuzz_read(&arena, buf_str(&out), again, &count_again) == TWOLEG_NONE);
    FUZZ_MUST(count == count_again);
    for (unsigned i = 0; i < count; i++)
        FUZZ_MUST(str_equal(pairs[i].name, again[i].name) &&
                  str_equal(pairs[i].value, again[i].value));
    arena_finish(&arena);
    return 0;
}
