// SPDX-License-Identifier: Apache-2.0
// Makes tokens with any header and payload, well signed: only what a test is about is wrong.
#pragma once
#include "unit/crypto/hex.h"

#include "codec/base64url.h"
#include "crypto/init.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/jwt.h"

#define TOKEN_SIZE 65536

struct token_maker {
    struct signer *signer;
    struct verifier_ctx *verifier;
    struct public_key point;
    struct jwk_kid kid;
    struct jwt_key key;
};

static inline struct verifier_ctx *token_verifier(const struct public_key *point)
{
    struct verify_key *key = NULL;
    struct verifier_ctx *verifier = NULL;
    assert_int_equal(verify_key_create(sign_algorithm_es256(), point, &key), TWOLEG_NONE);
    assert_int_equal(verifier_create(key, &verifier), TWOLEG_NONE);
    verify_key_free(&key);
    return verifier;
}

static inline void token_maker_init(struct token_maker *maker)
{
    struct sign_key *key = NULL;
    *maker = (struct token_maker){0};
    assert_int_equal(sign_key_create(sign_algorithm_es256(), &key), TWOLEG_NONE);
    assert_int_equal(signer_create(key, &maker->signer), TWOLEG_NONE);
    maker->point = *sign_key_public(key);
    maker->kid = jwk_kid(sign_algorithm_es256(), &maker->point);
    maker->verifier = token_verifier(&maker->point);
    maker->key = (struct jwt_key){str_of(maker->kid.text, sizeof maker->kid.text),
                                  maker->verifier};
    sign_key_free(&key);
}

static inline void token_maker_finish(struct token_maker *maker)
{
    signer_free(&maker->signer);
    verifier_free(&maker->verifier);
}

// base64url(header).base64url(payload).base64url(signature) in memory of TOKEN_SIZE bytes.
static inline struct str token_make(struct token_maker *maker, struct str header,
                                    struct str payload, char *memory)
{
    struct buf out;
    struct signature signature;
    buf_init(&out, memory, TOKEN_SIZE);
    base64url_encode(&out, header.ptr, header.len);
    buf_add_char(&out, '.');
    base64url_encode(&out, payload.ptr, payload.len);
    assert_false(out.failed);
    assert_int_equal(signer_sign(maker->signer, buf_str(&out), &signature), TWOLEG_NONE);
    buf_add_char(&out, '.');
    base64url_encode(&out, signature.bytes, signature.len);
    assert_false(out.failed);
    return buf_str(&out);
}

// {"alg":"ES256","typ":"at+jwt","kid":"<ours>"<more>}
static inline struct str token_header(const struct token_maker *maker, const char *more,
                                      char *memory, size_t cap)
{
    struct buf out;
    buf_init(&out, memory, cap);
    buf_addf(&out, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"%s}",
             STR_ARG(maker->key.kid), more);
    assert_false(out.failed);
    return buf_str(&out);
}
