// SPDX-License-Identifier: Apache-2.0
// What the units of this folder share: one arena, one report, files in a folder of their own.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/load.h"
#include "config/show.h"
#include "config/walk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct config_test {
    struct arena arena;
    struct config_report report;
    char folder[64];
    char file[96]; // FOLDER/twoleg.yaml
};

static inline int config_test_setup(void **state)
{
    struct config_test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    arena_init(&test->arena, NULL, (size_t)64 << 20);
    assert_true(config_report_init(&test->report, &test->arena));
    strncpy(test->folder, "/tmp/twoleg-config-XXXXXX", sizeof test->folder - 1);
    assert_non_null(mkdtemp(test->folder));
    snprintf(test->file, sizeof test->file, "%s/twoleg.yaml", test->folder);
    *state = test;
    return 0;
}

static inline int config_test_teardown(void **state)
{
    struct config_test *test = *state;
    unlink(test->file);
    rmdir(test->folder);
    arena_finish(&test->arena);
    free(test);
    return 0;
}

// The report as it is printed, without the folder in front of the file's name.
static inline const char *config_test_print(struct config_test *test)
{
    static char printed[64 * 1024];
    char memory[64 * 1024];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    config_report_print(&test->report, &out);
    assert_false(out.failed);
    size_t len = 0;
    struct str rest = buf_str(&out);
    struct str line;
    struct str folder = str_from(test->folder);
    while (str_split(&rest, '\n', &line)) {
        if (str_starts_with(line, folder))
            line = str_slice(line, folder.len + 1, line.len);
        memcpy(printed + len, line.ptr, line.len);
        len += line.len;
        printed[len++] = '\n';
    }
    printed[len - 1] = '\0'; // the split gave an empty part behind the last line
    return printed;
}

static inline void config_test_write(const struct config_test *test, struct str text)
{
    FILE *file = fopen(test->file, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
}

// Nothing of the machine's: no environment, no system folder, four cores.
static inline struct config_sources config_test_sources(void)
{
    return (struct config_sources){.home = "/nonexistent/me", .system_data = "/nonexistent/lib",
                                   .cores = 4};
}

static inline enum twoleg_error config_test_load(struct config_test *test, const char *text,
                                                 struct config *ret_config)
{
    struct config_sources sources = config_test_sources();
    config_test_write(test, str_from(text));
    sources.file = test->file;
    return config_load(&sources, ret_config, &test->report);
}
