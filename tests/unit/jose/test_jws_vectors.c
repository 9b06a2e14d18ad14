// SPDX-License-Identifier: Apache-2.0
// A vector for each algorithm, from its RFC or (PS256, of which the RFCs have none with SHA-256)
// made by pyca/cryptography; each one under every wrong key and as every wrong algorithm.
#include "unit/jose/token.h"

#define VECTOR_EC_KEY \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define VECTOR_OKP_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define VECTOR_OKP_KEY "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" VECTOR_OKP_X "\""
#define VECTOR_RSA_N \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP" \
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s" \
    "oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2" \
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud" \
    "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define VECTOR_RSA_KEY(n) "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" n "\""
#define VECTOR_JOE \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
    "cnVlfQ"
#define VECTOR_PS256_N \
    "zEO1NZQv9Jv6YZf50l_ZRyJD-I-RfeADRi4_XWFRVLE75SATRONpEkHREj9ueLEWfZCLu5" \
    "Z01AkOEEzCx35c_DT6LvYEJ5wxT2DpUIpW5lKuNbrF94uqgbK7nmgbI8xcqJqvJVZ-a8N3" \
    "dn5K41JMeYWE1YNJjAF7SXWK1SyJDtoAc4PuTC-ufIziNyZxxVmLWakmky2Ps8-X6J9sc0" \
    "lpZHlYkCN7jsOsZieICok6n99Mev1tI5UfEueSpGjoJFFCHVjkdixqLTvbCwCANTOi4bzi" \
    "Cek5kRLgsjqy_AW7QHeUBx0GHR4xBCWgNr4uNhcTajUmT3VL0uO-yBFW5vDZxw"
#define VECTOR_PS256_SIGNED \
    "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogI" \
    "mh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define VECTOR_PS256_SIGNATURE \
    "m1ZEHFMtrYTSC6D1mccMoeQEWcLUHhDj61XLNxdcNUJwLkAiy3S4iUoE5SSc3rnO6B9rAO" \
    "bAH3Y9vZ74zphkYDoUW8SheTRjiD_zPRzNqgeSrwQ-Dgrndj83A_WmKvxWFyhwG1Kyg3F7" \
    "3O9lZEIQi7cs5vFm-9CYpMYSu_u6dxMSCafD1P-Jsd79Z1Owwo7DaepM63sc3qvq5n6Hn7" \
    "oy6lepo4tH8jWN6LjhmCk9M4_riI9cchI8zOakk0r2DLU6IdLPW4h6X_DQkJVixpAqdbhm" \
    "yqC8UGNw9FsXIhfpG0vL79hY4gaa7aKdHWxCOfnVHuLkdgZ_C9f-wj1pgxAytg"
#define VECTOR_PS256_SHORT_SALT \
    "YbBPdqabeYiP38R4YW6zaDKByPdy-H9DIJhL-ybE62BzhEJsBH8ilxNC1XHo1KA9iHW3a9" \
    "y6XTq_ZFEQorQDWWM58cBljGe1raTB86xFXGq1WIr9A68mJD_TAdUL18jwqdoYAGqwv4KE" \
    "xeFilnkVtCsK6dDFdbw7Zl-Rw9Vb5B2C6RP_Jd5DXOBR42zqLDb4Udvsupv9cAltnPXORx" \
    "FNWiPZEw9WX_jZdGF1X1yiiOA67bpLLYYOAKVZWW8lXyFeT8SS-rV53-Eiq5AeiTPhDtzJ" \
    "cZpetI8iAYw9wvFpv2rMPWcqpY3Vae_oflbTpKCYy_JOAVl_1xMCJuyqiEkEow"

struct vector {
    const char *algorithm;
    const char *key; // members of the JWK
    struct str signed_text, signature;
};

static const struct vector vectors[] = {
    // RFC 7515 A.3
    {"ES256", VECTOR_EC_KEY, STR("eyJhbGciOiJFUzI1NiJ9." VECTOR_JOE),
     STR("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")},
    // RFC 8037 A.4
    {"EdDSA", VECTOR_OKP_KEY, STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
     STR("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")},
    // RFC 7515 A.2
    {"RS256", VECTOR_RSA_KEY(VECTOR_RSA_N), STR("eyJhbGciOiJSUzI1NiJ9." VECTOR_JOE),
     STR("cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8"
         "W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPv"
         "kSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1ph"
         "CnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")},
    {"PS256", VECTOR_RSA_KEY(VECTOR_PS256_N), STR(VECTOR_PS256_SIGNED),
     STR(VECTOR_PS256_SIGNATURE)},
};
#define VECTORS (sizeof vectors / sizeof *vectors)

static enum twoleg_error vector_key(const char *members, const char *algorithm, struct arena *arena,
                                    struct jwk *ret_jwk)
{
    struct buf json;
    buf_init_arena(&json, arena, 1024);
    buf_add_char(&json, '{');
    buf_add(&json, str_from(members));
    buf_add(&json, STR(",\"alg\":\""));
    buf_add(&json, str_from(algorithm));
    buf_add(&json, STR("\"}"));
    return jwk_read(buf_str(&json), arena, ret_jwk);
}

static struct verifier_ctx *vector_verifier(const struct jwk *jwk)
{
    struct verify_key *key = NULL;
    struct verifier_ctx *verifier = NULL;
    assert_int_equal(verify_key_create(jwk->algorithm, &jwk->key, &key), TWOLEG_NONE);
    assert_int_equal(verifier_create(key, &verifier), TWOLEG_NONE);
    verify_key_free(&key);
    return verifier;
}

static enum twoleg_error vector_check(struct verifier_ctx *verifier, struct str signed_text,
                                      struct str signature)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t len;
    assert_int_equal(base64url_decode(signature, bytes, sizeof bytes, &len), TWOLEG_NONE);
    return verifier_check(verifier, signed_text, str_of(bytes, len));
}

static void C2_rfc7515_a_rfc8037_a_each_verifies_under_its_own_key_only(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    for (size_t k = 0; k < VECTORS; k++) {
        struct jwk jwk;
        assert_int_equal(vector_key(vectors[k].key, vectors[k].algorithm, &arena, &jwk),
                         TWOLEG_NONE);
        struct verifier_ctx *verifier = vector_verifier(&jwk);
        for (size_t i = 0; i < VECTORS; i++)
            assert_int_equal(
                vector_check(verifier, vectors[i].signed_text, vectors[i].signature),
                i == k ? TWOLEG_NONE : TWOLEG_TOKEN_FORGED);
        verifier_free(&verifier);
    }
    arena_finish(&arena);
}

// The same numbers as a key of the other RSA row: its padding is not taken.
static void C2_rs256_is_not_ps256_under_one_modulus(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    for (size_t k = 2; k < VECTORS; k++) {
        struct jwk jwk;
        assert_int_equal(vector_key(vectors[k].key, vectors[5 - k].algorithm, &arena, &jwk),
                         TWOLEG_NONE);
        struct verifier_ctx *verifier = vector_verifier(&jwk);
        assert_int_equal(vector_check(verifier, vectors[k].signed_text, vectors[k].signature),
                         TWOLEG_TOKEN_FORGED);
        verifier_free(&verifier);
    }
    arena_finish(&arena);
}

static void rfc7518_3_5_the_salt_is_as_long_as_the_hash(void **state)
{
    (void)state;
    struct arena arena;
    struct jwk jwk;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_int_equal(vector_key(vectors[3].key, "PS256", &arena, &jwk), TWOLEG_NONE);
    struct verifier_ctx *verifier = vector_verifier(&jwk);
    assert_int_equal(
        vector_check(verifier, vectors[3].signed_text, STR(VECTOR_PS256_SHORT_SALT)),
        TWOLEG_TOKEN_FORGED);
    verifier_free(&verifier);
    arena_finish(&arena);
}

static void C2_a_key_of_one_type_has_no_algorithm_of_another(void **state)
{
    (void)state;
    struct arena arena;
    struct jwk jwk;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    for (size_t k = 0; k < VECTORS; k++)
        for (size_t i = 0; i < VECTORS; i++) {
            bool fits = k == i || (k >= 2 && i >= 2);
            assert_int_equal(vector_key(vectors[k].key, vectors[i].algorithm, &arena, &jwk),
                             fits ? TWOLEG_NONE : TWOLEG_UNKNOWN);
        }
    for (size_t k = 0; k < VECTORS; k++)
        assert_int_equal(vector_key(vectors[k].key, "HS256", &arena, &jwk), TWOLEG_UNKNOWN);
    arena_finish(&arena);
}

// RFC 8037 A.1 has the private key; A.4 signs with it, and Ed25519 has one signature for a message.
static void rfc8037_a_4_signing_gives_the_very_signature(void **state)
{
    (void)state;
    uint8_t der[64];
    struct sign_key *key = NULL;
    struct signer *signer = NULL;
    struct signature signature;
    char text[BASE64URL_LEN(64)];
    struct str pkcs8 = hex_read("302e020100300506032b657004220420"
                                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                                der, sizeof der);
    assert_int_equal(sign_key_from_der(sign_algorithm_find(STR("EdDSA")), pkcs8, &key),
                     TWOLEG_NONE);
    assert_int_equal(signer_create(key, &signer), TWOLEG_NONE);
    assert_int_equal(signer_sign(signer, vectors[1].signed_text, &signature), TWOLEG_NONE);
    assert_int_equal(signature.len, 64);
    base64url_encode_to(text, signature.bytes, signature.len);
    assert_true(str_equal(str_of(text, sizeof text), vectors[1].signature));
    signer_free(&signer);
    sign_key_free(&key);
}

static void vector_kid(size_t vector, const char *expected)
{
    struct arena arena;
    struct jwk jwk;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_int_equal(vector_key(vectors[vector].key, vectors[vector].algorithm, &arena, &jwk),
                     TWOLEG_NONE);
    struct jwk_kid kid = jwk_kid(jwk.algorithm, &jwk.key);
    assert_true(str_equal(str_of(kid.text, sizeof kid.text), str_from(expected)));
    arena_finish(&arena);
}

static void rfc8037_a_3_thumbprint(void **state)
{
    (void)state;
    vector_kid(1, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void rfc7638_3_1_thumbprint_of_a_key_that_was_read(void **state)
{
    (void)state;
    static const char members[] =
        VECTOR_RSA_KEY("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFF"
                       "xuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt"
                       "7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q"
                       "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHa"
                       "Q-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw");
    struct arena arena;
    struct jwk jwk;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_int_equal(vector_key(members, "RS256", &arena, &jwk), TWOLEG_NONE);
    struct jwk_kid kid = jwk_kid(jwk.algorithm, &jwk.key);
    assert_true(str_equal(str_of(kid.text, sizeof kid.text),
                          STR("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")));
    arena_finish(&arena);
}

// Read, written and read again: the same key, whatever its type.
static void what_is_written_is_read_of_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct arena arena;
        struct jwk jwk, again;
        struct buf out;
        struct json_writer json;
        arena_init(&arena, NULL, ARENA_REQUEST_CAP);
        assert_int_equal(vector_key(vectors[i].key, vectors[i].algorithm, &arena, &jwk),
                         TWOLEG_NONE);
        jwk.kid = STR("k");
        buf_init_arena(&out, &arena, 1024);
        json_writer_init(&json, &out);
        jwk_write(&json, &jwk);
        assert_int_equal(jwk_read(buf_str(&out), &arena, &again), TWOLEG_NONE);
        assert_ptr_equal(again.algorithm, jwk.algorithm);
        assert_memory_equal(&again.key, &jwk.key, sizeof jwk.key);
        arena_finish(&arena);
    }
}

static int vector_start(void **state)
{
    (void)state;
    return (int)crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C2_rfc7515_a_rfc8037_a_each_verifies_under_its_own_key_only),
        cmocka_unit_test(C2_rs256_is_not_ps256_under_one_modulus),
        cmocka_unit_test(rfc7518_3_5_the_salt_is_as_long_as_the_hash),
        cmocka_unit_test(C2_a_key_of_one_type_has_no_algorithm_of_another),
        cmocka_unit_test(rfc8037_a_4_signing_gives_the_very_signature),
        cmocka_unit_test(rfc8037_a_3_thumbprint),
        cmocka_unit_test(rfc7638_3_1_thumbprint_of_a_key_that_was_read),
        cmocka_unit_test(what_is_written_is_read_of_every_type),
    };
    return cmocka_run_group_tests(tests, vector_start, NULL);
}
