// SPDX-License-Identifier: Apache-2.0
#include "unit/jose/token.h"

// Every good claim but one, which a test then adds.
#define CLAIMS_ID \
    "\"iss\":\"https://as.example\",\"sub\":\"app_1\",\"client_id\":\"app_1\",\"jti\":\"j\","
#define CLAIMS_TIME "\"exp\":2000,\"iat\":1000"
#define CLAIMS_GOOD "{" CLAIMS_ID CLAIMS_TIME ",\"aud\":\"https://api.example\"}"
#define CLAIMS_WITH_AUD(aud) "{" CLAIMS_ID CLAIMS_TIME ",\"aud\":" aud "}"
#define CLAIMS_WITH_EXP(exp) "{" CLAIMS_ID "\"aud\":\"a\",\"iat\":1000,\"exp\":" exp "}"
#define CLAIMS_AND(more) "{" CLAIMS_ID CLAIMS_TIME ",\"aud\":\"a\"," more "}"

struct claims_case {
    struct str json;
    enum twoleg_error error;
};

static struct arena claims_arena;
static char claims_memory[TOKEN_SIZE];

static enum twoleg_error claims_read(struct str json, struct jwt_claims *ret_claims)
{
    struct buf out;
    buf_init(&out, claims_memory, sizeof claims_memory);
    base64url_encode(&out, json.ptr, json.len);
    assert_false(out.failed);
    arena_finish(&claims_arena);
    return jwt_read_claims(buf_str(&out), &claims_arena, ret_claims);
}

static void claims_expect(const struct claims_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct jwt_claims claims = {.exp = -7};
        enum twoleg_error error = claims_read(cases[i].json, &claims);
        if (error != cases[i].error)
            fail_msg("%.*s: %s", STR_ARG(cases[i].json), twoleg_error_name(error));
        if (error)
            assert_int_equal(claims.exp, -7); // untouched
    }
}
#define CLAIMS_EXPECT(cases) claims_expect((cases), sizeof(cases) / sizeof *(cases))

static void rfc9068_2_2_all_claims(void **state)
{
    (void)state;
    struct jwt_claims claims;
    struct str json = STR("{" CLAIMS_ID CLAIMS_TIME
                          ",\"nbf\":999,\"aud\":[\"a\",\"b\"],\"scope\":\"sms groups\","
                          "\"cnf\":{\"jkt\":\"x\"},\"ext\":{\"iss\":\"other\"},\"exp2\":\"x\"}");
    assert_int_equal(claims_read(json, &claims), TWOLEG_NONE);
    assert_true(str_equal(claims.iss, STR("https://as.example")));
    assert_true(str_equal(claims.sub, STR("app_1")));
    assert_true(str_equal(claims.client_id, STR("app_1")));
    assert_true(str_equal(claims.jti, STR("j")));
    assert_true(str_equal(claims.scope, STR("sms groups")));
    assert_true(str_equal(claims.cnf, STR("{\"jkt\":\"x\"}")));
    assert_int_equal(claims.aud_count, 2);
    assert_true(str_equal(claims.aud[0], STR("a")));
    assert_true(str_equal(claims.aud[1], STR("b")));
    assert_int_equal(claims.exp, 2000);
    assert_int_equal(claims.iat, 1000);
    assert_int_equal(claims.nbf, 999);
    assert_int_equal(claims_read(STR(CLAIMS_GOOD), &claims), TWOLEG_NONE);
    assert_null(claims.scope.ptr);
    assert_null(claims.cnf.ptr);
    assert_int_equal(claims.nbf, 0);
    assert_int_equal(claims.aud_count, 1);
}

static void rfc9068_2_2_each_required_claim_is_missed(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"iss\":\"i\"", "\"sub\":\"s\"", "\"client_id\":\"c\"", "\"jti\":\"j\"",
        "\"aud\":\"a\"", "\"exp\":2",     "\"iat\":1",
    };
    size_t count = sizeof members / sizeof *members;
    for (size_t left_out = 0; left_out <= count; left_out++) {
        char memory[256];
        struct buf out;
        struct jwt_claims claims;
        buf_init(&out, memory, sizeof memory);
        buf_add(&out, STR("{\"x\":0"));
        for (size_t i = 0; i < count; i++)
            if (i != left_out)
                buf_addf(&out, ",%s", members[i]);
        buf_add_char(&out, '}');
        assert_int_equal(claims_read(buf_str(&out), &claims),
                         left_out == count ? TWOLEG_NONE : TWOLEG_MISSING);
    }
}

static void C6_duplicate_claims_are_refused(void **state)
{
    (void)state;
    static const struct claims_case cases[] = {
        {STR(CLAIMS_AND("\"exp\":3000")), TWOLEG_DUPLICATE},
        {STR(CLAIMS_AND("\"aud\":\"b\"")), TWOLEG_DUPLICATE},
        {STR(CLAIMS_AND("\"\\u0065xp\":3000")), TWOLEG_DUPLICATE},
        {STR(CLAIMS_AND("\"x\":{\"a\":1,\"a\":1}")), TWOLEG_DUPLICATE},
        {STR(CLAIMS_AND("\"x\":[{\"a\":1,\"a\":1}]")), TWOLEG_DUPLICATE},
    };
    CLAIMS_EXPECT(cases);
}

static void C9_numbers_and_text_at_the_edge(void **state)
{
    (void)state;
    static const struct claims_case cases[] = {
        {STR(CLAIMS_AND("\"x\":1e400")), TWOLEG_NONE}, // not ours, never converted
        {STR(CLAIMS_WITH_EXP("1e400")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("1e300")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("-0")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("9223372036854775808")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("9223372036854775807")), TWOLEG_RANGE},
        {STR(CLAIMS_WITH_EXP("NaN")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("+5")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("05")), TWOLEG_MALFORMED},
        {STR(CLAIMS_AND("\"x\":\"\\ud800\"")), TWOLEG_MALFORMED},
        {STR("\xef\xbb\xbf" CLAIMS_GOOD), TWOLEG_MALFORMED},
        {STR(CLAIMS_GOOD "}"), TWOLEG_MALFORMED},
        {STR(CLAIMS_GOOD "\0"), TWOLEG_MALFORMED},
        {STR("[" CLAIMS_GOOD "]"), TWOLEG_MALFORMED},
        {STR(""), TWOLEG_MALFORMED},
    };
    CLAIMS_EXPECT(cases);
}

static void C9_depth_and_members_are_bounded(void **state)
{
    (void)state;
    struct jwt_claims claims;
    static char json[12000];
    memset(json, '[', sizeof json);
    memcpy(json, "{\"x\":", 5);
    assert_int_equal(claims_read(str_of(json, sizeof json), &claims), TWOLEG_LIMIT);
    struct buf out;
    buf_init(&out, json, sizeof json);
    buf_add_char(&out, '{');
    for (unsigned i = 0; i < 1000; i++)
        buf_addf(&out, "\"k%u\":0,", i);
    buf_add(&out, STR("\"z\":0}"));
    assert_int_equal(claims_read(buf_str(&out), &claims), TWOLEG_LIMIT);
}

static void C10_exp_iat_and_nbf_are_integers_in_range(void **state)
{
    (void)state;
    static const struct claims_case cases[] = {
        {STR(CLAIMS_WITH_EXP("0")), TWOLEG_NONE},
        {STR(CLAIMS_WITH_EXP("253402300799")), TWOLEG_NONE},
        {STR(CLAIMS_WITH_EXP("253402300800")), TWOLEG_RANGE},
        {STR(CLAIMS_WITH_EXP("-1")), TWOLEG_RANGE},
        {STR(CLAIMS_WITH_EXP("\"2000\"")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("2000.0")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("2000.5")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("2e3")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("null")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("true")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_EXP("[2000]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_AND("\"nbf\":\"1\"")), TWOLEG_MALFORMED},
        {STR(CLAIMS_AND("\"nbf\":-1")), TWOLEG_RANGE},
        {STR("{" CLAIMS_ID "\"aud\":\"a\",\"exp\":2000,\"iat\":1.5}"), TWOLEG_MALFORMED},
        {STR("{" CLAIMS_ID "\"aud\":\"a\",\"exp\":2000,\"iat\":null}"), TWOLEG_MALFORMED},
    };
    CLAIMS_EXPECT(cases);
}

static void C11_aud_is_text_or_a_list_of_text(void **state)
{
    (void)state;
    static const struct claims_case cases[] = {
        {STR(CLAIMS_WITH_AUD("\"a\"")), TWOLEG_NONE},
        {STR(CLAIMS_WITH_AUD("[\"a\"]")), TWOLEG_NONE},
        {STR(CLAIMS_WITH_AUD("[ \"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\" ]")), TWOLEG_NONE},
        {STR(CLAIMS_WITH_AUD("[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]")),
         TWOLEG_LIMIT},
        {STR(CLAIMS_WITH_AUD("[]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("\"\"")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("[\"\"]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("[\"a\",\"\"]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("1")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("null")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("true")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("{\"a\":\"a\"}")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("[\"a\",1]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("[\"a\",null]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("[[\"a\"]]")), TWOLEG_MALFORMED},
        {STR(CLAIMS_WITH_AUD("\"a\\u0000b\"")), TWOLEG_MALFORMED},
    };
    CLAIMS_EXPECT(cases);
}

static void C11_text_claims_are_text(void **state)
{
    (void)state;
    static const char *const names[] = {"iss", "sub", "client_id", "jti", "scope"};
    static const char *const bad[] = {"1",   "null",  "true",        "[\"x\"]",
                                      "{}",  "\"\"",  "\"x\\u0000\"", "[]"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            char memory[128];
            struct buf out;
            struct jwt_claims claims;
            buf_init(&out, memory, sizeof memory);
            buf_addf(&out, "{\"%s\":%s}", names[n], bad[b]);
            assert_int_equal(claims_read(buf_str(&out), &claims), TWOLEG_MALFORMED);
        }
}

// C19 begins here: a bound token must be seen to be bound, whatever cnf looks like.
static void C19_cnf_is_an_object_or_refused(void **state)
{
    (void)state;
    static const struct claims_case cases[] = {
        {STR(CLAIMS_AND("\"cnf\":{}")), TWOLEG_NONE},
        {STR(CLAIMS_AND("\"cnf\":null")), TWOLEG_MALFORMED},
        {STR(CLAIMS_AND("\"cnf\":\"x\"")), TWOLEG_MALFORMED},
        {STR(CLAIMS_AND("\"cnf\":[]")), TWOLEG_MALFORMED},
    };
    CLAIMS_EXPECT(cases);
}

static void arena_at_its_cap_is_no_memory(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    static char text[8000];
    memset(text, 'A', sizeof text);
    arena_init(&arena, NULL, 4096);
    assert_int_equal(jwt_read_claims(str_of(text, sizeof text), &arena, &claims),
                     TWOLEG_NO_MEMORY);
    arena_finish(&arena);
}

static int claims_start(void **state)
{
    (void)state;
    arena_init(&claims_arena, NULL, ARENA_REQUEST_CAP);
    return 0;
}

static int claims_stop(void **state)
{
    (void)state;
    arena_finish(&claims_arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9068_2_2_all_claims),
        cmocka_unit_test(rfc9068_2_2_each_required_claim_is_missed),
        cmocka_unit_test(C6_duplicate_claims_are_refused),
        cmocka_unit_test(C9_numbers_and_text_at_the_edge),
        cmocka_unit_test(C9_depth_and_members_are_bounded),
        cmocka_unit_test(C10_exp_iat_and_nbf_are_integers_in_range),
        cmocka_unit_test(C11_aud_is_text_or_a_list_of_text),
        cmocka_unit_test(C11_text_claims_are_text),
        cmocka_unit_test(C19_cnf_is_an_object_or_refused),
        cmocka_unit_test(arena_at_its_cap_is_no_memory),
    };
    return cmocka_run_group_tests(tests, claims_start, claims_stop);
}
