// SPDX-License-Identifier: Apache-2.0
// What the units of base/ share.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline void check_str(struct str got, const char *expected)
{
    if (got.len != strlen(expected) || memcmp(got.ptr, expected, got.len) != 0)
        fail_msg("got \"%.*s\", expected \"%s\"", (int)got.len, got.ptr, expected);
}
