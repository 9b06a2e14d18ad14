// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include "crypto/seal.h"

// draft-irtf-cfrg-xchacha-03 A.3.1
static const char seal_text[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";
static const char seal_sealed[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3"
    "fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

struct seal_case {
    uint8_t key[SEAL_KEY_SIZE];
    uint8_t nonce[SEAL_NONCE_SIZE];
    uint8_t aad_bytes[12];
    uint8_t sealed_bytes[256];
    struct str aad, plain, sealed;
};

static void seal_case_init(struct seal_case *c)
{
    for (unsigned i = 0; i < sizeof c->key; i++)
        c->key[i] = (uint8_t)(0x80 + i);
    for (unsigned i = 0; i < sizeof c->nonce; i++)
        c->nonce[i] = (uint8_t)(0x40 + i);
    c->aad = hex_read("50515253c0c1c2c3c4c5c6c7", c->aad_bytes, sizeof c->aad_bytes);
    c->plain = STR(seal_text);
    c->sealed = hex_read(seal_sealed, c->sealed_bytes, sizeof c->sealed_bytes);
}

static bool seal_case_opens(const struct seal_case *c, struct str sealed)
{
    char memory[256];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    buf_add(&out, STR("before"));
    bool opened = seal_open(c->key, c->nonce, c->aad, sealed, &out);
    assert_false(out.failed);
    if (opened)
        assert_true(str_equal(str_slice(buf_str(&out), 6, out.len), c->plain));
    else
        assert_true(str_equal(buf_str(&out), STR("before")));
    return opened;
}

static void xchacha_a_3_1_seals(void **state)
{
    (void)state;
    struct seal_case c;
    char memory[256];
    struct buf out;
    seal_case_init(&c);
    buf_init(&out, memory, c.plain.len + SEAL_TAG_SIZE); // exactly enough
    seal_write(c.key, c.nonce, c.aad, c.plain, &out);
    assert_true(str_equal(buf_str(&out), c.sealed));
}

static void xchacha_a_3_1_opens_and_no_flipped_bit_does(void **state)
{
    (void)state;
    struct seal_case c;
    seal_case_init(&c);
    assert_true(seal_case_opens(&c, c.sealed));
    uint8_t *targets[] = {c.key, c.nonce, c.aad_bytes, c.sealed_bytes};
    size_t lengths[] = {sizeof c.key, sizeof c.nonce, c.aad.len, c.sealed.len};
    for (size_t t = 0; t < 4; t++)
        for (size_t bit = 0; bit < 8 * lengths[t]; bit++) {
            targets[t][bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(seal_case_opens(&c, c.sealed));
            targets[t][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    assert_true(seal_case_opens(&c, c.sealed));
}

static void every_truncation_and_extension_is_refused(void **state)
{
    (void)state;
    struct seal_case c;
    seal_case_init(&c);
    for (size_t len = 0; len < c.sealed.len; len++)
        assert_false(seal_case_opens(&c, str_slice(c.sealed, 0, len)));
    c.sealed_bytes[c.sealed.len] = 0;
    assert_false(seal_case_opens(&c, str_of(c.sealed_bytes, c.sealed.len + 1)));
    assert_false(seal_case_opens(&c, STR_NONE));
}

static void empty_text_is_a_tag(void **state)
{
    (void)state;
    struct seal_case c;
    char memory[SEAL_TAG_SIZE];
    struct buf out;
    seal_case_init(&c);
    c.plain = STR_NONE;
    buf_init(&out, memory, sizeof memory);
    seal_write(c.key, c.nonce, STR_NONE, c.plain, &out);
    assert_int_equal(buf_str(&out).len, SEAL_TAG_SIZE);
    c.aad = STR_NONE;
    assert_true(seal_case_opens(&c, buf_str(&out)));
}

static void no_room_sticks(void **state)
{
    (void)state;
    struct seal_case c;
    char memory[256];
    struct buf out;
    seal_case_init(&c);
    buf_init(&out, memory, c.plain.len + SEAL_TAG_SIZE - 1);
    seal_write(c.key, c.nonce, c.aad, c.plain, &out);
    assert_true(out.failed);
    buf_init(&out, memory, c.plain.len - 1);
    assert_false(seal_open(c.key, c.nonce, c.aad, c.sealed, &out));
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xchacha_a_3_1_seals),
        cmocka_unit_test(xchacha_a_3_1_opens_and_no_flipped_bit_does),
        cmocka_unit_test(every_truncation_and_extension_is_refused),
        cmocka_unit_test(empty_text_is_a_tag),
        cmocka_unit_test(no_room_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
