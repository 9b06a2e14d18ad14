// SPDX-License-Identifier: Apache-2.0
// Private keys as PKCS#8, after a line with the algorithm: what is taken has parts that belong
// together (it signs, and its public half verifies), and is written and read again as the same.
#include <string.h>

#include "crypto/init.h"
#include "fuzz.h"
#include "jose/jwk.h"

static void fuzz_signs(const struct sign_key *key, struct verify_key *public_half)
{
    struct signer *signer = NULL;
    struct verifier_ctx *verifier = NULL;
    struct signature signature;
    FUZZ_MUST(signer_create(key, &signer) == TWOLEG_NONE);
    FUZZ_MUST(verifier_create(public_half, &verifier) == TWOLEG_NONE);
    FUZZ_MUST(verifier_algorithm(verifier) == verify_key_algorithm(public_half));
    FUZZ_MUST(signer_sign(signer, STR("message"), &signature) == TWOLEG_NONE);
    FUZZ_MUST(signature.len == signer_signature_len(signer));
    struct str made = str_of(signature.bytes, signature.len);
    FUZZ_MUST(verifier_check(verifier, STR("message"), made) == TWOLEG_NONE);
    FUZZ_MUST(verifier_check(verifier, STR("messagf"), made) == TWOLEG_TOKEN_FORGED);
    made.len--;
    FUZZ_MUST(verifier_check(verifier, STR("message"), made) == TWOLEG_TOKEN_FORGED);
    memset(signature.bytes, 0, sizeof signature.bytes);
    made.len++;
    FUZZ_MUST(verifier_check(verifier, STR("message"), made) == TWOLEG_TOKEN_FORGED);
    signer_free(&signer);
    verifier_free(&verifier);
}

static void fuzz_written(const struct sign_algorithm *algorithm, const struct sign_key *key)
{
    char memory[SIGN_KEY_DER_MAX];
    struct buf out;
    struct sign_key *again = NULL;
    buf_init(&out, memory, sizeof memory);
    FUZZ_MUST(sign_key_to_der(key, &out) == TWOLEG_NONE);
    FUZZ_MUST(sign_key_from_der(algorithm, buf_str(&out), &again) == TWOLEG_NONE);
    FUZZ_MUST(memcmp(sign_key_public(key), sign_key_public(again), sizeof(struct public_key)) == 0);
    sign_key_free(&again);
    buf_init(&out, memory, 16); // no key is so short
    FUZZ_MUST(sign_key_to_der(key, &out) == TWOLEG_TOO_LONG);
}

// Of another row of the table it is no key, but for RSA, where both rows take the same keys.
static void fuzz_others(const struct sign_algorithm *algorithm, struct str der)
{
    const struct sign_algorithm *other;
    for (size_t i = 0; (other = sign_algorithm_at(i)); i++) {
        struct sign_key *key = NULL;
        bool taken = sign_key_from_der(other, der, &key) == TWOLEG_NONE;
        FUZZ_MUST(taken == str_equal(other->key_type, algorithm->key_type));
        sign_key_free(&key);
    }
}

// Of each row of the table, one that was made here.
static void fuzz_made(void)
{
    const struct sign_algorithm *algorithm;
    for (size_t i = 0; (algorithm = sign_algorithm_at(i)); i++) {
        struct sign_key *key = NULL;
        FUZZ_MUST(sign_key_create(algorithm, &key) == TWOLEG_NONE);
        fuzz_written(algorithm, key);
        sign_key_free(&key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool prepared;
    struct str input = str_of(data, size);
    const struct sign_algorithm *algorithm = sign_algorithm_find(fuzz_line(&input));
    struct sign_key *key = NULL;
    struct verify_key *public_half = NULL;
    if (!prepared) {
        FUZZ_MUST(crypto_init() == TWOLEG_NONE);
        fuzz_made();
    }
    prepared = true;
    if (!algorithm || sign_key_from_der(algorithm, input, &key))
        return 0;
    FUZZ_MUST(verify_key_create(algorithm, sign_key_public(key), &public_half) == TWOLEG_NONE);
    FUZZ_MUST(verify_key_algorithm(public_half) == algorithm);
    fuzz_signs(key, public_half);
    fuzz_written(algorithm, key);
    fuzz_others(algorithm, input);
    sign_key_free(&key);
    verify_key_free(&public_half);
    return 0;
}
