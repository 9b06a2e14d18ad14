// SPDX-License-Identifier: Apache-2.0
#include "codec/json_read.h"

#include "arena_test.h"

// Reads all members; the number of them, and the reader's error.
static enum twoleg_error read_all(struct str text, const struct json_limits *limits,
                                  unsigned *ret_count)
{
    struct json_reader r;
    struct str key;
    struct json_value value;
    unsigned count = 0;
    json_reader_init(&r, text, &arena, limits);
    while (json_next_member(&r, &key, &value))
        count++;
    *ret_count = count;
    return json_reader_error(&r);
}

// Both readers, on an exact copy: the check wants what the reader wants.
static void assert_document(struct str text, enum twoleg_error wanted)
{
    unsigned count;
    char *copy = exact_copy(text);
    assert_error(json_check(str_of(copy, text.len), NULL), wanted, text);
    assert_error(read_all(str_of(copy, text.len), NULL, &count), wanted, text);
    test_free(copy);
}

static struct json_value only_value(struct str text)
{
    struct json_reader r;
    struct str key;
    struct json_value value;
    struct json_value next;
    json_reader_init(&r, text, &arena, NULL);
    assert_true(json_next_member(&r, &key, &value));
    assert_false(json_next_member(&r, &key, &next));
    assert_error(json_reader_error(&r), TWOLEG_NONE, text);
    return value;
}

static void rfc7519_3_1_claims_are_read(void **state)
{
    (void)state;
    struct json_reader r;
    struct str key;
    struct json_value value;
    json_reader_init(&r,
                     STR("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                         "\"http://example.com/is_root\":true}"),
                     &arena, NULL);
    assert_true(json_next_member(&r, &key, &value));
    assert_text(key, STR("iss"));
    assert_int_equal(value.kind, JSON_KIND_STRING);
    assert_text(value.text, STR("joe"));
    assert_error(json_reader_error(&r), TWOLEG_MALFORMED, key); // not all read yet
    assert_true(json_next_member(&r, &key, &value));
    assert_text(key, STR("exp"));
    assert_int_equal(value.kind, JSON_KIND_INTEGER);
    assert_true(value.integer == 1300819380);
    assert_true(json_next_member(&r, &key, &value));
    assert_text(key, STR("http://example.com/is_root"));
    assert_int_equal(value.kind, JSON_KIND_BOOL);
    assert_true(value.boolean);
    assert_false(json_next_member(&r, &key, &value));
    assert_false(json_next_member(&r, &key, &value));
    assert_error(json_reader_error(&r), TWOLEG_NONE, key);
}

static void rfc8259_documents_that_are_good(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}", " \t\r\n{ \n} ", "{\"\":\"\"}", "{\"a\":[]}", "{\"a\":[ ]}", "{\"a\":{ }}",
        "{\"a\" : [ 1 , [ ] , { \"b\" : null } ] , \"c\" : -0.5e+10 }",
        "{\"a\":{\"b\":1},\"b\":{\"b\":2}}", "{\"a\":[{\"x\":1},{\"x\":1}]}",
        "{\"a\":\"\xc3\xa4 \\u00e4 \\ud83d\\ude00 \\/\"}", "{\"a\":\"\x7f\"}",
        "{\"a\":0,\"b\":-0,\"c\":1E5,\"d\":10,\"e\":1e400}",
    };
    for (size_t i = 0; i < COUNT(good); i++)
        assert_document(str_from(good[i]), TWOLEG_NONE);
}

static void C9_rfc8259_documents_that_are_not(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}",
        "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":1}x", "{\"a\":1}{}",
        "{\"a\":1},", "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":[1}}", "{\"a\":{]}",
        "{\"a\":[}", "{\"a\":01}", "{\"a\":-}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}",
        "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":0x1}", "{\"a\":-01}", "{\"a\":NaN}",
        "{\"a\":Infinity}", "{\"a\":True}", "{\"a\":tru}", "{\"a\":truex}", "{\"a\":nul",
        "{\"a\":\"", "{\"a\":\"x", "{\"a\":\"x\\", "{\"a\":\"\n\"}", "{\"a\":\"\t\"}",
        "{\"a\":\"\\x41\"}", "{\"a\":\"\\u\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\ud800x\"}", "{\"a\":\"\\ud83d\\ud83d\"}", "{\"a\":\"\\udc00\\udc00\"}",
        "{\"a\":\"\\ude00\\ud83d\"}",
        "{\"\\ud800\":1}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xc3", "{\"\xff\":1}", "\xef\xbb\xbf{}", "{}\xef\xbb\xbf", "/* */{}", "{}//",
        "{\"a\":1\v}", "{\"a\":1\f}", "\xc2\xa0{}", "{\"a\":\"\\\"}", "{\"a\":[[1],[2}",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_document(str_from(bad[i]), TWOLEG_MALFORMED);
    assert_document(STR("{\"a\":\"\0\"}"), TWOLEG_MALFORMED);
    assert_document(STR("{}\0"), TWOLEG_MALFORMED);
    assert_document(STR_NONE, TWOLEG_MALFORMED);
}

static void C9_every_truncation_is_refused(void **state)
{
    (void)state;
    struct str text = STR("{\"a\\u00e4\":[1,-2.5e3,{\"b\":\"\xf0\x9f\x98\x80\\n\"}],\"c\":null}");
    assert_document(text, TWOLEG_NONE);
    for (size_t len = 0; len < text.len; len++)
        assert_document(str_slice(text, 0, len), TWOLEG_MALFORMED);
}

static void C6_duplicate_keys_are_refused_at_every_level(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"exp\":1,\"exp\":1}",
        "{\"exp\":1,\"aud\":2,\"exp\":3}",
        "{\"exp\":1,\"\\u0065xp\":2}",
        "{\"\\u0065xp\":1,\"exp\":2}",
        "{\"\\u0065xp\":1,\"ex\\u0070\":2}",
        "{\"\xc3\xa4\":1,\"\\u00E4\":2}",
        "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}",
        "{\"\":1,\"\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "{\"a\":[0,{\"b\":1,\"c\":{\"b\":1},\"\\u0062\":1}]}",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_document(str_from(bad[i]), TWOLEG_DUPLICATE);
    static const char *const good[] = {
        "{\"exp\":1,\"Exp\":2,\"ex\":3,\"exp \":4}",
        "{\"\\u0065xp\":1,\"exq\":2,\"\\u0065x\":3,\"\\u0065xpp\":4}",
        "{\"a\\\\u0062\":1,\"ab\":2}",
    };
    for (size_t i = 0; i < COUNT(good); i++)
        assert_document(str_from(good[i]), TWOLEG_NONE);
}

static void C10_only_whole_numbers_in_range_are_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } integers[] = {
        {"{\"n\":0}", 0},
        {"{\"n\":-1}", -1},
        {"{\"n\":1300819380}", 1300819380},
        {"{\"n\":9223372036854775807}", INT64_MAX},
        {"{\"n\":-9223372036854775808}", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT(integers); i++) {
        struct json_value value = only_value(str_from(integers[i].text));
        assert_int_equal(value.kind, JSON_KIND_INTEGER);
        assert_true(value.integer == integers[i].value);
    }
    static const char *const others[] = {
        "{\"n\":-0}", "{\"n\":1.0}", "{\"n\":1e0}", "{\"n\":1E400}", "{\"n\":9223372036854775808}",
        "{\"n\":-9223372036854775809}", "{\"n\":99999999999999999999999999999999}", "{\"n\":1e300}",
    };
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(only_value(str_from(others[i])).kind, JSON_KIND_NUMBER);
    assert_text(only_value(STR("{\"n\": -1.50 }")).text, STR("-1.50"));
}

static void C9_a_number_has_a_longest_text(void **state)
{
    (void)state;
    char text[JSON_NUMBER_MAX + 16];
    for (int extra = 0; extra < 2; extra++) {
        int len = snprintf(text, sizeof text, "{\"n\":%0*d}", JSON_NUMBER_MAX + extra, 0);
        text[5] = '1';
        assert_document(str_of(text, (size_t)len), extra ? TWOLEG_TOO_LONG : TWOLEG_NONE);
    }
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    struct json_value value = only_value(STR("{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t"
                                             "\\u0041\\u00e4\\u20AC\\ud83d\\ude00z\"}"));
    assert_text(value.text, STR("\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"));
    value = only_value(STR("{\"s\":\"a\\u0000b\"}"));
    assert_text(value.text, STR("a\0b"));
    // A text without escapes is not copied.
    struct str plain = STR("{\"s\":\"joe\"}");
    assert_ptr_equal(only_value(plain).text.ptr, plain.ptr + 6);
}

static void keys_are_unescaped(void **state)
{
    (void)state;
    struct json_reader r;
    struct str key;
    struct json_value value;
    json_reader_init(&r, STR("{\"\\u0065xp\":1}"), &arena, NULL);
    assert_true(json_next_member(&r, &key, &value));
    assert_text(key, STR("exp"));
}

static void C9_depth_is_capped_without_recursion(void **state)
{
    (void)state;
    static char text[200002];
    unsigned count;
    for (unsigned depth = 14; depth < 18; depth++) {
        size_t len = 0;
        memcpy(text, "{\"a\":", 5);
        len = 5;
        for (unsigned i = 1; i < depth; i++)
            text[len++] = '[';
        for (unsigned i = 1; i < depth; i++)
            text[len++] = ']';
        text[len++] = '}';
        assert_document(str_of(text, len), depth > JSON_DEPTH_MAX ? TWOLEG_LIMIT : TWOLEG_NONE);
    }
    struct json_limits wide = {.bytes = SIZE_MAX, .depth = 1000000, .members = 1000000};
    memset(text, '[', sizeof text);
    assert_error(json_check(str_of(text, sizeof text), &wide), TWOLEG_LIMIT, STR("["));
    struct json_limits flat = {.bytes = 100, .depth = 1, .members = 64};
    assert_error(json_check(STR("{\"a\":1}"), &flat), TWOLEG_NONE, STR(""));
    assert_error(json_check(STR("{\"a\":[]}"), &flat), TWOLEG_LIMIT, STR(""));
    assert_error(read_all(STR("{\"a\":1}"), &flat, &count), TWOLEG_NONE, STR(""));
    assert_error(read_all(STR("{\"a\":{}}"), &flat, &count), TWOLEG_LIMIT, STR(""));
    flat.depth = 0;
    assert_error(json_check(STR("1"), &flat), TWOLEG_NONE, STR(""));
    assert_error(json_check(STR("{}"), &flat), TWOLEG_LIMIT, STR(""));
    assert_error(read_all(STR("{}"), &flat, &count), TWOLEG_LIMIT, STR(""));
}

static size_t write_members(char *text, size_t cap, unsigned members)
{
    struct buf buf;
    buf_init(&buf, text, cap);
    buf_add_char(&buf, '{');
    for (unsigned i = 0; i < members; i++)
        buf_addf(&buf, "%s\"k%u\":%u", i ? "," : "", i, i);
    buf_add_char(&buf, '}');
    assert_false(buf.failed);
    return buf.len;
}

static void C9_members_are_capped(void **state)
{
    (void)state;
    char text[2048];
    unsigned count;
    struct str most = str_of(text, write_members(text, sizeof text, JSON_MEMBERS_MAX));
    assert_document(most, TWOLEG_NONE);
    assert_error(read_all(most, NULL, &count), TWOLEG_NONE, most);
    assert_int_equal(count, JSON_MEMBERS_MAX);
    struct str more = str_of(text, write_members(text, sizeof text, JSON_MEMBERS_MAX + 1));
    assert_document(more, TWOLEG_LIMIT);
    struct json_limits two = {.bytes = 100, .depth = 16, .members = 2};
    assert_error(json_check(STR("{\"a\":{\"b\":1,\"c\":2},\"d\":1}"), &two), TWOLEG_NONE, more);
    assert_error(json_check(STR("{\"a\":{\"b\":1,\"c\":2,\"d\":3}}"), &two), TWOLEG_LIMIT, more);
    assert_error(read_all(STR("{\"a\":1,\"b\":2,\"c\":3}"), &two, &count), TWOLEG_LIMIT, more);
    assert_int_equal(count, 2);
}

static void length_is_capped(void **state)
{
    (void)state;
    unsigned count;
    struct json_limits limits = {.bytes = 7, .depth = 16, .members = 64};
    assert_error(json_check(STR("{\"a\":1}"), &limits), TWOLEG_NONE, STR(""));
    assert_error(json_check(STR("{\"a\":1} "), &limits), TWOLEG_TOO_LONG, STR(""));
    assert_error(read_all(STR("{\"a\":12}"), &limits, &count), TWOLEG_TOO_LONG, STR(""));
}

static void C11_arrays_are_read(void **state)
{
    (void)state;
    struct str rest = only_value(STR("{\"aud\":[ \"a\\u0062\" , [\"]\",2],{\"x\":3},4 ] }")).text;
    struct json_value value;
    assert_true(json_array_next(&rest, &arena, &value));
    assert_text(value.text, STR("ab"));
    assert_true(json_array_next(&rest, &arena, &value));
    assert_int_equal(value.kind, JSON_KIND_ARRAY);
    assert_text(value.text, STR("[\"]\",2]"));
    assert_true(json_array_next(&rest, &arena, &value));
    assert_int_equal(value.kind, JSON_KIND_OBJECT);
    assert_text(value.text, STR("{\"x\":3}"));
    assert_true(json_array_next(&rest, &arena, &value));
    assert_true(value.integer == 4);
    assert_false(json_array_next(&rest, &arena, &value));
    assert_null(rest.ptr);
    assert_false(json_array_next(&rest, &arena, &value));
    rest = only_value(STR("{\"aud\":[ ]}")).text;
    assert_false(json_array_next(&rest, &arena, &value));
    assert_null(rest.ptr);
}

static void a_nested_object_is_read_by_its_own_reader(void **state)
{
    (void)state;
    struct json_value cnf = only_value(STR("{\"cnf\":{\"jkt\":\"x\"}}"));
    assert_int_equal(cnf.kind, JSON_KIND_OBJECT);
    assert_text(only_value(cnf.text).text, STR("x"));
}

static void the_top_of_a_token_is_an_object(void **state)
{
    (void)state;
    static const char *const others[] = {"[]", "1", "\"a\"", "null", "[{}]"};
    unsigned count;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct str text = str_from(others[i]);
        assert_error(read_all(text, NULL, &count), TWOLEG_MALFORMED, text);
        assert_error(json_check(text, NULL), TWOLEG_NONE, text);
    }
}

static void no_memory_is_told(void **state)
{
    (void)state;
    struct arena none;
    struct json_reader r;
    struct str key;
    struct json_value value;
    arena_init(&none, NULL, 0);
    json_reader_init(&r, STR("{\"a\":\"\\n\"}"), &none, NULL);
    assert_false(json_next_member(&r, &key, &value));
    assert_error(json_reader_error(&r), TWOLEG_NO_MEMORY, STR(""));
    json_reader_init(&r, STR("{\"\\n\":1}"), &none, NULL);
    assert_false(json_next_member(&r, &key, &value));
    assert_error(json_reader_error(&r), TWOLEG_NO_MEMORY, STR(""));
    struct str rest = STR("[\"\\n\"]");
    assert_false(json_array_next(&rest, &none, &value));
    assert_non_null(rest.ptr);
}

static void plain_runs_end_exactly(void **state)
{
    (void)state;
    char text[37]; // not a multiple of the eight that are looked at together
    for (unsigned byte = 0; byte < 256; byte++) {
        bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        for (size_t place = 0; place < sizeof text; place++) {
            memset(text, 'x', sizeof text);
            text[place] = (char)byte;
            assert_int_equal(json_plain_run(text, sizeof text), plain ? sizeof text : place);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(rfc7519_3_1_claims_are_read),
        WITH_ARENA(rfc8259_documents_that_are_good),
        WITH_ARENA(C9_rfc8259_documents_that_are_not),
        WITH_ARENA(C9_every_truncation_is_refused),
        WITH_ARENA(C6_duplicate_keys_are_refused_at_every_level),
        WITH_ARENA(C10_only_whole_numbers_in_range_are_integers),
        WITH_ARENA(C9_a_number_has_a_longest_text),
        WITH_ARENA(strings_are_unescaped),
        WITH_ARENA(keys_are_unescaped),
        WITH_ARENA(C9_depth_is_capped_without_recursion),
        WITH_ARENA(C9_members_are_capped),
        WITH_ARENA(length_is_capped),
        WITH_ARENA(C11_arrays_are_read),
        WITH_ARENA(a_nested_object_is_read_by_its_own_reader),
        WITH_ARENA(the_top_of_a_token_is_an_object),
        WITH_ARENA(no_memory_is_told),
        WITH_ARENA(plain_runs_end_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
