// SPDX-License-Identifier: Apache-2.0
#include "codec/rate.h"

#include "codec_test.h"

static void rates_go_round(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct rate rate;
        const char *shortest;
    } rows[] = {
        {"none", {0, 0, 0}, "none"},
        {"100/1m", {100, 100, 60000000}, "100/1m"},
        {"100/60", {100, 100, 60000000}, "100/1m"},
        {"100/1m:20", {100, 20, 60000000}, "100/1m:20"},
        {"100/1m:100", {100, 100, 60000000}, "100/1m"},
        {"1/1s", {1, 1, 1000000}, "1/1s"},
        {"10001/1s", {10001, 10001, 1000000}, "10001/1s"}, // 99.99 us apart, taken as 99
        {"999999/1s", {999999, 999999, 1000000}, "999999/1s"},
        {"500000/1s", {500000, 500000, 1000000}, "500000/1s"},
        {"1000000/1s", {1000000, 1000000, 1000000}, "1000000/1s"},
        {"1000000/1d:1000000", {1000000, 1000000, INT64_C(86400000000)}, "1000000/1d"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[64];
        struct buf out;
        struct rate rate;
        struct str text = str_from(rows[i].text);
        assert_error(rate_parse(text, &rate), TWOLEG_NONE, text);
        assert_int_equal(rate.count, rows[i].rate.count);
        assert_int_equal(rate.burst, rows[i].rate.burst);
        assert_true(rate.period_us == rows[i].rate.period_us);
        buf_init(&out, memory, sizeof memory);
        rate_format(&out, &rate);
        assert_text(buf_str(&out), str_from(rows[i].shortest));
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum twoleg_error error;
    } rows[] = {
        {"", TWOLEG_MALFORMED},        {"100", TWOLEG_MALFORMED},    {"/1m", TWOLEG_MALFORMED},
        {"1/", TWOLEG_MALFORMED},      {"-1/1m", TWOLEG_MALFORMED},  {"1 /1m", TWOLEG_MALFORMED},
        {"1/1m:", TWOLEG_MALFORMED},   {"1:1/1m", TWOLEG_MALFORMED}, {"1/1m:1:1", TWOLEG_MALFORMED},
        {"None", TWOLEG_MALFORMED},    {"1/never", TWOLEG_RANGE},    {"1/1q", TWOLEG_UNKNOWN},
        {"0/1m", TWOLEG_RANGE},        {"1/1m:0", TWOLEG_RANGE},     {"1000001/1m", TWOLEG_RANGE},
        {"1/1m:1000001", TWOLEG_RANGE}, {"1/999ms", TWOLEG_RANGE},   {"1/25h", TWOLEG_RANGE},
        {"99999999999999999999/1m", TWOLEG_RANGE},
        {"600000/1s", TWOLEG_RANGE},    {"500001/1s", TWOLEG_RANGE},
        {"60001/1s", TWOLEG_RANGE},
    };
    struct rate rate = {7, 7, 7};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = str_from(rows[i].text);
        assert_error(rate_parse(text, &rate), rows[i].error, text);
        assert_int_equal(rate.count, 7); // set only on success
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_go_round),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
