// SPDX-License-Identifier: Apache-2.0
#include "unit/jose/token.h"

#include "crypto/mac.h"

#define JWT_GOOD_PAYLOAD \
    "{\"iss\":\"https://as.example\",\"sub\":\"app_1\",\"client_id\":\"app_1\",\"jti\":\"j\"," \
    "\"aud\":\"https://api.example\",\"exp\":2000,\"iat\":1000,\"scope\":\"sms\"}"

static struct token_maker jwt_maker;
static char jwt_memory[TOKEN_SIZE];

// Read and verified, as a caller does it.
static enum twoleg_error jwt_check(struct str token, const struct jwt_key *key)
{
    struct arena arena;
    struct jwt jwt;
    const struct jwt_claims *claims = NULL;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    enum twoleg_error error = jwt_read(token, &arena, &jwt);
    if (!error)
        error = jwt_verify(&jwt, key, &claims);
    assert_int_equal(claims != NULL, error == TWOLEG_NONE);
    arena_finish(&arena);
    return error;
}

static struct str jwt_good(void)
{
    char header[256];
    return token_make(&jwt_maker, token_header(&jwt_maker, "", header, sizeof header),
                      STR(JWT_GOOD_PAYLOAD), jwt_memory);
}

// RFC 7515 A.3. Its header has neither typ nor kid: no access token, but the signature must hold.
static void rfc7515_a_3_es256_and_every_wrong_key(void **state)
{
    (void)state;
    struct str token =
        STR("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5d"
            "jxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    static const char jwk[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
    struct arena arena;
    struct jwk key;
    struct jwt_parts parts;
    struct jwt_header header;
    uint8_t signature[64];
    size_t len;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_int_equal(jwk_read(STR(jwk), &arena, &key), TWOLEG_NONE);
    assert_int_equal(jwt_split(token, &parts), TWOLEG_NONE);
    assert_int_equal(jwt_read_header(parts.header, &arena, &header), TWOLEG_MISSING);
    assert_int_equal(base64url_decode(parts.signature, signature, sizeof signature, &len),
                     TWOLEG_NONE);
    struct str bytes = str_of(signature, len);
    struct verifier_ctx *verifier = token_verifier(&key.key);
    assert_int_equal(verifier_check(verifier, parts.signed_text, bytes), TWOLEG_NONE);
    assert_int_equal(verifier_check(jwt_maker.verifier, parts.signed_text, bytes),
                     TWOLEG_TOKEN_FORGED);
    for (int i = 0; i < 3; i++) {
        struct token_maker other;
        token_maker_init(&other);
        assert_int_equal(verifier_check(other.verifier, parts.signed_text, bytes),
                         TWOLEG_TOKEN_FORGED);
        token_maker_finish(&other);
    }
    verifier_free(&verifier);
    arena_finish(&arena);
}

static void rfc9068_good_token_gives_its_claims(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt jwt;
    const struct jwt_claims *claims = NULL;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_int_equal(jwt_read(jwt_good(), &arena, &jwt), TWOLEG_NONE);
    assert_int_equal(jwt_verify(&jwt, &jwt_maker.key, &claims), TWOLEG_NONE);
    assert_true(str_equal(claims->client_id, STR("app_1")));
    assert_int_equal(claims->exp, 2000);
    arena_finish(&arena);
}

static void key_of_another_kid_or_another_key_is_refused(void **state)
{
    (void)state;
    struct token_maker other;
    token_maker_init(&other);
    struct str token = jwt_good();
    assert_int_equal(jwt_check(token, &jwt_maker.key), TWOLEG_NONE);
    assert_int_equal(jwt_check(token, &other.key), TWOLEG_TOKEN_KEY);
    // The kid of ours with the key of somebody else: only the signature tells.
    struct jwt_key mixed = {jwt_maker.key.kid, other.verifier};
    assert_int_equal(jwt_check(token, &mixed), TWOLEG_TOKEN_FORGED);
    token_maker_finish(&other);
}

// A known header saves reading it and nothing else.
static void known_header_is_taken_and_another_one_read(void **state)
{
    (void)state;
    char header[256];
    struct arena arena;
    struct jwt jwt;
    const struct jwt_claims *claims = NULL;
    struct str token = jwt_good();
    struct jwt_parts parts;
    assert_int_equal(jwt_split(token, &parts), TWOLEG_NONE);
    memcpy(header, parts.header.ptr, parts.header.len);
    struct jwt_known_header known = {str_of(header, parts.header.len),
                                     {sign_algorithm_es256(), jwt_maker.key.kid}};
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_int_equal(jwt_read_known(token, &known, &arena, &jwt), TWOLEG_NONE);
    assert_true(str_equal(jwt.header.kid, jwt_maker.key.kid));
    assert_int_equal(jwt_verify(&jwt, &jwt_maker.key, &claims), TWOLEG_NONE);
    jwt_memory[token.len - 10] ^= 1;
    assert_int_equal(jwt_read_known(token, &known, &arena, &jwt), TWOLEG_NONE);
    assert_int_equal(jwt_verify(&jwt, &jwt_maker.key, &claims), TWOLEG_TOKEN_FORGED);
    jwt_memory[0] ^= 1; // no longer the known one, and no JSON
    assert_int_equal(jwt_read_known(token, &known, &arena, &jwt), TWOLEG_MALFORMED);
    arena_finish(&arena);
}

static void C1_empty_signature_is_refused(void **state)
{
    (void)state;
    struct str token = jwt_good();
    size_t dot = token.len - BASE64URL_LEN(64);
    assert_int_equal(jwt_check(str_slice(token, 0, dot), &jwt_maker.key), TWOLEG_MALFORMED);
    assert_int_equal(jwt_check(str_slice(token, 0, dot - 1), &jwt_maker.key), TWOLEG_MALFORMED);
    assert_int_equal(
        jwt_check(STR("eyJhbGciOiJub25lIn0.e30."), &jwt_maker.key), TWOLEG_MALFORMED);
}

// A MAC made with what everybody knows of the key, under both names that a forger may give it.
static void C2_macs_with_the_public_key_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"ES256", "HS256"};
    struct buf jwk;
    char jwk_text[512];
    struct json_writer json;
    buf_init(&jwk, jwk_text, sizeof jwk_text);
    json_writer_init(&json, &jwk);
    jwk_write(&json, &(struct jwk){sign_algorithm_es256(), jwt_maker.point, jwt_maker.key.kid});
    struct str secrets[] = {
        str_of(jwt_maker.point.first.bytes, 32),
        str_of(&jwt_maker.point, sizeof jwt_maker.point),
        buf_str(&jwk),
        str_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16),
    };
    for (size_t n = 0; n < 2; n++)
        for (size_t s = 0; s < sizeof secrets / sizeof *secrets; s++) {
            char header[256];
            struct buf text, token;
            struct mac_key key;
            buf_init(&text, header, sizeof header);
            buf_addf(&text, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", names[n],
                     STR_ARG(jwt_maker.key.kid));
            buf_init(&token, jwt_memory, sizeof jwt_memory);
            base64url_encode(&token, text.ptr, text.len);
            buf_add_char(&token, '.');
            base64url_encode(&token, JWT_GOOD_PAYLOAD, sizeof JWT_GOOD_PAYLOAD - 1);
            assert_int_equal(mac_key_init(&key, secrets[s].ptr, secrets[s].len), TWOLEG_NONE);
            struct sha256 tag = mac(&key, buf_str(&token));
            buf_add_char(&token, '.');
            base64url_encode(&token, tag.bytes, sizeof tag.bytes);
            assert_int_equal(jwt_check(buf_str(&token), &jwt_maker.key),
                             n == 0 ? TWOLEG_TOKEN_FORGED : TWOLEG_UNKNOWN);
        }
}

// The attacker's key comes along, in the header and as the signer: it is not looked at.
static void C4_key_in_the_header_does_not_count(void **state)
{
    (void)state;
    struct token_maker attacker;
    token_maker_init(&attacker);
    char more[512], header[1024];
    struct buf out;
    struct json_writer json;
    buf_init(&out, more, sizeof more - 1);
    buf_add(&out, STR(",\"jku\":\"http://127.0.0.1:1/\",\"jwk\":"));
    json_writer_init(&json, &out);
    jwk_write(&json, &(struct jwk){sign_algorithm_es256(), attacker.point, attacker.key.kid});
    assert_false(out.failed);
    more[out.len] = '\0';
    struct str text = token_header(&jwt_maker, more, header, sizeof header);
    struct str token = token_make(&attacker, text, STR(JWT_GOOD_PAYLOAD), jwt_memory);
    assert_int_equal(jwt_check(token, &jwt_maker.key), TWOLEG_TOKEN_FORGED);
    token_maker_finish(&attacker);
}

static void C7_the_signature_has_one_spelling(void **state)
{
    (void)state;
    static const char *const more[] = {"=", "==", "A", " ", "\n", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct str token = jwt_good();
        memcpy(jwt_memory + token.len, more[i], strlen(more[i]));
        token.len += strlen(more[i]);
        assert_int_equal(jwt_check(token, &jwt_maker.key), TWOLEG_TOKEN_FORGED);
    }
    // 64 bytes take 86 characters, the last with four unused bits: 15 other spellings.
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";
    struct str token = jwt_good();
    char last = jwt_memory[token.len - 1];
    for (size_t i = 0; alphabet[i]; i++) {
        jwt_memory[token.len - 1] = alphabet[i];
        assert_int_equal(jwt_check(token, &jwt_maker.key),
                         alphabet[i] == last ? TWOLEG_NONE : TWOLEG_TOKEN_FORGED);
    }
}

static void C8_other_than_three_parts_are_refused_before_decoding(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",   ".",   "..",    "...",    "a",      "a.b",    "a.b.",     ".b.c",
        "a..c", "a.b.c.", ".a.b.c", "a.b.c.d", "a.b.c.d.e", "a....e",
    };
    struct jwt_parts parts = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(jwt_split(str_from(bad[i]), &parts), TWOLEG_MALFORMED);
    assert_int_equal(jwt_split(STR_NONE, &parts), TWOLEG_MALFORMED);
    assert_null(parts.header.ptr);
    assert_int_equal(jwt_split(STR("a.b.c"), &parts), TWOLEG_NONE); // decodes nothing
    assert_true(str_equal(parts.header, STR("a")));
    assert_true(str_equal(parts.payload, STR("b")));
    assert_true(str_equal(parts.signature, STR("c")));
    assert_true(str_equal(parts.signed_text, STR("a.b")));
}

static void C8_length_is_looked_at_first(void **state)
{
    (void)state;
    static char text[1 << 20];
    struct jwt_parts parts;
    memset(text, '.', sizeof text);
    assert_int_equal(jwt_split(str_of(text, sizeof text), &parts), TWOLEG_TOO_LONG);
    assert_int_equal(jwt_split(str_of(text, JWT_MAX + 1), &parts), TWOLEG_TOO_LONG);
    assert_int_equal(jwt_split(str_of(text, JWT_MAX), &parts), TWOLEG_MALFORMED);
    memset(text, 'A', sizeof text);
    text[100] = text[200] = '.';
    assert_int_equal(jwt_split(str_of(text, JWT_MAX), &parts), TWOLEG_NONE);
    // A token of the greatest length fits into a request's memory.
    assert_int_equal(jwt_check(str_of(text, JWT_MAX), &jwt_maker.key), TWOLEG_MALFORMED);
}

static void C12_signatures_of_another_length_are_refused(void **state)
{
    (void)state;
    struct str token = jwt_good();
    size_t dot = token.len - BASE64URL_LEN(64) - 1;
    uint8_t raw[70] = {0};
    size_t len;
    assert_int_equal(base64url_decode(str_slice(token, dot + 1, token.len), raw, 64, &len),
                     TWOLEG_NONE);
    for (size_t other = 0; other < sizeof raw; other++) {
        struct buf out;
        buf_init(&out, jwt_memory, sizeof jwt_memory);
        out.len = dot + 1;
        base64url_encode(&out, raw, other);
        assert_int_equal(jwt_check(buf_str(&out), &jwt_maker.key),
                         other == 64  ? TWOLEG_NONE
                         : other == 0 ? TWOLEG_MALFORMED
                                      : TWOLEG_TOKEN_FORGED);
    }
}

static void C15_every_flipped_bit_truncation_and_extension_is_refused(void **state)
{
    (void)state;
    struct str token = jwt_good();
    for (size_t bit = 0; bit < 8 * token.len; bit++) {
        jwt_memory[bit / 8] = (char)(jwt_memory[bit / 8] ^ (1 << bit % 8));
        assert_int_not_equal(jwt_check(token, &jwt_maker.key), TWOLEG_NONE);
        jwt_memory[bit / 8] = (char)(jwt_memory[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t len = 0; len < token.len; len++) {
        assert_int_not_equal(jwt_check(str_slice(token, 0, len), &jwt_maker.key), TWOLEG_NONE);
        assert_int_not_equal(jwt_check(str_slice(token, token.len - len, token.len),
                                       &jwt_maker.key),
                             TWOLEG_NONE);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        jwt_memory[token.len] = (char)byte;
        assert_int_not_equal(jwt_check(str_of(token.ptr, token.len + 1), &jwt_maker.key),
                             TWOLEG_NONE);
    }
    assert_int_equal(jwt_check(token, &jwt_maker.key), TWOLEG_NONE);
}

static int jwt_start(void **state)
{
    (void)state;
    if (crypto_init() != TWOLEG_NONE)
        return -1;
    token_maker_init(&jwt_maker);
    return 0;
}

static int jwt_stop(void **state)
{
    (void)state;
    token_maker_finish(&jwt_maker);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7515_a_3_es256_and_every_wrong_key),
        cmocka_unit_test(rfc9068_good_token_gives_its_claims),
        cmocka_unit_test(key_of_another_kid_or_another_key_is_refused),
        cmocka_unit_test(known_header_is_taken_and_another_one_read),
        cmocka_unit_test(C1_empty_signature_is_refused),
        cmocka_unit_test(C2_macs_with_the_public_key_are_refused),
        cmocka_unit_test(C4_key_in_the_header_does_not_count),
        cmocka_unit_test(C7_the_signature_has_one_spelling),
        cmocka_unit_test(C8_other_than_three_parts_are_refused_before_decoding),
        cmocka_unit_test(C8_length_is_looked_at_first),
        cmocka_unit_test(C12_signatures_of_another_length_are_refused),
        cmocka_unit_test(C15_every_flipped_bit_truncation_and_extension_is_refused),
    };
    return cmocka_run_group_tests(tests, jwt_start, jwt_stop);
}
