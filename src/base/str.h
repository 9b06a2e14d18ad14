// SPDX-License-Identifier: Apache-2.0
// Views of text: a pointer and a length, never owned, never NUL-terminated by promise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
// For printf("%.*s", STR_ARG(s)) in logs and the CLI.
#define STR_ARG(s) (int)(s).len, (s).ptr

struct str str_from(const char *text); // NULL gives STR_NONE
struct str str_of(const void *bytes, size_t len);
struct str str_slice(struct str s, size_t from, size_t to); // clamped to s
struct str str_trim(struct str s, const char *set);         // both ends

bool str_equal(struct str a, struct str b);        // not for secrets: see crypto/compare.h
bool str_equal_nocase(struct str a, struct str b); // ASCII
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
int str_compare(struct str a, struct str b); // as memcmp, the shorter first

// Position of the byte, or s.len.
size_t str_find(struct str s, char byte);

// Takes the part of *rest before the next separator; false when *rest is used up. "a,,b" gives
// "a", "", "b"; an empty text gives one empty part, STR_NONE none. Start with *rest = the text.
bool str_split(struct str *rest, char separator, struct str *ret_part);

// The next word of a text separated by blanks; runs of blanks count once.
bool str_word(struct str *rest, struct str *ret_word);
bool str_has_word(struct str words, struct str word);

// Decimal digits only, no sign, no leading blank; false on overflow or anything else.
bool str_to_u64(struct str s, uint64_t *ret_value);
// Value of a hex digit of either case; -1 for anything else.
static inline int str_hex_digit(char c)
{
    char letter = (char)(c | 0x20);
    if (c >= '0' && c <= '9')
        return c - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}
// Exactly 1 to 16 hex digits.
bool str_to_hex_u64(struct str s, uint64_t *ret_value);
