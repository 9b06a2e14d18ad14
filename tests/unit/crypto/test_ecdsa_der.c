// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include "crypto/ecdsa_der.h"

#define DER_ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define DER_HIGH "8000000000000000000000000000000000000000000000000000000000000000"
#define DER_FULL "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const struct {
    const char *raw, *der;
} der_pairs[] = {
    {DER_ONE DER_ONE, "3006020101020101"},
    {DER_HIGH DER_ONE, "3026022100" DER_HIGH "020101"},
    {DER_FULL DER_HIGH, "30450220" DER_FULL "022100" DER_HIGH},
    {"0000000000000000000000000000000000000000000000000000000000000080" DER_ONE,
     "300702020080020101"},
    {"0000000000000000000000000000000000000000000000000000000000000000" DER_ONE,
     "3006020100020101"},
};

static bool der_reads(const char *hex)
{
    uint8_t der[256], raw[64];
    return ecdsa_raw_from_der(hex_read(hex, der, sizeof der), 32, raw);
}

static void rfc3279_2_2_3_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof der_pairs / sizeof *der_pairs; i++) {
        uint8_t raw[64], der[ECDSA_DER_MAX], back[64];
        hex_read(der_pairs[i].raw, raw, sizeof raw);
        size_t len = ecdsa_der_from_raw(raw, 32, der);
        hex_expect(der, len, der_pairs[i].der);
        assert_true(ecdsa_raw_from_der(str_of(der, len), 32, back));
        assert_memory_equal(back, raw, sizeof raw);
    }
}

static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "30",
        "3000",
        "3003020101",                                // one number
        "3009020101020101020101",                    // three
        "300602010102010100",                        // a byte behind
        "3007020101020101",                          // a length too long
        "3005020101020101",                          // and too short
        "310602010102010100",                        // a set
        "3006030101020101",                          // a bit string
        "30810602010102010100",                      // a long form that is not needed
        "308106020101020101",
        "3080020101020101" "0000",                   // indefinite length
        "3082000602010102" "0101",                   // two bytes of length
        "3005020002" "0101",                         // a number without bytes
        "300702020001020101",                        // a superfluous zero
        "3006020181020101",                          // negative
        "3027022101" DER_HIGH "020101",              // 33 bytes of value
        "302702220000" DER_HIGH "0201",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(der_reads(bad[i]));
    assert_true(der_reads("3006020101020101"));
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    uint8_t der[128], raw[64];
    struct str whole = hex_read("30450220" DER_FULL "022100" DER_HIGH, der, sizeof der);
    for (size_t len = 0; len < whole.len; len++)
        assert_false(ecdsa_raw_from_der(str_slice(whole, 0, len), 32, raw));
    assert_true(ecdsa_raw_from_der(whole, 32, raw));
}

static void p521_needs_the_long_form_of_length(void **state)
{
    (void)state;
    uint8_t raw[2 * ECDSA_COORDINATE_MAX], back[sizeof raw], der[ECDSA_DER_MAX];
    memset(raw, 0xff, sizeof raw);
    size_t len = ecdsa_der_from_raw(raw, ECDSA_COORDINATE_MAX, der);
    assert_int_equal(len, ECDSA_DER_MAX);
    assert_int_equal(der[1], 0x81);
    assert_true(ecdsa_raw_from_der(str_of(der, len), ECDSA_COORDINATE_MAX, back));
    assert_memory_equal(back, raw, sizeof raw);
    assert_false(ecdsa_raw_from_der(str_of(der, len), ECDSA_COORDINATE_MAX - 1, back));
    assert_false(ecdsa_raw_from_der(str_of(der, len), ECDSA_COORDINATE_MAX + 1, back));
    assert_false(ecdsa_raw_from_der(str_of(der, len), 0, back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3279_2_2_3_both_ways),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(p521_needs_the_long_form_of_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
