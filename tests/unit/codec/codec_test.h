// SPDX-License-Identifier: Apache-2.0
// What the units of this folder share: cmocka's includes, texts compared as texts, an arena.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define assert_text(got, wanted)                                                                   \
    do {                                                                                           \
        struct str got_ = (got);                                                                   \
        struct str wanted_ = (wanted);                                                             \
        if (!str_equal(got_, wanted_))                                                             \
            fail_msg("got \"%.*s\", not \"%.*s\"", STR_ARG(got_), STR_ARG(wanted_));               \
    } while (0)

#define assert_error(got, wanted, text)                                                            \
    do {                                                                                           \
        enum twoleg_error got_ = (got);                                                            \
        if (got_ != (wanted))                                                                      \
            fail_msg("%s, not %s: \"%.*s\"", twoleg_error_name(got_), twoleg_error_name(wanted),   \
                     STR_ARG(text));                                                               \
    } while (0)

// A copy on the heap without a NUL behind it, so that the sanitizer sees a read past the end.
static inline char *exact_copy(struct str text)
{
    char *copy = test_malloc(text.len ? text.len : 1);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}
