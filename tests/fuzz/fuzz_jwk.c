// SPDX-License-Identifier: Apache-2.0
// A key that reads is written and read again as the same key, and its point is on the curve or
// refused.
#include <string.h>

#include "fuzz.h"
#include "jose/jwk.h"

static void fuzz_again(const struct jwk *jwk)
{
    static char memory[8 * JWK_TEXT_MAX];
    struct arena arena;
    struct buf out;
    struct json_writer json;
    struct jwk again;
    struct jwk named = *jwk;
    struct jwk_kid kid = jwk_kid(jwk->algorithm, &jwk->key);
    named.kid = str_of(kid.text, sizeof kid.text);
    buf_init(&out, memory, sizeof memory);
    json_writer_init(&json, &out);
    jwk_write(&json, &named);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    FUZZ_MUST(jwk_read(buf_str(&out), &arena, &again) == TWOLEG_NONE);
    FUZZ_MUST(again.algorithm == jwk->algorithm && str_equal(again.kid, named.kid));
    FUZZ_MUST(memcmp(&again.key, &jwk->key, sizeof again.key) == 0);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct jwk jwk;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    if (jwk_read(str_of(data, size), &arena, &jwk) == TWOLEG_NONE) {
        struct verify_key *key = NULL;
        enum twoleg_error error = verify_key_create(jwk.algorithm, &jwk.key, &key);
        FUZZ_MUST(error == (key ? TWOLEG_NONE : TWOLEG_MALFORMED));
        verify_key_free(&key);
        FUZZ_MUST(!jwk.kid.ptr || jwk.kid.len > 0);
        fuzz_again(&jwk);
    }
    arena_finish(&arena);
    return 0;
}
