// SPDX-License-Identifier: Apache-2.0
// For targets that read what a token endpoint is sent.
#pragma once
#include "base64_text.h"
#include "dialect/dialect.h"
#include "fuzz.h"

#define KEPT 64

// A dialect of ours, or NULL. Each is loaded once, for the whole run.
static inline const struct dialect *fuzz_shipped(struct str name)
{
    static const struct dialect *kept[KEPT];
    static struct arena arenas[KEPT];
    const char *each;
    struct config_report report;
    for (size_t i = 0; i < KEPT && (each = dialect_shipped_name(i)); i++) {
        if (!str_equal(str_from(each), name))
            continue;
        if (kept[i])
            return kept[i];
        arena_init(&arenas[i], NULL, (size_t)1 << 24);
        struct dialect_library library = {.arena = &arenas[i], .report = &report};
        FUZZ_MUST(config_report_init(&report, &arenas[i]));
        FUZZ_MUST(dialect_find(&library, name, &kept[i]) == TWOLEG_NONE);
        return kept[i];
    }
    return NULL;
}

// Of a line of the input: what begins with ! is encoded first.
static inline struct str fuzz_authorization(struct arena *arena, struct str line)
{
    struct buf out;
    if (!str_starts_with(line, STR("!")))
        return line;
    buf_init_arena(&out, arena, line.len * 2 + 16);
    buf_add(&out, STR("Basic "));
    base64_text(&out, line.ptr + 1, line.len - 1);
    return buf_str(&out);
}
