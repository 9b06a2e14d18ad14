// SPDX-License-Identifier: Apache-2.0
#include "codec/duration.h"

#include "codec_test.h"

static struct str shown(void (*format)(struct buf *, int64_t), int64_t us)
{
    static char memory[64];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    format(&out, us);
    return buf_str(&out);
}

static void units_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
        const char *shortest, *people;
    } rows[] = {
        {"0", 0, "0s", "0 s"},
        {"3600", DURATION_HOUR, "1h", "1 h"},
        {"90s", 90 * SECOND_US, "90s", "90 s"},
        {"5m", 5 * DURATION_MINUTE, "5m", "5 min"},
        {"1h", DURATION_HOUR, "1h", "1 h"},
        {"1d", DURATION_DAY, "1d", "1 d"},
        {"36h", 36 * DURATION_HOUR, "36h", "36 h"},
        {"7d", DURATION_WEEK, "1w", "1 w"},
        {"2w", 2 * DURATION_WEEK, "2w", "2 w"},
        {"1y", INT64_C(31536000000000), "1y", "1 y"},
        {"365d", DURATION_YEAR, "1y", "1 y"},
        {"250ms", 250 * DURATION_MS, "250ms", "250 ms"},
        {"1000ms", SECOND_US, "1s", "1 s"},
        {"7us", 7, "7us", "7 us"},
        {"never", TIME_NEVER, "never", "never"},
        {"9223372036854775806us", INT64_MAX - 1, "9223372036854775806us",
         "9223372036854775806 us"},
        {"292471y", 292471 * DURATION_YEAR, "292471y", "292471 y"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t us;
        struct str text = str_from(rows[i].text);
        assert_error(duration_parse(text, true, &us), TWOLEG_NONE, text);
        assert_true(us == rows[i].us);
        assert_text(shown(duration_format, us), str_from(rows[i].shortest));
        assert_text(shown(duration_format_people, us), str_from(rows[i].people));
        assert_error(duration_parse(str_from(rows[i].shortest), true, &us), TWOLEG_NONE, text);
        assert_true(us == rows[i].us);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum twoleg_error error;
    } rows[] = {
        {"", TWOLEG_MALFORMED},     {" 1s", TWOLEG_MALFORMED},   {"s", TWOLEG_MALFORMED},
        {"-1s", TWOLEG_MALFORMED},  {"+1s", TWOLEG_MALFORMED},   {"01s", TWOLEG_MALFORMED},
        {"00", TWOLEG_MALFORMED},   {"Never", TWOLEG_MALFORMED}, {"0x10", TWOLEG_UNKNOWN},
        {"1.5h", TWOLEG_UNKNOWN},   {"1 h", TWOLEG_UNKNOWN},     {"1h ", TWOLEG_UNKNOWN},
        {"1H", TWOLEG_UNKNOWN},     {"1h30m", TWOLEG_UNKNOWN},   {"1min", TWOLEG_UNKNOWN},
        {"1M", TWOLEG_UNKNOWN},     {"1sec", TWOLEG_UNKNOWN},    {"1e3", TWOLEG_UNKNOWN},
        {"1ns", TWOLEG_UNKNOWN},    {"292472y", TWOLEG_RANGE},   {"9223372036855s", TWOLEG_RANGE},
        {"9223372036854775807us", TWOLEG_RANGE},
        {"18446744073709551616", TWOLEG_RANGE},
        {"99999999999999999999999999999999", TWOLEG_RANGE},
        {"20000000000000000000us", TWOLEG_RANGE},
    };
    int64_t us = -5;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = str_from(rows[i].text);
        assert_error(duration_parse(text, true, &us), rows[i].error, text);
    }
    assert_error(duration_parse(STR("1s\0"), true, &us), TWOLEG_UNKNOWN, STR(""));
    assert_error(duration_parse(STR("never"), false, &us), TWOLEG_RANGE, STR(""));
    assert_true(us == -5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_read_and_written),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
