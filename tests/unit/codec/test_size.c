// SPDX-License-Identifier: Apache-2.0
#include "codec/size.h"

#include "codec_test.h"

static void sizes_go_round(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *shortest;
    } rows[] = {
        {"0", 0, "0"},
        {"1", 1, "1"},
        {"512B", 512, "512"},
        {"1023", 1023, "1023"},
        {"1024", 1024, "1KiB"},
        {"64KiB", 65536, "64KiB"},
        {"10MiB", 10485760, "10MiB"},
        {"1536KiB", 1572864, "1536KiB"},
        {"2GiB", UINT64_C(1) << 31, "2GiB"},
        {"1TiB", UINT64_C(1) << 40, "1TiB"},
        {"16777215TiB", UINT64_C(16777215) << 40, "16777215TiB"},
        {"18446744073709551615", UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[64];
        struct buf out;
        uint64_t bytes;
        struct str text = str_from(rows[i].text);
        assert_error(size_parse(text, &bytes), TWOLEG_NONE, text);
        assert_true(bytes == rows[i].bytes);
        buf_init(&out, memory, sizeof memory);
        size_format(&out, bytes);
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
        {"", TWOLEG_MALFORMED},        {"KiB", TWOLEG_MALFORMED},    {"-1", TWOLEG_MALFORMED},
        {"01", TWOLEG_MALFORMED},      {" 1", TWOLEG_MALFORMED},     {"1K", TWOLEG_UNKNOWN},
        {"1KB", TWOLEG_UNKNOWN},       {"1MB", TWOLEG_UNKNOWN},      {"1kib", TWOLEG_UNKNOWN},
        {"1 KiB", TWOLEG_UNKNOWN},     {"1.5MiB", TWOLEG_UNKNOWN},   {"1KiB ", TWOLEG_UNKNOWN},
        {"16777216TiB", TWOLEG_RANGE}, {"18446744073709551616", TWOLEG_RANGE},
    };
    uint64_t bytes;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = str_from(rows[i].text);
        assert_error(size_parse(text, &bytes), rows[i].error, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_go_round),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
