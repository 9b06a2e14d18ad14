// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: all of it, in the order of the file, not the first find only.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

// Where a value stands; counted from 1. Line 0: it stands in no file.
struct config_mark {
    uint32_t line;
    uint32_t column;
};

#define CONFIG_REPORT_MAX 100 // problems kept; further ones are only counted

struct config_problem {
    struct str source; // "twoleg.yaml", "--listen", "$TWOLEG_DATA"
    struct config_mark mark;
    struct str text;
};

struct config_report {
    struct arena *arena;
    struct config_problem *problems; // unsorted; config_report_print sorts
    size_t count;
    size_t dropped; // problems beyond CONFIG_REPORT_MAX, or for which memory was missing
};

// Texts and names of sources are copied into the arena. false without memory.
bool config_report_init(struct config_report *report, struct arena *arena);
bool config_report_is_clean(const struct config_report *report);

// A text for the next problem, to be filled and given to config_report_add.
struct buf config_report_text(struct config_report *report);
void config_report_add(struct config_report *report, struct str source, struct config_mark mark,
                       const struct buf *text);
void config_report_addf(struct config_report *report, struct str source, struct config_mark mark,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

// One line for each problem: `twoleg.yaml:14:3: text`, ordered by source, line and column.
void config_report_print(struct config_report *report, struct buf *out);
