// SPDX-License-Identifier: Apache-2.0
#include "unit/jose/token.h"

#include "base/fault.h"

static struct token_maker jws_maker;

static struct jws_header jws_test_header(void)
{
    struct jws_header header;
    assert_int_equal(jws_header_init(&header, sign_algorithm_es256(), JWT_TYPE,
                                     jws_maker.key.kid),
                     TWOLEG_NONE);
    return header;
}

static void rfc7515_7_1_what_is_written_is_read(void **state)
{
    (void)state;
    struct jws_header header = jws_test_header();
    struct arena arena;
    struct jwt jwt;
    const struct jwt_claims *claims;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct buf out;
    buf_init_arena(&out, &arena, 16); // must grow
    buf_add(&out, STR("{\"access_token\":\""));
    struct str payload = STR("{\"iss\":\"i\",\"sub\":\"s\",\"client_id\":\"c\",\"jti\":\"j\","
                             "\"aud\":\"a\",\"exp\":2,\"iat\":1}");
    assert_int_equal(jws_write(&header, jws_maker.signer, payload, &out), TWOLEG_NONE);
    assert_true(str_starts_with(buf_str(&out), STR("{\"access_token\":\"")));
    struct str token = str_slice(buf_str(&out), 17, out.len);
    assert_int_equal(token.len, jws_size(&header, 64, payload.len));
    assert_int_equal(jwt_read(token, &arena, &jwt), TWOLEG_NONE);
    assert_int_equal(jwt_verify(&jwt, &jws_maker.key, &claims), TWOLEG_NONE);
    assert_true(str_equal(claims->client_id, STR("c")));
    arena_finish(&arena);
}

static void rfc9068_2_1_header(void **state)
{
    (void)state;
    struct jws_header header;
    char text[256];
    size_t len;
    assert_int_equal(jws_header_init(&header, sign_algorithm_es256(), JWT_TYPE, STR("a\"b")),
                     TWOLEG_NONE);
    assert_int_equal(
        base64url_decode(str_of(header.text, header.len), text, sizeof text, &len), TWOLEG_NONE);
    assert_true(str_equal(str_of(text, len),
                          STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"a\\\"b\"}")));
}

static void long_kid_is_refused(void **state)
{
    (void)state;
    struct jws_header header;
    static char kid[JWS_HEADER_MAX];
    memset(kid, 'k', sizeof kid);
    assert_int_equal(jws_header_init(&header, sign_algorithm_es256(), JWT_TYPE,
                                     str_of(kid, sizeof kid)),
                     TWOLEG_TOO_LONG);
}

static void no_room_and_no_randomness_leave_nothing_behind(void **state)
{
    (void)state;
    struct jws_header header = jws_test_header();
    char memory[1024];
    struct buf out;
    buf_init(&out, memory, sizeof memory);
    buf_add(&out, STR("before"));
    fault_arm(FAULT_RANDOM, 1, false);
    assert_int_equal(jws_write(&header, jws_maker.signer, STR("{}"), &out), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    assert_true(str_equal(buf_str(&out), STR("before")));
    buf_init(&out, memory, jws_size(&header, 64, 2) - 1);
    assert_int_equal(jws_write(&header, jws_maker.signer, STR("{}"), &out), TWOLEG_TOO_LONG);
    buf_init(&out, memory, jws_size(&header, 64, 2));
    assert_int_equal(jws_write(&header, jws_maker.signer, STR("{}"), &out), TWOLEG_NONE);
}

static int jws_start(void **state)
{
    (void)state;
    if (crypto_init() != TWOLEG_NONE)
        return -1;
    token_maker_init(&jws_maker);
    return 0;
}

static int jws_stop(void **state)
{
    (void)state;
    token_maker_finish(&jws_maker);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7515_7_1_what_is_written_is_read),
        cmocka_unit_test(rfc9068_2_1_header),
        cmocka_unit_test(long_kid_is_refused),
        cmocka_unit_test(no_room_and_no_randomness_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, jws_start, jws_stop);
}
