// SPDX-License-Identifier: Apache-2.0
#include "codec/base62.h"

#include "codec_test.h"

static struct str base62_text(const void *bytes, size_t len)
{
    static char memory[128];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    base62_encode(&out, bytes, len);
    return buf_str(&out);
}

static void crc32_check_values(void **state)
{
    (void)state;
    char all[256];
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    assert_int_equal(crc32_ieee(STR("")), 0);
    assert_int_equal(crc32_ieee(STR("123456789")), 0xcbf43926);
    assert_int_equal(crc32_ieee(STR("a")), 0xe8b7be43);
    assert_int_equal(crc32_ieee(str_of(all, sizeof all)), 0x29058c73);
}

// Bit by bit, as the polynomial is written.
static uint32_t crc32_slowly(const char *text, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void crc32_agrees_with_its_definition(void **state)
{
    (void)state;
    char text[600];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 167 + i / 256);
    for (size_t from = 0; from < 4; from++)
        for (size_t len = 0; len < sizeof text - from; len += 7)
            assert_int_equal(crc32_ieee(str_of(text + from, len)), crc32_slowly(text + from, len));
}

static void base62_is_fixed_width_and_big_endian(void **state)
{
    (void)state;
    uint8_t bytes[BASE62_BYTES_MAX + 1];
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_text(base62_text(bytes, 32), STR("003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf"));
    for (unsigned i = 0; i < 64; i++)
        bytes[i] = (uint8_t)(i + 1);
    assert_text(base62_text(bytes, 64), STR("0EVVlfzUdTIL8Rw7thB7zEjLRxrRVYcJpZpx3yGdM5NR6dMo6MjRt"
                                            "a818AKkoumYraw5NH5194f85ujYAqNHe4"));
    memset(bytes, 0xff, sizeof bytes);
    assert_text(base62_text(bytes, 32), STR("yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"));
    assert_text(base62_text(bytes, 5), STR("JMAIjoV"));
    assert_text(base62_text("\0", 1), STR("00"));
    assert_text(base62_text("\x3d", 1), STR("0z"));
    assert_text(base62_text("\x3e", 1), STR("10"));
    assert_null(base62_text(bytes, sizeof bytes).ptr);
    for (size_t len = 1; len <= BASE62_BYTES_MAX; len++)
        assert_int_equal(base62_text(bytes, len).len, BASE62_LEN(len));
}

static void checksum_covers_all_before_it(void **state)
{
    (void)state;
    char memory[64];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    buf_add(&out, STR("Bearer tls_abc"));
    credential_checksum_append(&out, 7);
    assert_text(buf_str(&out), STR("Bearer tls_abc0WwptE"));
    assert_true(credential_checksum_ok(STR("tls_abc0WwptE")));
    assert_true(credential_checksum_ok(STR("twoleg_01234567893ATtM7")));
}

static void C15_every_change_of_a_credential_is_seen(void **state)
{
    (void)state;
    char text[] = "tls_abc0WwptE";
    size_t len = sizeof text - 1;
    for (size_t i = 0; i < len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ (1 << bit));
            assert_false(credential_checksum_ok(str_of(text, len)));
            text[i] = (char)(text[i] ^ (1 << bit));
        }
    for (size_t cut = 0; cut < len; cut++)
        assert_false(credential_checksum_ok(str_of(text, cut)));
    assert_false(credential_checksum_ok(str_of(text, len + 1)));
    assert_false(credential_checksum_ok(str_of(text + 1, len - 1)));
    assert_false(credential_checksum_ok(STR("000000"))); // the checksum of nothing is nothing's
    assert_false(credential_checksum_ok(STR_NONE));
}

static void a_full_buffer_fails(void **state)
{
    (void)state;
    char memory[8];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    buf_add(&out, STR("abc"));
    credential_checksum_append(&out, 0);
    assert_true(out.failed);
    credential_checksum_append(&out, 0);
    buf_init(&out, memory, sizeof memory);
    base62_encode(&out, "12345678", 8);
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32_check_values),
        cmocka_unit_test(crc32_agrees_with_its_definition),
        cmocka_unit_test(base62_is_fixed_width_and_big_endian),
        cmocka_unit_test(checksum_covers_all_before_it),
        cmocka_unit_test(C15_every_change_of_a_credential_is_seen),
        cmocka_unit_test(a_full_buffer_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
