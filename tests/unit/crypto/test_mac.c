// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include "crypto/mac.h"

struct mac_vector {
    const char *key, *text, *tag; // hex
};

// RFC 4231 4.2 (key of 20 bytes), 4.4, 4.5, 4.7, 4.8. Case 2 has a key of 4 bytes: see below.
static const struct mac_vector mac_vectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

static void rfc4231_long_key(void **state)
{
    (void)state;
    uint8_t bytes[131];
    memset(bytes, 0xaa, sizeof bytes);
    struct mac_key key;
    assert_int_equal(mac_key_init(&key, bytes, sizeof bytes), TWOLEG_NONE);
    struct sha256 tag = mac(&key, STR("Test Using Larger Than Block-Size Key - Hash Key First"));
    hex_expect(tag.bytes, sizeof tag.bytes,
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    tag = mac(&key, STR("This is a test using a larger than block-size key and a larger than "
                        "block-size data. The key needs to be hashed before being used by the "
                        "HMAC algorithm."));
    hex_expect(tag.bytes, sizeof tag.bytes,
               "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void rfc4231_vectors_and_every_wrong_key(void **state)
{
    (void)state;
    size_t count = sizeof mac_vectors / sizeof *mac_vectors;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            uint8_t bytes[64], text[64], want[SHA256_SIZE];
            struct str key_bytes = hex_read(mac_vectors[k].key, bytes, sizeof bytes);
            struct str message = hex_read(mac_vectors[i].text, text, sizeof text);
            struct mac_key key;
            assert_int_equal(mac_key_init(&key, key_bytes.ptr, key_bytes.len), TWOLEG_NONE);
            struct sha256 tag = mac(&key, message);
            hex_read(mac_vectors[i].tag, want, sizeof want);
            assert_int_equal(memcmp(tag.bytes, want, sizeof want) == 0, i == k);
        }
    }
}

// CVE-2026-45363: an empty or short key is no key, RFC 4231 4.3 has one of 4 bytes.
static void short_keys_are_refused(void **state)
{
    (void)state;
    struct mac_key key;
    assert_int_equal(mac_key_init(&key, "", 0), TWOLEG_RANGE);
    assert_int_equal(mac_key_init(&key, "Jefe", 4), TWOLEG_RANGE);
    assert_int_equal(mac_key_init(&key, "0123456789abcde", 15), TWOLEG_RANGE);
    assert_int_equal(mac_key_init(&key, "0123456789abcdef", 16), TWOLEG_NONE);
}

static void parts_and_numbers_are_what_they_concatenate_to(void **state)
{
    (void)state;
    struct mac_key key;
    assert_int_equal(mac_key_init(&key, "0123456789abcdef", 16), TWOLEG_NONE);
    struct mac_state parts;
    for (int again = 0; again < 2; again++) { // the key is not used up
        mac_begin(&parts, &key);
        mac_add(&parts, STR("secret"));
        mac_add(&parts, STR_NONE);
        mac_add_u64(&parts, UINT64_C(0x0102030405060708));
        struct sha256 tag = mac_end(&parts);
        struct sha256 whole = mac(&key, STR("secret\x01\x02\x03\x04\x05\x06\x07\x08"));
        assert_memory_equal(tag.bytes, whole.bytes, sizeof tag.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4231_vectors_and_every_wrong_key),
        cmocka_unit_test(rfc4231_long_key),
        cmocka_unit_test(short_keys_are_refused),
        cmocka_unit_test(parts_and_numbers_are_what_they_concatenate_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
