// SPDX-License-Identifier: Apache-2.0
#include "codec/base64.h"

#include "base64_text.h"
#include "codec_test.h"

static enum twoleg_error decode(bool url, struct str text, void *out, size_t cap, size_t *ret_len)
{
    return url ? base64url_decode(text, out, cap, ret_len)
               : base64_decode(text, out, cap, ret_len);
}

static struct str encoded(bool url, struct str bytes)
{
    static char memory[1024];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    if (url)
        base64url_encode(&out, bytes.ptr, bytes.len);
    else
        base64_text(&out, bytes.ptr, bytes.len);
    return buf_str(&out);
}

static const struct {
    struct str bytes, plain, url;
} vectors[] = {
    {{"", 0}, {"", 0}, {"", 0}},
    {{"f", 1}, {"Zg==", 4}, {"Zg", 2}},
    {{"fo", 2}, {"Zm8=", 4}, {"Zm8", 3}},
    {{"foo", 3}, {"Zm9v", 4}, {"Zm9v", 4}},
    {{"foob", 4}, {"Zm9vYg==", 8}, {"Zm9vYg", 6}},
    {{"fooba", 5}, {"Zm9vYmE=", 8}, {"Zm9vYmE", 7}},
    {{"foobar", 6}, {"Zm9vYmFy", 8}, {"Zm9vYmFy", 8}},
    {{"\xfb\xff\xbf", 3}, {"+/+/", 4}, {"-_-_", 4}},
    {{"\x14\xfb\x9c\x03\xd9\x7e", 6}, {"FPucA9l+", 8}, {"FPucA9l-", 8}},
};

static void rfc4648_10_vectors(void **state)
{
    (void)state;
    char out[16];
    size_t len;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        for (int url = 0; url < 2; url++) {
            struct str text = url ? vectors[i].url : vectors[i].plain;
            assert_text(encoded(url, vectors[i].bytes), text);
            assert_error(decode(url, text, out, sizeof out, &len), TWOLEG_NONE, text);
            assert_text(str_of(out, len), vectors[i].bytes);
        }
    }
}

static void C7_every_other_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Zg==", "Zm8=", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm9vYh", "+/+/", "Zm9v ", " Zm9v",
        "Zm 9v", "Zm9v\n", "Zm9v\r\n", "Zm9v\t", "Zm9\xc3", "Zm9v=", "====", "Zm.v", "Zm9vYm\xff",
    };
    char out[16];
    size_t len = 99;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *copy = exact_copy(str_from(bad[i]));
        struct str text = str_of(copy, strlen(bad[i]));
        assert_error(base64url_decode(text, out, sizeof out, &len), TWOLEG_MALFORMED, text);
        test_free(copy);
    }
    assert_error(base64url_decode(STR("Zm9\0"), out, sizeof out, &len), TWOLEG_MALFORMED, STR(""));
    assert_int_equal(len, 99);
}

static void rfc4648_3_2_plain_base64_wants_its_padding(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Zg", "Zg=", "Zm8", "Zh==", "Zm9=", "Z===", "====", "=", "==", "Zm9v====", "Zg==Zg==",
        "-_-_", "Zm9v\n", "Zm 9", "Zg= =", "Z=g=", "=Zg=", "\xff\xff\xff\xff",
    };
    char out[16];
    size_t len;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *copy = exact_copy(str_from(bad[i]));
        struct str text = str_of(copy, strlen(bad[i]));
        assert_error(base64_decode(text, out, sizeof out, &len), TWOLEG_MALFORMED, text);
        test_free(copy);
    }
}

static void every_character_is_taken_or_refused(void **state)
{
    (void)state;
    char out[4];
    size_t len;
    for (int url = 0; url < 2; url++)
        for (size_t place = 0; place < 4; place++) {
            size_t taken = 0;
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[4] = {'A', 'A', 'A', 'A'};
                text[place] = (char)byte;
                taken += byte != '=' && !decode(url, str_of(text, 4), out, sizeof out, &len);
            }
            assert_int_equal(taken, 64);
        }
}

static void C7_two_and_three_characters_have_one_spelling_each(void **state)
{
    (void)state;
    char out[4];
    size_t len;
    size_t two = 0;
    size_t three = 0;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char text[3] = {(char)a, (char)b, 'A'};
            two += !base64url_decode(str_of(text, 2), out, sizeof out, &len);
            text[0] = 'A';
            text[1] = (char)a;
            text[2] = (char)b;
            three += !base64url_decode(str_of(text, 3), out, sizeof out, &len);
        }
    assert_int_equal(two, 256);       // one byte
    assert_int_equal(three, 65536 / 64); // two bytes, the first six bits of which are zero
}

static void every_length_goes_round(void **state)
{
    (void)state;
    uint8_t bytes[100];
    uint8_t back[100];
    char text[BASE64URL_LEN(sizeof bytes)];
    size_t len;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (int url = 0; url < 2; url++) {
            struct str spelled = encoded(url, str_of(bytes, n));
            assert_int_equal(spelled.len, url ? BASE64URL_LEN(n) : (n + 2) / 3 * 4);
            assert_error(decode(url, spelled, back, n, &len), TWOLEG_NONE, spelled);
            assert_int_equal(len, n);
            assert_memory_equal(back, bytes, n);
            if (n)
                assert_error(decode(url, spelled, back, n - 1, &len), TWOLEG_TOO_LONG, spelled);
        }
        base64url_encode_to(text, bytes, n);
        assert_text(str_of(text, BASE64URL_LEN(n)), encoded(true, str_of(bytes, n)));
        assert_true(BASE64URL_BYTES(BASE64URL_LEN(n)) == n);
    }
}

static void a_full_buffer_fails(void **state)
{
    (void)state;
    char memory[3];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    base64url_encode(&out, "foo", 3);
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4648_10_vectors),
        cmocka_unit_test(C7_every_other_spelling_is_refused),
        cmocka_unit_test(rfc4648_3_2_plain_base64_wants_its_padding),
        cmocka_unit_test(every_character_is_taken_or_refused),
        cmocka_unit_test(C7_two_and_three_characters_have_one_spelling_each),
        cmocka_unit_test(every_length_goes_round),
        cmocka_unit_test(a_full_buffer_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
