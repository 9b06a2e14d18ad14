// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3. The vectors come from a second implementation that gives the authors' vector of
// SipHash-2-4, and (with the key zero) from CPython 3.11, whose hash of bytes is SipHash-1-3.
#include "base/siphash.h"

#include "base_test.h"

static void vectors_of_the_counting_key(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, UINT64_C(0xabac0158050fc4dc)},  {1, UINT64_C(0xc9f49bf37d57ca93)},
        {2, UINT64_C(0x82cb9b024dc7d44d)},  {7, UINT64_C(0xd3927d989bb11140)},
        {8, UINT64_C(0x369095118d299a8e)},  {9, UINT64_C(0x25a48eb36c063de4)},
        {15, UINT64_C(0xd320d86d2a519956)}, {16, UINT64_C(0xcc4fdd1a7d908b66)},
        {63, UINT64_C(0x9d199062b7bbb3a8)},
    };
    const struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    char text[64];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(siphash(&key, str_of(text, rows[i].len)) == rows[i].hash);
}

static void vectors_of_cpython(void **state)
{
    (void)state;
    const struct siphash_key key = {0, 0};
    assert_true(siphash(&key, STR("a")) == UINT64_C(0x407448d2b89b1813));
    assert_true(siphash(&key, STR("twoleg")) == UINT64_C(0x6dedd297d9d14acd));
    assert_true(siphash(&key, STR("0123456789abcdef")) == UINT64_C(0x1d42b30f7e060c24));
}

static void another_key_gives_another_hash(void **state)
{
    (void)state;
    const struct siphash_key a = {1, 2};
    const struct siphash_key b = {1, 3};
    assert_true(siphash(&a, STR("id")) != siphash(&b, STR("id")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_counting_key),
        cmocka_unit_test(vectors_of_cpython),
        cmocka_unit_test(another_key_gives_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
