// SPDX-License-Identifier: Apache-2.0
#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIG_PROBLEM_TEXT 128 // most texts are shorter; longer ones grow

bool config_report_init(struct config_report *report, struct arena *arena)
{
    *report = (struct config_report){.arena = arena};
    report->problems = arena_array(arena, CONFIG_REPORT_MAX, sizeof *report->problems);
    return report->problems != NULL;
}

bool config_report_is_clean(const struct config_report *report)
{
    return report->count == 0 && report->dropped == 0;
}

// Further problems are only counted.
static bool config_report_is_full(const struct config_report *report)
{
    return report->count == CONFIG_REPORT_MAX;
}

struct buf config_report_text(struct config_report *report)
{
    struct buf text;
    buf_init_arena(&text, report->arena, CONFIG_PROBLEM_TEXT);
    return text;
}

void config_report_add(struct config_report *report, struct str source, struct config_mark mark,
                       const struct buf *text)
{
    if (config_report_is_full(report) || text->failed) {
        report->dropped++;
        return;
    }
    report->problems[report->count++] = (struct config_problem){
        .source = arena_copy(report->arena, source),
        .mark = mark,
        .text = buf_str(text),
    };
}

void config_report_addf(struct config_report *report, struct str source, struct config_mark mark,
                        const char *format, ...)
{
    if (config_report_is_full(report)) {
        report->dropped++;
        return;
    }
    char text[512]; // format is ours and its arguments are short; vsnprintf cuts what is not
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct buf copy = config_report_text(report);
    size_t end = len < 0 ? 0 : (size_t)len;
    buf_add(&copy, str_of(text, end < sizeof text ? end : sizeof text - 1));
    config_report_add(report, source, mark, &copy);
}

static int config_problem_compare(const void *left, const void *right)
{
    const struct config_problem *a = left;
    const struct config_problem *b = right;
    int order = str_compare(a->source, b->source);
    if (!order)
        order = (a->mark.line > b->mark.line) - (a->mark.line < b->mark.line);
    if (!order)
        order = (a->mark.column > b->mark.column) - (a->mark.column < b->mark.column);
    // The last resort keeps the output the same for the same input: qsort itself is not stable.
    return order ? order : str_compare(a->text, b->text);
}

void config_report_print(struct config_report *report, struct buf *out)
{
    if (report->count)
        qsort(report->problems, report->count, sizeof *report->problems, config_problem_compare);
    for (size_t i = 0; i < report->count; i++) {
        const struct config_problem *problem = &report->problems[i];
        buf_add(out, problem->source);
        if (problem->mark.line)
            buf_addf(out, ":%u:%u", problem->mark.line, problem->mark.column);
        // Of the command line there is no file.
        buf_addf(out, "%s%.*s\n", problem->source.len ? ": " : "", STR_ARG(problem->text));
    }
    if (report->dropped)
        buf_add(out, STR("too many problems: the rest is not shown\n"));
}
