// SPDX-License-Identifier: Apache-2.0
// Test vectors are written in hex.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"

// Decodes into memory of the caller; the text must be well-formed.
static inline struct str hex_read(const char *text, uint8_t *memory, size_t cap)
{
    size_t len = strlen(text) / 2;
    assert_true(len <= cap && strlen(text) % 2 == 0);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], 0};
        char *end;
        memory[i] = (uint8_t)strtoul(pair, &end, 16);
        assert_ptr_equal(end, pair + 2);
    }
    return str_of(memory, len);
}

static inline void hex_expect(const void *bytes, size_t len, const char *text)
{
    uint8_t expected[1024];
    struct str want = hex_read(text, expected, sizeof expected);
    assert_int_equal(want.len, len);
    assert_memory_equal(bytes, want.ptr, len);
}
