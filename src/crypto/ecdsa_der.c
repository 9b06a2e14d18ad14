// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdsa_der.h"

#include <string.h>

#define DER_INTEGER 0x02
#define DER_SEQUENCE 0x30

struct der_reader {
    const uint8_t *at;
    size_t left;
};

static bool der_byte(struct der_reader *der, uint8_t *ret_byte)
{
    if (der->left == 0)
        return false;
    *ret_byte = *der->at++;
    der->left--;
    return true;
}

// X.690 8.1.3: the short form, or one byte behind 0x81 when that byte needs it. Longer contents do
// not occur with numbers of up to 66 bytes.
static bool der_length(struct der_reader *der, size_t *ret_len)
{
    uint8_t first, second;
    if (!der_byte(der, &first))
        return false;
    if (first < 0x80) {
        *ret_len = first;
        return true;
    }
    if (first != 0x81 || !der_byte(der, &second) || second < 0x80)
        return false;
    *ret_len = second;
    return true;
}

// The element's content becomes a reader of its own; it lies wholly within what is left.
static bool der_element(struct der_reader *der, uint8_t tag, struct der_reader *ret_content)
{
    uint8_t found;
    size_t len;
    if (!der_byte(der, &found) || found != tag || !der_length(der, &len) || len > der->left)
        return false;
    *ret_content = (struct der_reader){der->at, len};
    der->at += len;
    der->left -= len;
    return true;
}

// One non-negative INTEGER in its shortest form, right-aligned into len bytes.
static bool der_unsigned(struct der_reader *der, uint8_t *ret_number, size_t len)
{
    struct der_reader number;
    if (!der_element(der, DER_INTEGER, &number) || number.left == 0 || number.at[0] >= 0x80)
        return false;
    if (number.at[0] == 0 && number.left > 1) {
        if (number.at[1] < 0x80)
            return false;
        number.at++;
        number.left--;
    }
    if (number.left > len)
        return false;
    memset(ret_number, 0, len - number.left);
    memcpy(ret_number + len - number.left, number.at, number.left);
    return true;
}

bool ecdsa_raw_from_der(struct str der, size_t coordinate_len, uint8_t *ret_raw)
{
    struct der_reader all = {(const uint8_t *)der.ptr, der.len};
    struct der_reader sequence;
    uint8_t raw[2 * ECDSA_COORDINATE_MAX];
    if (coordinate_len == 0 || coordinate_len > ECDSA_COORDINATE_MAX)
        return false;
    if (!der_element(&all, DER_SEQUENCE, &sequence) || all.left != 0)
        return false;
    if (!der_unsigned(&sequence, raw, coordinate_len) ||
        !der_unsigned(&sequence, raw + coordinate_len, coordinate_len) || sequence.left != 0)
        return false;
    memcpy(ret_raw, raw, 2 * coordinate_len);
    return true;
}

static size_t der_write_unsigned(const uint8_t *number, size_t len, uint8_t *ret_der)
{
    while (len > 1 && number[0] == 0) {
        number++;
        len--;
    }
    size_t zero = number[0] >= 0x80;
    ret_der[0] = DER_INTEGER;
    ret_der[1] = (uint8_t)(len + zero); // at most 67
    ret_der[2] = 0;
    memcpy(ret_der + 2 + zero, number, len);
    return 2 + zero + len;
}

size_t ecdsa_der_from_raw(const uint8_t *raw, size_t coordinate_len,
                          uint8_t ret_der[ECDSA_DER_MAX])
{
    uint8_t content[ECDSA_DER_MAX];
    size_t len = der_write_unsigned(raw, coordinate_len, content);
    len += der_write_unsigned(raw + coordinate_len, coordinate_len, content + len);
    size_t head = 0;
    ret_der[head++] = DER_SEQUENCE;
    if (len >= 0x80)
        ret_der[head++] = 0x81;
    ret_der[head++] = (uint8_t)len; // at most 2 * 69
    memcpy(ret_der + head, content, len);
    return head + len;
}
