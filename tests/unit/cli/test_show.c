// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/show.h"

static void check(const char *json, const char *member, enum show_kind kind, const char *wanted)
{
    struct cli cli = {.command = NULL};
    struct show_column column = {"X", member, kind};
    json_t *row = json_loads(json, 0, NULL);
    assert_non_null(row);
    arena_init(&cli.arena, NULL, 65536);
    struct str text = show_text(&cli, row, &column);
    assert_int_equal(text.len, strlen(wanted));
    assert_memory_equal(text.ptr, wanted, text.len);
    arena_finish(&cli.arena);
    json_decref(row);
}

static void values_as_people_read_them(void **state)
{
    (void)state;
    check("{\"a\":\"text\"}", "a", SHOW_TEXT, "text");
    check("{\"a\":\"\"}", "a", SHOW_TEXT, "-");
    check("{}", "a", SHOW_TEXT, "-");
    check("{\"a\":3600}", "a", SHOW_LIFE, "1 h");
    check("{\"a\":1}", "a", SHOW_LIFE, "1 s");
    check("{\"a\":null}", "a", SHOW_LIFE, "never");
    check("{\"a\":0}", "a", SHOW_TIME, "1970-01-01 00:00:00Z");
    check("{\"a\":null}", "a", SHOW_TIME, "-");
    check("{\"a\":[\"x\",\"y\"]}", "a", SHOW_LIST, "x y");
    check("{\"a\":[]}", "a", SHOW_LIST, "-");
    check("{\"a\":true}", "a", SHOW_YES, "yes");
    check("{\"a\":7}", "a", SHOW_COUNT, "7");
}

static void F7_control_characters_never_reach_the_terminal(void **state)
{
    (void)state;
    check("{\"a\":\"x\\u001b[31m\\ny\\u007f\"}", "a", SHOW_TEXT, "x?[31m?y?");
    check("{\"a\":[\"\\u0007\"]}", "a", SHOW_LIST, "?");
    // C1: U+009B is the same as ESC [ to a terminal.
    check("{\"a\":\"x\\u0080\\u009b31m\\u009f\\u00a0\"}", "a", SHOW_TEXT, "x??31m?\u00a0");
    // What turns the order of what follows around.
    check("{\"a\":\"x\\u202egnp.\\u2066y\\u200f\"}", "a", SHOW_TEXT, "x?gnp.?y?");
    check("{\"a\":\"\\u00fc\\u20ac\\u2026\\ud83d\\ude00\\u05d0\"}", "a", SHOW_TEXT,
          "\u00fc\u20ac\u2026\U0001f600\u05d0");
}

// With --json, too: the same object, in other letters.
static void F7_control_characters_are_escapes_in_json(void **state)
{
    (void)state;
    char shown[512] = "";
    json_t *object = json_pack("{s:s}", "a\u202eb",
                               "x\x1b\n\x7f\xc2\x85\u061c\u2066\u200f\u00fc\u20ac");
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    assert_true(object && kept >= 0 && file && dup2(fileno(file), STDOUT_FILENO) >= 0);
    show_object(object);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    assert_true(fread(shown, 1, sizeof shown - 1, file) > 0);
    fclose(file);
    assert_string_equal(shown,
                        "{\n  \"a\\u202Eb\": \"x\\u001B\\n\\u007F\\u0085\\u061C\\u2066"
                        "\\u200F\u00fc\u20ac\"\n}\n");
    json_t *read = json_loads(shown, 0, NULL);
    assert_true(json_equal(read, object));
    json_decref(read);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_as_people_read_them),
        cmocka_unit_test(F7_control_characters_never_reach_the_terminal),
        cmocka_unit_test(F7_control_characters_are_escapes_in_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
