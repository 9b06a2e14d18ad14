// SPDX-License-Identifier: Apache-2.0
// Both alphabets of RFC 4648; base64.h and base64url.h say what each accepts.
#include "codec/base64.h"

#include "codec/base64url.h"

static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Value of each character; 0xff = not in the alphabet, which sets bits that no value has. The
// alphabets differ in the values of + - / and _ only.
// clang-format off
#define BASE64_NONE \
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define BASE64_VALUES(plus, minus, slash, underscore) { \
    BASE64_NONE, BASE64_NONE, \
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, plus, 0xff, minus, 0xff, \
    slash, \
    0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,\
    0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,\
    0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0xff, 0xff, 0xff, 0xff, \
    underscore, \
    0xff, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,\
    0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0xff, 0xff, 0xff, 0xff, 0xff,\
    BASE64_NONE, BASE64_NONE, BASE64_NONE, BASE64_NONE, \
    BASE64_NONE, BASE64_NONE, BASE64_NONE, BASE64_NONE }
// clang-format on
static const uint8_t base64_plain_values[256] = BASE64_VALUES(0x3e, 0xff, 0x3f, 0xff);
static const uint8_t base64_url_values[256] = BASE64_VALUES(0xff, 0x3e, 0xff, 0x3f);

// Writes the characters of all bytes without padding.
static void base64_put(char *out, const uint8_t *in, size_t len)
{
    for (; len >= 3; len -= 3, in += 3) {
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = base64_url[group >> 18];
        *out++ = base64_url[group >> 12 & 63];
        *out++ = base64_url[group >> 6 & 63];
        *out++ = base64_url[group & 63];
    }
    if (len == 0)
        return;
    uint32_t group = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
    *out++ = base64_url[group >> 18];
    *out++ = base64_url[group >> 12 & 63];
    if (len == 2)
        *out++ = base64_url[group >> 6 & 63];
}

// The last two or three characters; false when bits behind the last byte are set, since the same
// bytes would then have more than one spelling.
static bool base64_take_tail(const uint8_t *values, const uint8_t *in, size_t chars, uint8_t *out)
{
    uint8_t a = values[in[0]];
    uint8_t b = values[in[1]];
    uint8_t c = chars == 3 ? values[in[2]] : 0;
    if ((a | b | c) & 0xc0 || (chars == 3 ? c & 0x03 : b & 0x0f))
        return false;
    out[0] = (uint8_t)(a << 2 | b >> 4);
    if (chars == 3)
        out[1] = (uint8_t)(b << 4 | c >> 2);
    return true;
}

// Text without padding.
static enum twoleg_error base64_take(const uint8_t *values, struct str text, uint8_t *out,
                                     size_t cap, size_t *ret_len)
{
    size_t tail = text.len % 4;
    size_t len = text.len / 4 * 3 + (tail ? tail - 1 : 0);
    if (tail == 1)
        return TWOLEG_MALFORMED;
    if (len > cap)
        return TWOLEG_TOO_LONG;
    const uint8_t *in = (const uint8_t *)text.ptr;
    for (size_t groups = text.len / 4; groups; groups--, in += 4, out += 3) {
        uint8_t a = values[in[0]];
        uint8_t b = values[in[1]];
        uint8_t c = values[in[2]];
        uint8_t d = values[in[3]];
        if ((a | b | c | d) & 0xc0)
            return TWOLEG_MALFORMED;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    if (tail && !base64_take_tail(values, in, tail, out))
        return TWOLEG_MALFORMED;
    *ret_len = len;
    return TWOLEG_NONE;
}

static char *base64_reserve(struct buf *out, size_t len, size_t chars)
{
    // Far above every input of ours, and far from where the number of characters wraps.
    if (len == 0 || len > SIZE_MAX / 8) {
        out->failed |= len > 0;
        return NULL;
    }
    return buf_reserve(out, chars);
}

void base64url_encode_to(char *out, const void *bytes, size_t len)
{
    base64_put(out, bytes, len);
}

void base64url_encode(struct buf *out, const void *bytes, size_t len)
{
    char *at = base64_reserve(out, len, BASE64URL_LEN(len));
    if (at)
        base64_put(at, bytes, len);
}

enum twoleg_error base64url_decode(struct str text, void *out, size_t cap, size_t *ret_len)
{
    return base64_take(base64_url_values, text, out, cap, ret_len);
}

enum twoleg_error base64_decode(struct str text, void *out, size_t cap, size_t *ret_len)
{
    if (text.len % 4)
        return TWOLEG_MALFORMED;
    // At most two; a third one is then met as a character outside of the alphabet.
    for (int padding = 0; padding < 2 && text.len && text.ptr[text.len - 1] == '='; padding++)
        text.len--;
    return base64_take(base64_plain_values, text, out, cap, ret_len);
}
