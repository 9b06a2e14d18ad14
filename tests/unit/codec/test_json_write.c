// SPDX-License-Identifier: Apache-2.0
#include "codec/json_write.h"

#include "codec/json_read.h"
#include "codec_test.h"

static char memory[1024];
static struct buf out;
static struct json_writer w;

static void start(size_t cap)
{
    buf_init(&out, memory, cap);
    json_writer_init(&w, &out);
}

static void rfc6749_5_1_answer_is_written_in_order(void **state)
{
    (void)state;
    start(sizeof memory);
    json_object_begin(&w);
    json_key_str(&w, STR("access_token"), STR("2YotnFZFEjr1zCsicMWpAA"));
    json_key_str(&w, STR("token_type"), STR("example"));
    json_key_u64(&w, STR("expires_in"), 3600);
    json_object_end(&w);
    assert_text(buf_str(&out), STR("{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\","
                                   "\"token_type\":\"example\",\"expires_in\":3600}"));
}

static void commas_stand_between_values_only(void **state)
{
    (void)state;
    start(sizeof memory);
    json_array_begin(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_array_begin(&w);
    json_array_end(&w);
    json_object_begin(&w);
    json_key(&w, STR("a"));
    json_array_begin(&w);
    json_i64(&w, INT64_MIN);
    json_u64(&w, UINT64_MAX);
    json_array_end(&w);
    json_key_bool(&w, STR("t"), true);
    json_key_bool(&w, STR("f"), false);
    json_key_nil(&w, STR("n"));
    json_key_raw(&w, STR("r"), STR("[1]"));
    json_key_i64(&w, STR("i"), -1);
    json_object_end(&w);
    json_str(&w, STR(""));
    json_bool(&w, false);
    json_nil(&w);
    json_array_end(&w);
    assert_text(buf_str(&out),
                STR("[{},[],{\"a\":[-9223372036854775808,18446744073709551615],\"t\":true,"
                    "\"f\":false,\"n\":null,\"r\":[1],\"i\":-1},\"\",false,null]"));
}

static void rfc8259_7_escapes(void **state)
{
    (void)state;
    static const struct {
        struct str text, written;
    } rows[] = {
        {{"a\"b\\c/", 6}, {"\"a\\\"b\\\\c/\"", 10}},
        {{"\b\f\n\r\t", 5}, {"\"\\b\\f\\n\\r\\t\"", 12}},
        {{"\0\x1f\x7f", 3}, {"\"\\u0000\\u001f\x7f\"", 15}},
        {{"\xc3\xa4\xf0\x9f\x98\x80", 6}, {"\"\xc3\xa4\xf0\x9f\x98\x80\"", 8}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        start(sizeof memory);
        json_str(&w, rows[i].text);
        assert_text(buf_str(&out), rows[i].written);
    }
    start(sizeof memory);
    json_object_begin(&w);
    json_key_u64(&w, STR("a\"\n"), 1);
    json_key_u64(&w, STR("b\""), 2);
    json_object_end(&w);
    assert_text(buf_str(&out), STR("{\"a\\\"\\n\":1,\"b\\\"\":2}"));
}

static void invalid_utf8_never_leaves(void **state)
{
    (void)state;
    start(sizeof memory);
    json_array_begin(&w);
    json_str(&w, STR("a\xff z"));
    json_str(&w, STR("\xed\xa0\x80"));
    json_str(&w, STR("cut\xe2\x82"));
    json_array_end(&w);
    assert_text(buf_str(&out), STR("[\"a\xef\xbf\xbd z\",\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
                                   "\"cut\xef\xbf\xbd\xef\xbf\xbd\"]"));
}

static void every_byte_at_every_place_stays_valid(void **state)
{
    (void)state;
    char text[20];
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t place = 0; place < sizeof text; place++) {
            memset(text, 'a', sizeof text);
            text[place] = (char)byte;
            start(sizeof memory);
            json_str(&w, str_of(text, sizeof text));
            assert_error(json_check(buf_str(&out), NULL), TWOLEG_NONE, buf_str(&out));
        }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    start(sizeof memory);
    for (int i = 0; i < JSON_WRITE_DEPTH; i++)
        json_array_begin(&w);
    assert_false(out.failed);
    for (int i = 0; i < JSON_WRITE_DEPTH; i++)
        json_array_end(&w);
    assert_false(out.failed);
    json_array_end(&w);
    assert_true(out.failed);

    start(sizeof memory);
    for (int i = 0; i <= JSON_WRITE_DEPTH; i++)
        json_array_begin(&w);
    assert_true(out.failed);
}

static void a_full_buffer_fails_at_every_length(void **state)
{
    (void)state;
    start(sizeof memory);
    for (size_t cap = 0;; cap++) {
        start(cap);
        json_object_begin(&w);
        json_key_str(&w, STR("key"), STR("plain"));
        json_key_str(&w, STR("k\""), STR("\n"));
        json_object_end(&w);
        if (!out.failed) {
            assert_int_equal(cap, out.len);
            break;
        }
        assert_null(buf_str(&out).ptr);
    }
    assert_text(buf_str(&out), STR("{\"key\":\"plain\",\"k\\\"\":\"\\n\"}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6749_5_1_answer_is_written_in_order),
        cmocka_unit_test(commas_stand_between_values_only),
        cmocka_unit_test(rfc8259_7_escapes),
        cmocka_unit_test(invalid_utf8_never_leaves),
        cmocka_unit_test(every_byte_at_every_place_stays_valid),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_full_buffer_fails_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
