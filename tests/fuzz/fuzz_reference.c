// SPDX-License-Identifier: Apache-2.0
// Reference tokens: a text, or, behind 'i', what is done to a token of some shape that was issued,
// or, behind 'c', a shape.
// Nothing is believed that is not a row of the store, and the store is asked only for what has a
// tag of ours.
#include "tokens.h"

static const struct token_shape shapes[] = {
    {.alphabet = TOKEN_HEX, .length = 40},
    {.alphabet = TOKEN_UUID, .length = 36},
    {.alphabet = TOKEN_BASE62, .length = 28, .prefix = {"p.", 2}, .suffix = {"~", 1}},
    {.alphabet = TOKEN_HEX, .length = 31},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static const struct token_record known_record = {.epoch = EPOCH,
                                                 .application = NUMBER,
                                                 .generation = GENERATION,
                                                 .credential = 1,
                                                 .apis = {API},
                                                 .api_count = 1,
                                                 .scope = {"sms", 3},
                                                 .issued_s = 1,
                                                 .expires_s = 0};

static enum twoleg_error fuzz_read(struct arena *arena, struct str text,
                                   const struct token_known *known,
                                   struct token_record *ret_record)
{
    enum token_format format;
    enum twoleg_error error = token_read(&context, text, known, arena, ret_record, &format);
    FUZZ_MUST(error || format == FORMAT_REFERENCE);
    return error;
}

// What the store says decides, if it is about this very text. Found last: that is remembered.
static void fuzz_known(struct arena *arena, struct str text)
{
    struct token_record record;
    struct token_known known = {0}, other;
    FUZZ_MUST(token_reference_keys(&context, text, &known.keys) == TWOLEG_NONE);
    FUZZ_MUST(known.keys.count > 0 && known.keys.count <= TOKEN_KEYS_MAX);
    struct sha256 hash = sha256(text);
    for (size_t i = 0; i < known.keys.count; i++) {
        const struct store_token_key *key = &known.keys.all[i];
        FUZZ_MUST(memcmp(key->hash.bytes, hash.bytes, sizeof hash.bytes) == 0);
        FUZZ_MUST(key->slot < TOKEN_SLOTS_MAX);
        FUZZ_MUST(i == 0 || key->slot != known.keys.all[i - 1].slot);
    }
    FUZZ_MUST(fuzz_read(arena, text, &known, &record) == TWOLEG_TOKEN_UNKNOWN);
    known.found = true;
    known.record = known_record;
    other = known;
    other.keys.all[0].hash.bytes[0] ^= 1;
    FUZZ_MUST(fuzz_read(arena, text, &other, &record) == TWOLEG_WAIT);
    FUZZ_MUST(fuzz_read(arena, text, &known, &record) == TWOLEG_NONE);
    FUZZ_MUST(record.application == NUMBER && str_equal(record.scope, STR("sms")));
    FUZZ_MUST(fuzz_read(arena, text, NULL, &record) == TWOLEG_NONE); // from the cache
    fuzz_gate(arena, text);
}

static void fuzz_text(struct arena *arena, struct str text)
{
    struct token_record record;
    struct token_keys found;
    enum twoleg_error error = token_reference_read(&context, text, NULL, arena, &record);
    bool fits = false;
    for (size_t i = 0; i < context.shape_count; i++)
        fits |= token_shape_fits(&context.shapes[i], text);
    fits |= token_shape_fits(&token_shape_default, text);
    FUZZ_MUST(error == TWOLEG_WAIT || error == TWOLEG_TOKEN_MALFORMED ||
              error == TWOLEG_TOKEN_FORGED);
    FUZZ_MUST((error == TWOLEG_TOKEN_MALFORMED) == !fits);
    fuzz_little(text, fuzz_read(arena, text, NULL, &record));
    if (error == TWOLEG_WAIT)
        fuzz_known(arena, text);
    else
        FUZZ_MUST(token_reference_keys(&context, text, &found) == error);
}

// Each pair of bytes of the input changes a character, puts one in or takes one out.
static struct str fuzz_change(struct arena *arena, struct str text, struct str changes)
{
    char *at = arena_alloc(arena, text.len + changes.len + 1);
    FUZZ_MUST(at);
    memcpy(at, text.ptr, text.len);
    size_t len = text.len;
    for (size_t i = 0; i + 1 < changes.len && len; i += 2) {
        size_t place = (uint8_t)changes.ptr[i] % len;
        uint8_t how = (uint8_t)changes.ptr[i + 1];
        if (how == 0xff) {
            memmove(at + place, at + place + 1, --len - place);
        } else if (how & 0x80) {
            memmove(at + place + 1, at + place, len++ - place);
            at[place] = (char)(how & 0x7f);
        } else {
            at[place] = (char)(at[place] ^ how);
        }
    }
    return str_of(at, len);
}

// The same token again is the same, and one that can be read.
static void fuzz_again(const struct decision *decision)
{
    struct token_again again, other;
    struct token_keys found;
    FUZZ_MUST(token_again_make(&context, decision, &again) == TWOLEG_NONE);
    FUZZ_MUST(token_again_make(&context, decision, &other) == TWOLEG_NONE);
    for (size_t i = 0; i < AGAIN_COUNT; i++) {
        struct str text = str_of(again.tokens[i].text, again.tokens[i].len);
        FUZZ_MUST(str_equal(text, str_of(other.tokens[i].text, other.tokens[i].len)));
        FUZZ_MUST(token_reference_keys(&context, text, &found) == TWOLEG_NONE);
        FUZZ_MUST(i == 0 || !str_equal(text, str_of(again.tokens[i - 1].text,
                                                    again.tokens[i - 1].len)));
    }
}

static void fuzz_issued(struct arena *arena, const struct token_shape *shape, struct str changes)
{
    struct token_reference token;
    struct issued_token issued;
    struct decision decision = {.application = &application,
                                .generation = GENERATION,
                                .credential = 1,
                                .api = &api,
                                .scope = STR("sms"),
                                .format = FORMAT_REFERENCE,
                                .shape = shape,
                                .ttl_us = TIME_NEVER,
                                .now_us = env.now_us};
    FUZZ_MUST(token_reference_make(&context, &decision, &token) == TWOLEG_NONE);
    FUZZ_MUST(token_reference_take(&context, &decision, &token, &issued) == TWOLEG_NONE);
    FUZZ_MUST(token_shape_fits(shape ? shape : &token_shape_default, issued.text));
    struct token_keys found;
    bool there = false;
    FUZZ_MUST(token_reference_keys(&context, issued.text, &found) == TWOLEG_NONE);
    for (size_t i = 0; i < found.count; i++)
        there |= found.all[i].slot == token.key.slot;
    FUZZ_MUST(there);
    FUZZ_MUST(memcmp(found.all[0].hash.bytes, token.key.hash.bytes, SHA256_SIZE) == 0);
    fuzz_again(&decision);
    fuzz_text(arena, fuzz_change(arena, issued.text, changes));
}

// A shape made of the input: what is a shape gives tokens that are read again.
static void fuzz_shape(struct arena *arena, struct str input)
{
    const uint8_t *bytes = (const uint8_t *)input.ptr;
    struct str texts = str_slice(input, 6, input.len);
    struct token_shape shape = {
        .alphabet = (enum token_alphabet)(bytes[2] % 3),
        .length = bytes[3],
        .prefix = str_slice(texts, 0, bytes[4]),
        .suffix = str_slice(texts, bytes[4], texts.len),
        .checksum = bytes[5] & 1,
    };
    enum twoleg_error error = token_shape_check(&shape);
    FUZZ_MUST(!error || error == TWOLEG_RANGE || error == TWOLEG_MALFORMED);
    if (error)
        return;
    FUZZ_MUST(token_shape_size(&shape) <= TOKEN_SHAPE_TEXT_MAX && token_shape_slots(&shape) >= 1);
    context.shapes = &shape;
    context.shape_count = 1;
    struct token_shape other = shape;
    FUZZ_MUST(token_shape_equal(&shape, &other));
    other.checksum = !other.checksum;
    FUZZ_MUST(!token_shape_equal(&shape, &other));
    fuzz_issued(arena, &shape, STR(""));
    context.shapes = shapes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str input = str_of(data, size);
    fuzz_prepare();
    fuzz_still();
    if (size > 1) // also randomness that must be drawn again
        memset(env.random, data[1], sizeof env.random / 64);
    token_cache_destroy(context.cache);
    context.cache = token_cache_create(8);
    FUZZ_MUST(context.cache);
    context.shapes = shapes;
    context.shape_count = SHAPES;
    arena_init(&arena, NULL, 8 * ARENA_REQUEST_CAP);
    if (size > 6 && data[0] == 'c')
        fuzz_shape(&arena, input);
    else if (size > 1 && data[0] == 'i')
        fuzz_issued(&arena, data[1] % (SHAPES + 1) < SHAPES ? &shapes[data[1] % (SHAPES + 1)]
                                                            : NULL,
                    str_slice(input, 2, size));
    else
        fuzz_text(&arena, input);
    arena_finish(&arena);
    return 0;
}
