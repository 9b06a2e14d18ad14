// SPDX-License-Identifier: Apache-2.0
// Authorization: Basic and Bearer. Credentials that were read spell the header they came from.
#include "base64_text.h"
#include "codec/basic.h"
#include "codec/bearer.h"
#include "codec/utf8.h"
#include "fuzz.h"

static void fuzz_basic(struct arena *arena, struct str header)
{
    struct str id;
    struct str secret;
    struct buf pair;
    struct buf out;
    enum twoleg_error error = basic_parse(header, arena, &id, &secret);
    if (error) {
        FUZZ_MUST(error == TWOLEG_CLIENT_MISSING || error == TWOLEG_CLIENT_MALFORMED);
        return;
    }
    FUZZ_MUST(id.len > 0 && str_find(id, ':') == id.len);
    buf_init_arena(&pair, arena, 64);
    buf_add(&pair, id);
    buf_add_char(&pair, ':');
    buf_add(&pair, secret);
    buf_init_arena(&out, arena, 64);
    base64_text(&out, pair.ptr, pair.len);
    FUZZ_MUST(str_ends_with(str_trim(header, " "), buf_str(&out)));
}

// Where the pair is good as it is only its end can differ; else at least nothing is left to trim.
static void fuzz_trimmed(struct arena *arena, struct str header)
{
    static const struct str white = {" \t\r\n", 4};
    struct str id, secret, as_it_is, whole;
    if (basic_parse_trimmed(header, arena, &id, &secret))
        return;
    char last = secret.len ? secret.ptr[secret.len - 1] : 'x';
    FUZZ_MUST(id.len > 0 && str_find(white, last) == white.len);
    if (basic_parse(header, arena, &as_it_is, &whole) == TWOLEG_NONE)
        FUZZ_MUST(str_equal(id, as_it_is) && str_starts_with(whole, secret) &&
                  str_trim(str_slice(whole, secret.len, whole.len), " ").len == 0);
}

static void fuzz_bearer(struct str header)
{
    static const struct str names[] = {{"Bearer", 6}, {"none", 4}};
    struct str token;
    const struct bearer_schemes schemes = {names, 2, true};
    enum twoleg_error error = bearer_parse(header, &schemes, &token);
    if (error)
        FUZZ_MUST(error == TWOLEG_TOKEN_ABSENT || error == TWOLEG_TOKEN_MALFORMED);
    else
        FUZZ_MUST(text_is_visible_ascii(token) &&
                  (header.len == token.len + 7 || header.ptr == token.ptr));
}

// With too little memory nothing else happens than that.
static void fuzz_little(struct str header)
{
    struct arena arena;
    struct str id, secret;
    arena_init(&arena, NULL, 1);
    enum twoleg_error error = basic_parse(header, &arena, &id, &secret);
    FUZZ_MUST(error == TWOLEG_CLIENT_MISSING || error == TWOLEG_CLIENT_MALFORMED ||
              error == TWOLEG_NO_MEMORY);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str header = str_of(data, size);
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_basic(&arena, header);
    fuzz_trimmed(&arena, header);
    fuzz_bearer(header);
    fuzz_little(header);
    arena_finish(&arena);
    return 0;
}
