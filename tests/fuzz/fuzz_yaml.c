// SPDX-License-Identifier: Apache-2.0
// Any text as a configuration file: it loads, or every problem has a line. What loads is shown, and
// what was shown loads again.
#include <stdlib.h>

#include "config/show.h"
#include "config/walk.h"

static enum twoleg_error fuzz_walk(struct str text, struct arena *arena, struct config *config)
{
    struct config_report report;
    struct buf printed;
    const struct walk_source source = {.name = STR("f.yaml"), .text = text, .folder = STR("/f")};
    if (!config_report_init(&report, arena))
        abort();
    enum twoleg_error error = walk_load(&source, config_schema(), arena, config, NULL, &report);
    if (error == TWOLEG_MALFORMED && config_report_is_clean(&report))
        abort(); // refused without a word
    if (!error && !config_report_is_clean(&report))
        abort(); // taken with a problem
    for (size_t i = 0; i < report.count; i++)
        if (!report.problems[i].mark.line)
            abort();
    buf_init_arena(&printed, arena, 1024);
    config_report_print(&report, &printed);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct config config = {.workers = 0};
    struct config again = {.workers = 0};
    struct buf text;
    if (size > YAML_FILE_MAX)
        return 0;
    arena_init(&arena, NULL, (size_t)64 << 20);
    if (!fuzz_walk(str_of(data, size), &arena, &config)) {
        // config_load sets the doors of a listener that names none; an empty list is refused.
        for (size_t i = 0; i < config.listen.count; i++)
            if (!config.listen.items[i].doors)
                config.listen.items[i].doors = 1;
        buf_init_arena(&text, &arena, 4096);
        config_show(&config, &text);
        if (text.failed || fuzz_walk(buf_str(&text), &arena, &again))
            abort();
    }
    arena_finish(&arena);
    return 0;
}
