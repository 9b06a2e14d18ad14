// SPDX-License-Identifier: Apache-2.0
// A token as it comes, and one put together from the input as header and payload in clear (the
// first line is the header), so that the readers of JSON are reached too. What is read has the
// promised shape, and nothing verifies: the fuzzer does not have the key.
#include <string.h>

#include "codec/base64url.h"
#include "crypto/init.h"
#include "fuzz.h"
#include "jose/jwt.h"

// The public key of RFC 7515 A.3.
static const struct public_key fuzz_point = {
    .first = {32, {0x7f, 0xcd, 0xce, 0x27, 0x70, 0xf6, 0xc4, 0x5d,
     0x41, 0x83, 0xcb, 0xee, 0x6f, 0xdb, 0x4b, 0x7b,
     0x58, 0x07, 0x33, 0x35, 0x7b, 0xe9, 0xef, 0x13,
     0xba, 0xcf, 0x6e, 0x3c, 0x7b, 0xd1, 0x54, 0x45}},
    .second = {32, {0xc7, 0xf1, 0x44, 0xcd, 0x1b, 0xbd, 0x9b, 0x7e,
     0x87, 0x2c, 0xdf, 0xed, 0xb9, 0xee, 0xb9, 0xf4,
     0xb3, 0x69, 0x5d, 0x6e, 0xa9, 0x0b, 0x24, 0xad,
     0x8a, 0x46, 0x23, 0x28, 0x85, 0x88, 0xe5, 0xad}},
};

static struct verifier_ctx *fuzz_verifier(void)
{
    static struct verifier_ctx *verifier;
    struct verify_key *key = NULL;
    if (verifier)
        return verifier;
    FUZZ_MUST(crypto_init() == TWOLEG_NONE);
    FUZZ_MUST(verify_key_create(sign_algorithm_es256(), &fuzz_point, &key) == TWOLEG_NONE);
    FUZZ_MUST(verifier_create(key, &verifier) == TWOLEG_NONE);
    verify_key_free(&key);
    return verifier;
}

static void fuzz_text(struct str text, bool required)
{
    FUZZ_MUST(text.len > 0 || (!required && !text.ptr));
    FUZZ_MUST(str_find(text, '\0') == text.len);
}

static void fuzz_claims(const struct jwt_claims *claims)
{
    fuzz_text(claims->iss, true);
    fuzz_text(claims->sub, true);
    fuzz_text(claims->client_id, true);
    fuzz_text(claims->jti, true);
    fuzz_text(claims->scope, false);
    fuzz_text(claims->cnf, false);
    FUZZ_MUST(claims->aud_count >= 1 && claims->aud_count <= JWT_AUDIENCE_MAX);
    for (size_t i = 0; i < claims->aud_count; i++)
        fuzz_text(claims->aud[i], true);
    FUZZ_MUST(claims->exp >= 0 && claims->exp <= JWT_TIME_MAX);
    FUZZ_MUST(claims->iat >= 0 && claims->iat <= JWT_TIME_MAX);
    FUZZ_MUST(claims->nbf >= 0 && claims->nbf <= JWT_TIME_MAX);
}

// In little memory it ends there, or nothing is different.
static void fuzz_little(struct str token, enum twoleg_error expected)
{
    for (size_t cap = 1; cap <= 8192; cap *= 64) {
        struct arena arena;
        struct jwt jwt;
        arena_init(&arena, NULL, cap);
        enum twoleg_error error = jwt_read(token, &arena, &jwt);
        FUZZ_MUST(error == expected || error == TWOLEG_NO_MEMORY);
        arena_finish(&arena);
    }
}

static void fuzz_token(struct str token)
{
    struct arena arena;
    struct jwt jwt;
    const struct jwt_claims *claims = NULL;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    enum twoleg_error error = jwt_read(token, &arena, &jwt);
    fuzz_little(token, error);
    if (!error) {
        fuzz_text(jwt.header.kid, true);
        fuzz_claims(&jwt.unverified);
        FUZZ_MUST(jwt.parts.signed_text.len + 1 + jwt.parts.signature.len == token.len);
        struct jwt_key key = {jwt.header.kid, fuzz_verifier()};
        bool same = jwt.header.algorithm == sign_algorithm_es256();
        FUZZ_MUST(jwt_verify(&jwt, &key, &claims) ==
                  (same ? TWOLEG_TOKEN_FORGED : TWOLEG_TOKEN_KEY));
        key.kid = STR("another");
        FUZZ_MUST(str_equal(key.kid, jwt.header.kid) ||
                  jwt_verify(&jwt, &key, &claims) == TWOLEG_TOKEN_KEY);
        FUZZ_MUST(!claims);
    }
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[4 * JWT_MAX];
    static const uint8_t signature[64] = {[0] = 1, [32] = 1};
    struct str input = str_of(data, size);
    struct buf out;
    fuzz_token(input);
    size_t line = str_find(input, '\n');
    struct str payload = str_slice(input, line + 1, input.len);
    buf_init(&out, memory, sizeof memory);
    base64url_encode(&out, input.ptr, line);
    buf_add_char(&out, '.');
    base64url_encode(&out, payload.ptr, payload.len);
    buf_add_char(&out, '.');
    base64url_encode(&out, signature, sizeof signature);
    fuzz_token(buf_str(&out));
    return 0;
}
