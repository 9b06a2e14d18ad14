// SPDX-License-Identifier: Apache-2.0
#include "codec/base62.h"

#include <string.h>

const char base62_digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// A table entry is the sum (xor) of what each bit of its index gives, since the CRC is linear: the
// compiler makes all 256 from eight constants.
#define CRC_BIT(n, bit, value) (((n) >> (bit)&1u) ? (value) : 0u)
#define CRC_AT(n, a, b, c, d, e, f, g, h)                                                          \
    (CRC_BIT(n, 0, a) ^ CRC_BIT(n, 1, b) ^ CRC_BIT(n, 2, c) ^ CRC_BIT(n, 3, d) ^                   \
     CRC_BIT(n, 4, e) ^ CRC_BIT(n, 5, f) ^ CRC_BIT(n, 6, g) ^ CRC_BIT(n, 7, h))
#define CRC_4(n, ...)                                                                              \
    CRC_AT(n, __VA_ARGS__), CRC_AT(n + 1, __VA_ARGS__), CRC_AT(n + 2, __VA_ARGS__),                \
        CRC_AT(n + 3, __VA_ARGS__)
#define CRC_16(n, ...)                                                                             \
    CRC_4(n, __VA_ARGS__), CRC_4(n + 4, __VA_ARGS__), CRC_4(n + 8, __VA_ARGS__),                   \
        CRC_4(n + 12, __VA_ARGS__)
#define CRC_64(n, ...)                                                                             \
    CRC_16(n, __VA_ARGS__), CRC_16(n + 16, __VA_ARGS__), CRC_16(n + 32, __VA_ARGS__),              \
        CRC_16(n + 48, __VA_ARGS__)
#define CRC_TABLE(...)                                                                             \
    CRC_64(0u, __VA_ARGS__), CRC_64(64u, __VA_ARGS__), CRC_64(128u, __VA_ARGS__),                  \
        CRC_64(192u, __VA_ARGS__)

// crc_tables[k][b]: what byte b gives when k more bytes follow ("slicing by eight"). A sealed
// token's checksum is on the path of each request.
// clang-format off
static const uint32_t crc_tables[8][256] = {
    {CRC_TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832,
               0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320)},
    {CRC_TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08,
               0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b)},
    {CRC_TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8,
               0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80)},
    {CRC_TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef,
               0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b)},
    {CRC_TABLE(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1,
               0x60e09782, 0xc1c12f04, 0x58f35849, 0xb1e6b092)},
    {CRC_TABLE(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d,
               0x03d6029b, 0x07ac0536, 0x0f580a6c, 0x1eb014d8)},
    {CRC_TABLE(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67,
               0x67de9cce, 0xcfbd399c, 0x440b7579, 0x8816eaf2)},
    {CRC_TABLE(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5,
               0x7cbb312b, 0xf9766256, 0x299dc2ed, 0x533b85da)},
};
// clang-format on

uint32_t crc32_ieee(struct str text)
{
    uint32_t crc = UINT32_MAX;
    const uint8_t *at = (const uint8_t *)text.ptr;
    size_t left = text.len;
    for (; left >= 8; left -= 8, at += 8)
        crc = crc_tables[7][(crc ^ at[0]) & 0xff] ^ crc_tables[6][(crc >> 8 ^ at[1]) & 0xff] ^
              crc_tables[5][(crc >> 16 ^ at[2]) & 0xff] ^ crc_tables[4][crc >> 24 ^ at[3]] ^
              crc_tables[3][at[4]] ^ crc_tables[2][at[5]] ^ crc_tables[1][at[6]] ^
              crc_tables[0][at[7]];
    for (; left; left--, at++)
        crc = crc_tables[0][(crc ^ *at) & 0xff] ^ crc >> 8;
    return ~crc;
}

// Writes exactly `count` digits.
static void base62_put(char *out, uint32_t value, size_t count)
{
    while (count) {
        out[--count] = base62_digits[value % 62];
        value /= 62;
    }
}

// Divides the number in place; gives the remainder.
static uint32_t base62_divide(uint32_t *limbs, size_t count, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < count; i++) {
        rest = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

#define BASE62_FIVE_DIGITS 916132832u // 62^5, the largest power that fits a limb

void base62_encode(struct buf *out, const void *bytes, size_t len)
{
    uint32_t limbs[BASE62_BYTES_MAX / 4] = {0};
    const uint8_t *in = bytes;
    char *at = len > BASE62_BYTES_MAX ? NULL : buf_reserve(out, BASE62_LEN(len));
    if (!at) {
        out->failed = true;
        return;
    }
    size_t count = (len + 3) / 4;
    for (size_t i = 0; i < len; i++) {
        size_t from_end = len - 1 - i;
        limbs[count - 1 - from_end / 4] |= (uint32_t)in[i] << (8 * (from_end % 4));
    }
    for (size_t left = BASE62_LEN(len); left;) {
        size_t digits = left < 5 ? left : 5;
        left -= digits;
        base62_put(at + left, base62_divide(limbs, count, BASE62_FIVE_DIGITS), digits);
    }
    explicit_bzero(limbs, sizeof limbs);
}

void credential_checksum_append(struct buf *buf, size_t from)
{
    struct str text = str_slice(buf_str(buf), from, buf->len);
    uint32_t crc = crc32_ieee(text);
    char *at = buf_reserve(buf, CREDENTIAL_CHECKSUM_LEN);
    if (at)
        base62_put(at, crc, CREDENTIAL_CHECKSUM_LEN);
}

bool credential_checksum_ok(struct str text)
{
    char wanted[CREDENTIAL_CHECKSUM_LEN];
    if (text.len <= sizeof wanted)
        return false;
    size_t covered = text.len - sizeof wanted;
    base62_put(wanted, crc32_ieee(str_slice(text, 0, covered)), sizeof wanted);
    return memcmp(text.ptr + covered, wanted, sizeof wanted) == 0;
}
