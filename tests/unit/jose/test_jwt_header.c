// SPDX-License-Identifier: Apache-2.0
#include "unit/jose/token.h"

struct header_case {
    struct str json;
    enum twoleg_error error;
};

static enum twoleg_error header_read_encoded(struct str encoded, struct jwt_header *ret_header)
{
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    enum twoleg_error error = jwt_read_header(encoded, &arena, ret_header);
    arena_finish(&arena);
    return error;
}

static enum twoleg_error header_read(struct str json)
{
    static char memory[TOKEN_SIZE];
    struct buf out;
    struct jwt_header header;
    buf_init(&out, memory, sizeof memory);
    base64url_encode(&out, json.ptr, json.len);
    assert_false(out.failed);
    return header_read_encoded(buf_str(&out), &header);
}

static void header_expect(const struct header_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (header_read(cases[i].json) != cases[i].error)
            fail_msg("%.*s: %s", STR_ARG(cases[i].json),
                     twoleg_error_name(header_read(cases[i].json)));
}
#define HEADER_EXPECT(cases) header_expect((cases), sizeof(cases) / sizeof *(cases))

#define HEADER_REST "\"typ\":\"at+jwt\",\"kid\":\"k\"}"

static void rfc9068_4_good_headers(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"ES256\"," HEADER_REST), TWOLEG_NONE},
        {STR(" { \"kid\" : \"k\" , \"typ\" : \"at+jwt\" , \"alg\" : \"ES256\" } "), TWOLEG_NONE},
        {STR("{\"alg\":\"ES256\",\"typ\":\"AT+JWT\",\"kid\":\"k\"}"), TWOLEG_NONE},
        {STR("{\"alg\":\"ES256\",\"typ\":\"application/at+jwt\",\"kid\":\"k\"}"), TWOLEG_NONE},
        {STR("{\"alg\":\"ES256\",\"typ\":\"Application/AT+jwt\",\"kid\":\"k\"}"), TWOLEG_NONE},
        {STR("{\"alg\":\"ES256\",\"x\":[1,{}],\"cty\":\"x\"," HEADER_REST), TWOLEG_NONE},
    };
    HEADER_EXPECT(cases);
}

static void C1_alg_none_missing_or_no_text(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"none\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"None\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"NONE\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"nOnE\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"\"," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"es256\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"ES256\\u0000\"," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES384\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{" HEADER_REST), TWOLEG_MISSING},
        {STR("{\"Alg\":\"ES256\"," HEADER_REST), TWOLEG_MISSING},
        {STR("{\"alg\":0," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":null," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":true," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":[\"ES256\"]," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":{\"alg\":\"ES256\"}," HEADER_REST), TWOLEG_MALFORMED},
    };
    HEADER_EXPECT(cases);
}

static void C2_macs_are_no_algorithm_here(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"HS256\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"HS384\"," HEADER_REST), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"HS512\"," HEADER_REST), TWOLEG_UNKNOWN},
    };
    HEADER_EXPECT(cases);
}

static void C3_kid_must_be_text_and_may_be_any(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"), TWOLEG_MISSING},
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":1}"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":null}"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":[\"k\"]}"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k\\u0000\"}"), TWOLEG_MALFORMED},
        // Only bytes to compare: these reach no file and no query.
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"../../dev/null\"}"), TWOLEG_NONE},
        {STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"' OR 1=1--\"}"), TWOLEG_NONE},
    };
    HEADER_EXPECT(cases);
}

static void C4_keys_and_addresses_of_keys_are_ignored(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"ES256\",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"http://127.0.0.1:1/\","
             "\"jwk\":{\"kty\":\"EC\"},\"x5c\":[\"MIIB\"]," HEADER_REST),
         TWOLEG_NONE},
        {STR("{\"alg\":\"ES256\",\"jwk\":1," HEADER_REST), TWOLEG_NONE},
    };
    HEADER_EXPECT(cases);
}

static void C5_crit_b64_enc_and_zip_are_refused(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"ES256\",\"crit\":[\"x\"],\"x\":1," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"crit\":[]," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"crit\":[\"alg\"]," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"crit\":null," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"cr\\u0069t\":null," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"b64\":false," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"b64\":true," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"enc\":\"A128GCM\"," HEADER_REST), TWOLEG_REFUSED},
        {STR("{\"alg\":\"ES256\",\"zip\":\"DEF\"," HEADER_REST), TWOLEG_REFUSED},
    };
    HEADER_EXPECT(cases);
}

static void C6_duplicate_keys_are_refused(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"ES256\",\"alg\":\"ES256\"," HEADER_REST), TWOLEG_DUPLICATE},
        {STR("{\"alg\":\"none\",\"alg\":\"ES256\"," HEADER_REST), TWOLEG_DUPLICATE},
        {STR("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"," HEADER_REST), TWOLEG_DUPLICATE},
        {STR("{\"alg\":\"ES256\",\"x\":1,\"x\":2," HEADER_REST), TWOLEG_DUPLICATE},
        {STR("{\"alg\":\"ES256\",\"x\":{\"y\":1,\"y\":2}," HEADER_REST), TWOLEG_DUPLICATE},
    };
    HEADER_EXPECT(cases);
}

static void C9_malformed_json_is_refused(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{"), TWOLEG_MALFORMED},
        {STR("[]"), TWOLEG_MALFORMED},
        {STR("\"at+jwt\""), TWOLEG_MALFORMED},
        {STR("null"), TWOLEG_MALFORMED},
        {STR("{}"), TWOLEG_MISSING},
        {STR("{\"alg\":\"ES256\"," HEADER_REST "x"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\"," HEADER_REST "{}"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\"," HEADER_REST "\0"), TWOLEG_MALFORMED},
        {STR("\xef\xbb\xbf{\"alg\":\"ES256\"," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"x\":\"\\ud800\"," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"x\":\"\xc0\xaf\"," HEADER_REST), TWOLEG_MALFORMED},
        {STR("{'alg':'ES256'," HEADER_REST), TWOLEG_MALFORMED},
    };
    HEADER_EXPECT(cases);
}

static void C9_deep_and_long_headers_are_refused(void **state)
{
    (void)state;
    static char json[12000];
    memset(json, '[', sizeof json);
    assert_int_not_equal(header_read(str_of(json, 1000)), TWOLEG_NONE);
    memcpy(json, "{\"x\":", 5);
    assert_int_not_equal(header_read(str_of(json, 1000)), TWOLEG_NONE);
    memset(json, ' ', sizeof json);
    struct str good = STR("{\"alg\":\"ES256\"," HEADER_REST);
    memcpy(json, good.ptr, good.len);
    assert_int_equal(header_read(str_of(json, 8192)), TWOLEG_NONE);
    assert_int_equal(header_read(str_of(json, 8193)), TWOLEG_TOO_LONG);
    static char long_text[JWT_MAX + 1];
    struct jwt_header header;
    memset(long_text, 'A', sizeof long_text);
    assert_int_equal(header_read_encoded(str_of(long_text, sizeof long_text), &header),
                     TWOLEG_TOO_LONG);
}

static void C11_typ_is_checked(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\"}"), TWOLEG_MISSING},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}"), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"jwt\"}"), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"at+jwt \"}"), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"text/at+jwt\"}"), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"dpop+jwt\"}"), TWOLEG_UNKNOWN},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":[\"at+jwt\"]}"), TWOLEG_MALFORMED},
        {STR("{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":null}"), TWOLEG_MALFORMED},
    };
    HEADER_EXPECT(cases);
}

static void C7_other_spellings_of_base64url_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        // {"alg":"ES256","typ":"at+jwt","kid":"k"} with something added or changed
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ==",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ=",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifR",  // bits behind the last byte
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQA", // no JSON end
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ ",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ\n",
        " eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ\xc3\xa9",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Imsif", // 1 mod 4
        "+/==",
    };
    struct jwt_header header;
    struct str good = STR("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ");
    assert_int_equal(header_read_encoded(good, &header), TWOLEG_NONE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(header_read_encoded(str_from(bad[i]), &header), TWOLEG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9068_4_good_headers),
        cmocka_unit_test(C1_alg_none_missing_or_no_text),
        cmocka_unit_test(C2_macs_are_no_algorithm_here),
        cmocka_unit_test(C3_kid_must_be_text_and_may_be_any),
        cmocka_unit_test(C4_keys_and_addresses_of_keys_are_ignored),
        cmocka_unit_test(C5_crit_b64_enc_and_zip_are_refused),
        cmocka_unit_test(C6_duplicate_keys_are_refused),
        cmocka_unit_test(C7_other_spellings_of_base64url_are_refused),
        cmocka_unit_test(C9_malformed_json_is_refused),
        cmocka_unit_test(C9_deep_and_long_headers_are_refused),
        cmocka_unit_test(C11_typ_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
