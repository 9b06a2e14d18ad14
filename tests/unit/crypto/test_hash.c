// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include "crypto/compare.h"
#include "crypto/hash.h"

static void hash_expect(struct str text, const char *hex)
{
    struct sha256 hash = sha256(text);
    hex_expect(hash.bytes, sizeof hash.bytes, hex);
}

static void fips180_4_vectors(void **state)
{
    (void)state;
    hash_expect(STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_expect(STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_expect(STR_NONE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_expect(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void fips180_4_a_million_a_in_parts(void **state)
{
    (void)state;
    char part[1000];
    memset(part, 'a', sizeof part);
    struct sha256_state hash;
    sha256_init(&hash);
    for (int i = 0; i < 1000; i++)
        sha256_add(&hash, str_of(part, sizeof part));
    struct sha256 result = sha256_finish(&hash);
    hex_expect(result.bytes, sizeof result.bytes,
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void split_at_every_byte_gives_the_same_hash(void **state)
{
    (void)state;
    char text[200];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    struct sha256 whole = sha256(str_of(text, sizeof text));
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        struct sha256_state hash;
        sha256_init(&hash);
        sha256_add(&hash, str_of(text, cut));
        struct sha256_state copy = hash; // a copy goes on by itself
        sha256_add(&copy, str_of(text + cut, sizeof text - cut));
        struct sha256 result = sha256_finish(&copy);
        assert_memory_equal(result.bytes, whole.bytes, sizeof whole.bytes);
    }
}

static void secret_equal_sees_every_bit(void **state)
{
    (void)state;
    uint8_t a[33] = {0};
    uint8_t b[33] = {0};
    assert_true(secret_equal(a, b, sizeof a));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(secret_equal(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    b[32] = 1;
    assert_true(secret_equal(a, b, 32)); // the byte behind is not read
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fips180_4_vectors),
        cmocka_unit_test(fips180_4_a_million_a_in_parts),
        cmocka_unit_test(split_at_every_byte_gives_the_same_hash),
        cmocka_unit_test(secret_equal_sees_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
