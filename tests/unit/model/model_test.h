// SPDX-License-Identifier: Apache-2.0
// What the units of model/ share.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline void check_str(struct str got, const char *expected)
{
    if (got.len != strlen(expected) || (got.len && memcmp(got.ptr, expected, got.len) != 0))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_ARG(got), expected);
}

static inline void check_error(enum twoleg_error got, enum twoleg_error expected, const char *what)
{
    if (got != expected)
        fail_msg("%s: got \"%s\", expected \"%s\"", what, twoleg_error_text(got),
                 twoleg_error_text(expected));
}

// An arena as a test's state.
static inline int arena_setup(void **state)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return -1;
    arena_init(arena, NULL, ARENA_REQUEST_CAP);
    *state = arena;
    return 0;
}

static inline int arena_teardown(void **state)
{
    arena_finish(*state);
    free(*state);
    return 0;
}
