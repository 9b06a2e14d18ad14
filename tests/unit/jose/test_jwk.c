// SPDX-License-Identifier: Apache-2.0
#include "unit/jose/token.h"

// RFC 7517 A.1, first key; there it is for encryption.
#define JWK_X "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define JWK_Y "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define JWK_POINT "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" JWK_X "\",\"y\":\"" JWK_Y "\""

static enum twoleg_error jwk_read_text(struct str text, struct jwk *ret_jwk)
{
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    enum twoleg_error error = jwk_read(text, &arena, ret_jwk);
    arena_finish(&arena); // the cases' views point into the text
    return error;
}

static void rfc7517_a_1_ec_key(void **state)
{
    (void)state;
    struct jwk jwk;
    assert_int_equal(
        jwk_read_text(STR("{" JWK_POINT ",\"use\":\"enc\",\"kid\":\"1\"}"), &jwk),
        TWOLEG_REFUSED);
    assert_int_equal(
        jwk_read_text(STR("{" JWK_POINT ",\"use\":\"sig\",\"kid\":\"1\"}"), &jwk), TWOLEG_NONE);
    assert_true(str_equal(jwk.kid, STR("1")));
    assert_ptr_equal(jwk.algorithm, sign_algorithm_es256());
    struct verifier_ctx *verifier = token_verifier(&jwk.key); // it is on the curve
    verifier_free(&verifier);
}

static void rfc7638_3_1_rsa_thumbprint(void **state)
{
    (void)state;
    static const struct jwk_member members[] = {
        {STR("e"), STR("AQAB")},
        {STR("kty"), STR("RSA")},
        {STR("n"),
         STR("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1"
             "L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4"
             "QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO"
             "pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
             "Cur-kEgU8awapJzKnqDKgw")},
    };
    struct sha256 thumbprint;
    char text[43];
    assert_int_equal(jwk_thumbprint(members, 3, &thumbprint), TWOLEG_NONE);
    base64url_encode_to(text, thumbprint.bytes, sizeof thumbprint.bytes);
    assert_memory_equal(text, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", sizeof text);
}

static void rfc7638_3_members_are_in_order_once_and_plain(void **state)
{
    (void)state;
    struct sha256 thumbprint;
    struct jwk_member order[] = {{STR("kty"), STR("EC")}, {STR("crv"), STR("P-256")}};
    struct jwk_member twice[] = {{STR("kty"), STR("EC")}, {STR("kty"), STR("EC")}};
    struct jwk_member quote[] = {{STR("kty"), STR("E\"C")}};
    struct jwk_member slash[] = {{STR("kty"), STR("E\\C")}};
    struct jwk_member line[] = {{STR("kty"), STR("E\nC")}};
    assert_int_equal(jwk_thumbprint(order, 2, &thumbprint), TWOLEG_MALFORMED);
    assert_int_equal(jwk_thumbprint(twice, 2, &thumbprint), TWOLEG_MALFORMED);
    assert_int_equal(jwk_thumbprint(quote, 1, &thumbprint), TWOLEG_MALFORMED);
    assert_int_equal(jwk_thumbprint(slash, 1, &thumbprint), TWOLEG_MALFORMED);
    assert_int_equal(jwk_thumbprint(line, 1, &thumbprint), TWOLEG_MALFORMED);
    assert_int_equal(jwk_thumbprint(NULL, 0, &thumbprint), TWOLEG_MALFORMED);
}

// The key of RFC 7517 A.1; the value is sha256 of the text as RFC 7638 3.3 puts it together.
static void rfc7638_kid_of_an_ec_key(void **state)
{
    (void)state;
    struct jwk jwk;
    assert_int_equal(jwk_read_text(STR("{" JWK_POINT "}"), &jwk), TWOLEG_NONE);
    assert_null(jwk.kid.ptr);
    struct jwk_kid kid = jwk_kid(jwk.algorithm, &jwk.key);
    struct sha256 hash = sha256(STR("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" JWK_X
                                    "\",\"y\":\"" JWK_Y "\"}"));
    char text[43];
    base64url_encode_to(text, hash.bytes, sizeof hash.bytes);
    assert_memory_equal(kid.text, text, sizeof text);
    assert_memory_equal(kid.text, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s", sizeof text);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct token_maker maker;
    token_maker_init(&maker);
    char memory[512];
    struct buf out;
    struct json_writer json;
    buf_init(&out, memory, sizeof memory);
    json_writer_init(&json, &out);
    jwk_write(&json, &(struct jwk){sign_algorithm_es256(), maker.point, maker.key.kid});
    struct jwk jwk;
    assert_int_equal(jwk_read_text(buf_str(&out), &jwk), TWOLEG_NONE);
    assert_memory_equal(&jwk.key, &maker.point, sizeof jwk.key);
    assert_true(str_equal(jwk.kid, maker.key.kid));
    assert_true(str_starts_with(buf_str(&out), STR("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"")));
    token_maker_finish(&maker);
}

struct jwk_case {
    struct str json;
    enum twoleg_error error;
};

static void bad_keys_are_refused(void **state)
{
    (void)state;
    static const struct jwk_case cases[] = {
        {STR("{" JWK_POINT "}"), TWOLEG_NONE},
        {STR("{" JWK_POINT ",\"x5t\":\"x\",\"ext\":true}"), TWOLEG_NONE},
        {STR("{" JWK_POINT ",\"alg\":\"ES256\",\"key_ops\":[\"sign\",\"verify\"]}"), TWOLEG_NONE},
        {STR("{" JWK_POINT ",\"alg\":\"ES384\"}"), TWOLEG_UNKNOWN},
        {STR("{" JWK_POINT ",\"alg\":\"HS256\"}"), TWOLEG_UNKNOWN},
        {STR("{" JWK_POINT ",\"alg\":1}"), TWOLEG_MALFORMED},
        {STR("{" JWK_POINT ",\"kid\":1}"), TWOLEG_MALFORMED},
        {STR("{" JWK_POINT ",\"kid\":\"\"}"), TWOLEG_MALFORMED},
        {STR("{" JWK_POINT ",\"kty\":\"EC\"}"), TWOLEG_DUPLICATE},
        {STR("{" JWK_POINT ",\"key_ops\":[\"encrypt\"]}"), TWOLEG_REFUSED},
        {STR("{" JWK_POINT ",\"key_ops\":[]}"), TWOLEG_REFUSED},
        {STR("{" JWK_POINT ",\"key_ops\":\"verify\"}"), TWOLEG_MALFORMED},
        {STR("{" JWK_POINT ",\"d\":\"AAAA\"}"), TWOLEG_REFUSED},
        {STR("{" JWK_POINT ",\"d\":null}"), TWOLEG_REFUSED},
        {STR("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), TWOLEG_REFUSED},
        {STR("{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}"), TWOLEG_MISSING},
        {STR("{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\",\"alg\":\"RS512\"}"), TWOLEG_UNKNOWN},
        {STR("{\"kty\":\"RSA\",\"n\":\"AAAA\",\"alg\":\"RS256\"}"), TWOLEG_MISSING},
        {STR("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"alg\":\"PS256\"}"), TWOLEG_MISSING},
        {STR("{\"kty\":\"RSA\",\"n\":\"AA=\",\"e\":\"AQAB\",\"alg\":\"PS256\"}"), TWOLEG_MALFORMED},
        {STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"), TWOLEG_MALFORMED},
        {STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}"), TWOLEG_MISSING},
        {STR("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"}"), TWOLEG_UNKNOWN},
        {STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\",\"alg\":\"ES256\"}"),
         TWOLEG_UNKNOWN},
        {STR("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AAAA\",\"y\":\"AAAA\"}"), TWOLEG_UNKNOWN},
        {STR("{\"kty\":\"EC\",\"x\":\"" JWK_X "\",\"y\":\"" JWK_Y "\"}"), TWOLEG_UNKNOWN},
        {STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" JWK_X "\"}"), TWOLEG_MISSING},
        {STR("{\"crv\":\"P-256\",\"x\":\"" JWK_X "\",\"y\":\"" JWK_Y "\"}"), TWOLEG_MISSING},
        {STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"" JWK_Y "\"}"),
         TWOLEG_MALFORMED},
        {STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" JWK_X "AAAA\",\"y\":\"" JWK_Y "\"}"),
         TWOLEG_MALFORMED},
        {STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" JWK_X "=\",\"y\":\"" JWK_Y "\"}"),
         TWOLEG_MALFORMED},
        {STR("{}"), TWOLEG_MISSING},
        {STR("[]"), TWOLEG_MALFORMED},
        {STR(""), TWOLEG_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct jwk jwk;
        enum twoleg_error error = jwk_read_text(cases[i].json, &jwk);
        if (error != cases[i].error)
            fail_msg("%.*s: %s", STR_ARG(cases[i].json), twoleg_error_name(error));
    }
}

static void long_key_text_is_refused(void **state)
{
    (void)state;
    static char text[JWK_TEXT_MAX + 1];
    struct jwk jwk;
    memset(text, ' ', sizeof text);
    memcpy(text, "{" JWK_POINT "}", sizeof "{" JWK_POINT "}" - 1);
    assert_int_equal(jwk_read_text(str_of(text, sizeof text), &jwk), TWOLEG_TOO_LONG);
    assert_int_equal(jwk_read_text(str_of(text, sizeof text - 1), &jwk), TWOLEG_NONE);
}

static int jwk_start(void **state)
{
    (void)state;
    return (int)crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7517_a_1_ec_key),
        cmocka_unit_test(rfc7638_3_1_rsa_thumbprint),
        cmocka_unit_test(rfc7638_3_members_are_in_order_once_and_plain),
        cmocka_unit_test(rfc7638_kid_of_an_ec_key),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(bad_keys_are_refused),
        cmocka_unit_test(long_key_text_is_refused),
    };
    return cmocka_run_group_tests(tests, jwk_start, NULL);
}
