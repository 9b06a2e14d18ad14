// SPDX-License-Identifier: Apache-2.0
// Row C13: paddings that are nearly right, made with the private key itself, which a forger need
// not have where the exponent is 3 (Bleichenbacher 2006) or a verifier reads what it should compare
// (RFC 8017 8.2.2).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/key.h"

#define BLOCK 256
#define INFO 19 // SHA-256's DigestInfo before the hash
#define MESSAGE STR("head.claims")

static struct sign_key *padding_key;

struct block {
    uint8_t bytes[BLOCK];
};

// 00 01 ff ... ff 00 DigestInfo hash, with so many bytes behind it and so fewer ff.
static struct block block_make(const uint8_t *info, size_t info_len, size_t behind)
{
    struct block block;
    struct sha256 hash = sha256(MESSAGE);
    size_t end = BLOCK - behind - sizeof hash.bytes;
    memset(block.bytes, 0xff, BLOCK);
    block.bytes[0] = 0;
    block.bytes[1] = 1;
    memcpy(block.bytes + end, hash.bytes, sizeof hash.bytes);
    memcpy(block.bytes + end - info_len, info, info_len);
    block.bytes[end - info_len - 1] = 0;
    memset(block.bytes + BLOCK - behind, 0x5a, behind);
    return block;
}

static const uint8_t block_info[INFO] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                         0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static struct block block_good(void)
{
    return block_make(block_info, INFO, 0);
}

static void block_sign(const struct block *block, uint8_t signature[BLOCK])
{
    size_t len = BLOCK;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(padding_key->pkey, NULL);
    assert_non_null(context);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_sign(context, signature, &len, block->bytes, BLOCK), 1);
    assert_int_equal(len, BLOCK);
    EVP_PKEY_CTX_free(context);
}

static enum twoleg_error signature_check(const char *algorithm, const uint8_t *signature)
{
    struct verify_key *key = NULL;
    struct verifier_ctx *verifier = NULL;
    assert_int_equal(verify_key_create(sign_algorithm_find(str_from(algorithm)),
                                       sign_key_public(padding_key), &key), TWOLEG_NONE);
    assert_int_equal(verifier_create(key, &verifier), TWOLEG_NONE);
    enum twoleg_error error = verifier_check(verifier, MESSAGE, str_of(signature, BLOCK));
    verifier_free(&verifier);
    verify_key_free(&key);
    return error;
}

static enum twoleg_error block_check(const struct block *block)
{
    uint8_t signature[BLOCK];
    block_sign(block, signature);
    assert_int_equal(signature_check("PS256", signature), TWOLEG_TOKEN_FORGED);
    return signature_check("RS256", signature);
}

static void C13_what_stands_behind_the_hash_is_refused(void **state)
{
    (void)state;
    struct block good = block_good();
    assert_int_equal(block_check(&good), TWOLEG_NONE);
    const size_t most = BLOCK - 3 - INFO - SHA256_SIZE; // and no ff at all
    const size_t behind[] = {1, 2, 16, 100, most - 8, most};
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        struct block block = block_make(block_info, INFO, behind[i]);
        assert_int_equal(block_check(&block), TWOLEG_TOKEN_FORGED);
    }
}

static void C13_each_byte_of_the_padding_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < BLOCK; i++) {
        struct block block = block_good();
        uint8_t signature[BLOCK];
        block.bytes[i] ^= i == 0 ? 0x01 : 0x03; // as a number it stays under the modulus
        block_sign(&block, signature);
        assert_int_equal(signature_check("RS256", signature), TWOLEG_TOKEN_FORGED);
    }
}

static void C13_other_digest_infos_are_refused(void **state)
{
    (void)state;
    // Without NULL; with room for parameters that nobody reads; a length in the long form of BER;
    // SHA-1 in name; none at all.
    static const uint8_t no_null[] = {0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                      0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};
    static const uint8_t room[] = {0x30, 0x35, 0x30, 0x11, 0x06, 0x09, 0x60, 0x86,
                                   0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04,
                                   0x04, 0x5a, 0x5a, 0x5a, 0x5a, 0x04, 0x20};
    static const uint8_t long_length[] = {0x30, 0x81, 0x31, 0x30, 0x0d, 0x06, 0x09,
                                          0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                                          0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    static const uint8_t sha1[] = {0x30, 0x2d, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03,
                                   0x02, 0x1a, 0x05, 0x00, 0x04, 0x20};
    const struct {
        const uint8_t *bytes;
        size_t len;
    } infos[] = {{no_null, sizeof no_null}, {room, sizeof room},
                 {long_length, sizeof long_length}, {sha1, sizeof sha1}, {block_info, 0}};
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        struct block block = block_make(infos[i].bytes, infos[i].len, 0);
        assert_int_equal(block_check(&block), TWOLEG_TOKEN_FORGED);
    }
}

// 0, 1, n - 1, n and more: numbers that a power turns into what everybody knows.
static void C13_signatures_that_are_no_number_under_the_modulus_are_refused(void **state)
{
    (void)state;
    const struct public_key *key = sign_key_public(padding_key);
    uint8_t signature[BLOCK] = {0};
    assert_int_equal(signature_check("RS256", signature), TWOLEG_TOKEN_FORGED);
    signature[BLOCK - 1] = 1;
    assert_int_equal(signature_check("RS256", signature), TWOLEG_TOKEN_FORGED);
    memcpy(signature, key->first.bytes, BLOCK);
    assert_int_equal(signature_check("RS256", signature), TWOLEG_TOKEN_FORGED);
    signature[BLOCK - 1]--; // the modulus is odd
    assert_int_equal(signature_check("RS256", signature), TWOLEG_TOKEN_FORGED);
    memset(signature, 0xff, BLOCK);
    assert_int_equal(signature_check("RS256", signature), TWOLEG_TOKEN_FORGED);
    assert_int_equal(signature_check("PS256", signature), TWOLEG_TOKEN_FORGED);
}

static int padding_start(void **state)
{
    (void)state;
    return crypto_init() || sign_key_create(sign_algorithm_find(STR("RS256")), &padding_key) ||
           sign_key_public(padding_key)->first.len != BLOCK;
}

static int padding_end(void **state)
{
    (void)state;
    sign_key_free(&padding_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C13_what_stands_behind_the_hash_is_refused),
        cmocka_unit_test(C13_each_byte_of_the_padding_counts),
        cmocka_unit_test(C13_other_digest_infos_are_refused),
        cmocka_unit_test(C13_signatures_that_are_no_number_under_the_modulus_are_refused),
    };
    return cmocka_run_group_tests(tests, padding_start, padding_end);
}
