// SPDX-License-Identifier: Apache-2.0
#include "model/number.h"

#define NUMBER_DIGITS 13 // 13 * 5 bits hold 64

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static struct str number_prefix(enum number_kind kind)
{
    static const struct str prefixes[] = {
        [NUMBER_APPLICATION] = {"app_", 4}, [NUMBER_SECRET] = {"sec_", 4},
        [NUMBER_USER] = {"usr_", 4},        [NUMBER_API] = {"api_", 4},
        [NUMBER_ACCOUNT] = {"acc_", 4},
    };
    return prefixes[kind];
}

void number_write(struct buf *out, enum number_kind kind, uint64_t number)
{
    char digits[NUMBER_DIGITS];
    for (size_t i = NUMBER_DIGITS; i-- > 0; number >>= 5)
        digits[i] = alphabet[number & 31];
    buf_add(out, number_prefix(kind));
    buf_add(out, str_of(digits, sizeof digits));
}

bool number_read(struct str text, enum number_kind kind, uint64_t *ret_number)
{
    struct str prefix = number_prefix(kind);
    if (text.len != prefix.len + NUMBER_DIGITS || !str_starts_with(text, prefix))
        return false;
    uint64_t number = 0;
    for (size_t i = prefix.len; i < text.len; i++) {
        struct str letters = {alphabet, sizeof alphabet - 1};
        size_t digit = str_find(letters, text.ptr[i]);
        // The first digit stands for 4 bits only: 65 would not fit and give a second spelling.
        if (digit == letters.len || (i == prefix.len && digit > 15))
            return false;
        number = number << 5 | digit;
    }
    *ret_number = number;
    return true;
}
