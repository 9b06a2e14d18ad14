// SPDX-License-Identifier: Apache-2.0
// For units whose tests each want an arena of their own.
#pragma once
#include "codec_test.h"

static struct arena arena;

static inline int arena_start(void **state)
{
    (void)state;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    return 0;
}

static inline int arena_end(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_start, arena_end)
