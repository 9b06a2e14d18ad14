// SPDX-License-Identifier: Apache-2.0
// The dialect rfc6749: what a request says (RFC 6749 sections 2.3.1, 3.2, appendix B) and the exact
// bytes of what is answered (sections 5.1, 5.2).
#include <stdio.h>

#include "base64_text.h"
#include "dialect_test.h"

#define FORM "application/x-www-form-urlencoded"
#define world dialect_world

static int world_setup(void **state)
{
    return dialect_world_create(state, "rfc6749");
}

static struct str basic(struct world *w, const char *pair)
{
    struct buf out;
    buf_init_arena(&out, &w->arena, 64);
    buf_add(&out, STR("Basic "));
    base64_text(&out, pair, strlen(pair));
    return buf_str(&out);
}

static enum twoleg_error read_body(struct world *w, struct str body)
{
    w->http.body = body;
    w->form = (struct token_request){0};
    const struct dialect_endpoint *at = dialect_find_endpoint(w->dialect, STR("/oauth/token"));
    return dialect_read(w->dialect, at, &w->http, &w->form);
}

static void refuse(struct world *w, enum twoleg_error error, int64_t retry_us)
{
    const struct dialect_refusal refusal = {.error = error, .retry_us = retry_us};
    dialect_answer_refusal(w->dialect, &w->http, &refusal, &w->answer);
}

static enum twoleg_error answer(struct world *w, const struct issued_token *token)
{
    static const struct application application = {.client_id = {"id", 2}, .name = {"name", 4}};
    static const struct api api = {.identifier = {"https://api", 11}};
    const struct decision decision = {.application = &application, .api = &api};
    return dialect_answer_token(w->dialect, &w->http, &decision, token, &w->answer);
}

static void expect(struct world *w, const char *body, enum twoleg_error error)
{
    check_error(read_body(w, str_from(body)), error, body);
}

// --- Reading

static void rfc6749_3_2_every_parameter_is_read_once_decoded(void **state)
{
    struct world *w = *state;
    expect(w, "grant_type=client_credentials&scope=a+b%20c&resource=https%3A%2F%2Fa&client_id=x%2Bz"
              "&client_secret=%2525&token=t&token_type_hint=access_token&colour=green",
           TWOLEG_NONE);
    check_str(w->form.grant_type, "client_credentials");
    check_str(w->form.scope, "a b c");
    check_str(w->form.resource, "https://a");
    check_str(w->form.client_id, "x+z");
    check_str(w->form.client_secret, "%25"); // one pass
    check_str(w->form.token, "t");
    check_str(w->form.token_type_hint, "access_token");
    assert_int_equal(w->form.method, CLIENT_POST);
    assert_true(w->arena.wipe); // it holds a secret now
}

static void rfc6749_3_2_sent_without_a_value_is_omitted(void **state)
{
    struct world *w = *state;
    expect(w, "grant_type=&scope=&resource=&client_id&client_secret=&&&", TWOLEG_NONE);
    assert_null(w->form.grant_type.ptr);
    assert_null(w->form.scope.ptr);
    assert_null(w->form.resource.ptr);
    assert_null(w->form.client_id.ptr);
    assert_null(w->form.client_secret.ptr);
    assert_int_equal(w->form.method, CLIENT_NONE);
    expect(w, "", TWOLEG_NONE);
    assert_int_equal(read_body(w, STR_NONE), TWOLEG_NONE);
}

// RFC 8707 section 2 has a code of its own for a second resource.
static void B5_rfc8707_2_no_parameter_may_come_twice(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"grant_type", "scope", "resource", "client_id",
                                        "client_secret", "token", "token_type_hint", "colour"};
    for (size_t i = 0; i < COUNT(names); i++) {
        static const char *const forms[] = {"%s=a&x=1&%s=a", "%s=a&%s=b", "%s=&%s=b", "%s&%s",
                                            "%s=a&%s="};
        for (size_t k = 0; k < COUNT(forms); k++) {
            struct buf body;
            buf_init_arena(&body, &w->arena, 64);
            const char *rest = forms[k];
            for (const char *at; (at = strstr(rest, "%s")); rest = at + 2) {
                buf_add(&body, str_of(rest, (size_t)(at - rest)));
                buf_add(&body, str_from(names[i]));
            }
            buf_add(&body, str_from(rest));
            check_error(read_body(w, buf_str(&body)),
                        strcmp(names[i], "resource") == 0 ? TWOLEG_TARGET_DUPLICATE
                                                          : TWOLEG_PARAMETER_DUPLICATE,
                        forms[k]);
        }
    }
    // Names are compared decoded.
    expect(w, "scope=a&sc%6Fpe=b", TWOLEG_PARAMETER_DUPLICATE);
    expect(w, "scope=a&Scope=b", TWOLEG_NONE);
}

static void B6_malformed_escapes_and_nul_are_refused(void **state)
{
    struct world *w = *state;
    static const char *const rows[] = {"scope=%", "scope=%2", "scope=%zz", "scope=%00",
                                       "scope=a%0", "sc%ope=a", "%=", "colour=%", "x=1&y=%g0"};
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(w, rows[i], TWOLEG_PARAMETER_MALFORMED);
    assert_int_equal(read_body(w, str_of("scope=a\0b", 9)), TWOLEG_PARAMETER_MALFORMED);
}

static void B14_semicolons_do_not_separate(void **state)
{
    struct world *w = *state;
    expect(w, "grant_type=a;scope=b", TWOLEG_NONE);
    check_str(w->form.grant_type, "a;scope=b");
    assert_null(w->form.scope.ptr);
}

static void B14_the_65th_parameter_is_too_many(void **state)
{
    struct world *w = *state;
    struct buf body;
    buf_init_arena(&body, &w->arena, 1024);
    for (unsigned i = 0; i < 64; i++)
        buf_addf(&body, "&p%u=1", i);
    check_error(read_body(w, buf_str(&body)), TWOLEG_NONE, "64");
    buf_add(&body, STR("&&&"));
    check_error(read_body(w, buf_str(&body)), TWOLEG_NONE, "empty parts do not count");
    buf_add(&body, STR("&q=1"));
    check_error(read_body(w, buf_str(&body)), TWOLEG_PARAMETER_COUNT, "65");
}

static void B12_only_a_form_is_read(void **state)
{
    struct world *w = *state;
    static const char *const good[] = {FORM, FORM ";charset=UTF-8", FORM "; charset=utf-8",
                                       FORM " ; charset=\"utf-8\"", FORM ";",
                                       "Application/X-WWW-Form-URLencoded"};
    for (size_t i = 0; i < COUNT(good); i++) {
        w->http.content_type = str_from(good[i]);
        expect(w, "grant_type=a", TWOLEG_NONE);
    }
    static const char *const bad[] = {"", "application/json", "text/plain", FORM "x", "x" FORM,
                                      "application/x-www-form", "multipart/form-data; boundary=b",
                                      "text/plain;" FORM, FORM ", application/json",
                                      ";" FORM, NULL};
    for (size_t i = 0; i < COUNT(bad); i++) {
        w->http.content_type = str_from(bad[i]);
        expect(w, "grant_type=a", TWOLEG_MEDIA_TYPE);
    }
}

static void B3_what_belongs_into_the_body_is_refused_in_the_query(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"client_secret=x", "client_id=x", "grant_type=x", "scope=x",
                                      "token=x", "a=1&client_secret=x", "client_secret",
                                      "client%5Fsecret=x", "access_token=x", "resource="};
    for (size_t i = 0; i < COUNT(bad); i++) {
        w->http.query = str_from(bad[i]);
        check_error(read_body(w, STR("grant_type=a")), TWOLEG_CLIENT_IN_QUERY, bad[i]);
    }
    static const char *const good[] = {"", "a=1", "tenant=x&b", "a=client_secret"};
    for (size_t i = 0; i < COUNT(good); i++) {
        w->http.query = str_from(good[i]);
        check_error(read_body(w, STR("grant_type=a")), TWOLEG_NONE, good[i]);
    }
    w->http.query = STR("a=%");
    expect(w, "grant_type=a", TWOLEG_PARAMETER_MALFORMED);
}

static void rfc6749_2_3_1_basic_is_handed_on_as_it_is(void **state)
{
    struct world *w = *state;
    w->http.authorization = basic(w, "a%41:s:e%2Bc+ret");
    expect(w, "grant_type=a", TWOLEG_NONE);
    assert_int_equal(w->form.method, CLIENT_BASIC);
    check_str(w->form.client_id, "a%41");
    check_str(w->form.client_secret, "s:e%2Bc+ret");
    w->http.authorization = basic(w, "a:"); // judged where clients are
    expect(w, "grant_type=a", TWOLEG_NONE);
    check_str(w->form.client_secret, "");
}

static void B7_bad_basic_credentials_are_refused_here(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"Basic", "Basic ", "Basic !!!", "Basic YQ", "Basic OmI=",
                                      "Basic YQ==", "basic =", "Basic YTpi YTpi"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        w->http.authorization = str_from(bad[i]);
        check_error(read_body(w, STR("grant_type=a")), TWOLEG_CLIENT_MALFORMED, bad[i]);
    }
    // Another scheme is none of ours, and the body does not make up for it.
    static const char *const other[] = {"Bearer x", "Digest x", "BasicYTpi", "", "Basi YTpi"};
    for (size_t i = 0; i < COUNT(other); i++) {
        w->http.authorization = str_of(other[i], strlen(other[i]));
        check_error(read_body(w, STR("client_id=a&client_secret=b")), TWOLEG_CLIENT_MISSING,
                    other[i]);
    }
}

static void rfc6749_2_3_1_a_client_in_the_body_needs_both(void **state)
{
    struct world *w = *state;
    expect(w, "client_id=a&client_secret=b", TWOLEG_NONE);
    assert_int_equal(w->form.method, CLIENT_POST);
    expect(w, "client_id=a", TWOLEG_NONE);
    assert_int_equal(w->form.method, CLIENT_NONE);
    expect(w, "client_secret=b", TWOLEG_NONE);
    assert_int_equal(w->form.method, CLIENT_NONE);
}

static void B4_basic_and_body_together(void **state)
{
    struct world *w = *state;
    w->http.authorization = basic(w, "a%41:secret");
    static const struct {
        const char *body;
        enum twoleg_error error;
    } rows[] = {
        {"client_secret=secret", TWOLEG_CLIENT_TWO_METHODS},
        {"client_id=a%2541&client_secret=secret", TWOLEG_CLIENT_TWO_METHODS},
        {"client_id=b", TWOLEG_CLIENT_TWO_METHODS},
        {"client_id=A%2541", TWOLEG_CLIENT_TWO_METHODS},
        {"client_id=a%2541", TWOLEG_NONE}, // the id as it stands in the header
        {"client_id=aA", TWOLEG_NONE},     // and decoded
        {"client_id=&client_secret=", TWOLEG_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(w, rows[i].body, rows[i].error);
        if (!rows[i].error)
            check_str(w->form.client_id, "a%41");
    }
}

static void rfc7662_2_1_rfc7009_2_1_a_token_is_asked_for_where_it_must_be(void **state)
{
    struct world *w = *state;
    w->http.body = STR("token=&token_type_hint=x");
    assert_int_equal(dialect_read(w->dialect, NULL, &w->http, &w->form),
                     TWOLEG_TOKEN_MISSING);
    w->form = (struct token_request){0};
    w->http.body = STR("token=abc");
    assert_int_equal(dialect_read(w->dialect, NULL, &w->http, &w->form), TWOLEG_NONE);
    check_str(w->form.token, "abc");
}

// The longest body lies in the arena already when all of it must be decoded: too long is what it
// is then, not a reason to try again.
static void a_body_that_cannot_be_decoded_within_the_cap_is_too_long(void **state)
{
    struct world *w = *state;
    const size_t longest = 64 * 1024;
    assert_non_null(arena_alloc(&w->arena, 4096)); // the header block
    char *body = arena_alloc(&w->arena, longest);
    assert_non_null(body);
    memset(body, '+', longest);
    body[0] = 'a';
    body[1] = '=';
    assert_int_equal(read_body(w, str_of(body, longest)), TWOLEG_TOO_LONG);
    refuse(w, TWOLEG_TOO_LONG, 0);
    assert_int_equal(w->answer.status, 413);
}

// --- Answering

static void rfc6749_5_1_the_answer_byte_by_byte(void **state)
{
    struct world *w = *state;
    struct issued_token token = {
        .text = STR("tlt_abc"), .scope = STR("a b"), .expires_in_s = 3600, .issued_s = 1};
    assert_int_equal(answer(w, &token),
                     TWOLEG_NONE);
    assert_int_equal(w->answer.status, 200);
    assert_true(w->answer.no_store);
    check_str(w->answer.content_type, "application/json");
    check_str(w->answer.headers, "");
    check_str(w->answer.body, "{\"access_token\":\"tlt_abc\",\"token_type\":\"Bearer\","
                              "\"expires_in\":3600,\"scope\":\"a b\"}");
    token.expires_in_s = 0; // never
    token.scope = STR("");
    assert_int_equal(answer(w, &token),
                     TWOLEG_NONE);
    check_str(w->answer.body, "{\"access_token\":\"tlt_abc\",\"token_type\":\"Bearer\"}");
}

#define USER "the user's credentials or the refresh token are not good"
#define WHO "client authentication failed"
#define BASIC "WWW-Authenticate: Basic realm=\"twoleg\"\r\n"
#define LATER "Retry-After: 1\r\n"
#define FAILURES "too many failures of authentication"

static const struct {
    enum twoleg_error error;
    unsigned status;
    const char *code, *description, *headers;
} rows[] = {
    {TWOLEG_METHOD, 405, "invalid_request", "method not allowed", ""},
    {TWOLEG_NOT_ACCEPTABLE, 406, "invalid_request",
     "the answer would be JSON, which Accept does not have", ""},
    {TWOLEG_PARAMETER_MISSING, 400, "invalid_request", "a required parameter is missing", ""},
    {TWOLEG_MEDIA_TYPE, 400, "invalid_request",
     "the body must be application/x-www-form-urlencoded", ""},
    {TWOLEG_PARAMETER_MALFORMED, 400, "invalid_request", "a parameter is malformed", ""},
    {TWOLEG_PARAMETER_DUPLICATE, 400, "invalid_request", "a parameter is given twice", ""},
    {TWOLEG_PARAMETER_COUNT, 400, "invalid_request", "too many parameters", ""},
    {TWOLEG_TOO_LONG, 413, "invalid_request", "longer than its limit", ""},
    {TWOLEG_GRANT_TYPE_MISSING, 400, "invalid_request", "grant_type is missing", ""},
    {TWOLEG_TOKEN_MISSING, 400, "invalid_request", "token is missing", ""},
    {TWOLEG_CLIENT_TWO_METHODS, 400, "invalid_request",
     "two ways of client authentication at once", ""},
    {TWOLEG_CLIENT_IN_QUERY, 400, "invalid_request",
     "a parameter is in the query, where it does not belong", ""},
    {TWOLEG_GRANT_TYPE_UNSUPPORTED, 400, "unsupported_grant_type", "grant_type is not supported",
     ""},
    {TWOLEG_GRANT_TYPE_REFUSED, 400, "unauthorized_client",
     "grant_type is not allowed for this client", ""},
    {TWOLEG_SCOPE_MALFORMED, 400, "invalid_scope", "scope is malformed", ""},
    {TWOLEG_SCOPE_REFUSED, 400, "invalid_scope",
     "a scope is not the application's, or not the user's", ""},
    {TWOLEG_TARGET_UNKNOWN, 400, "invalid_target",
     "the resource is not one the application may ask for", ""},
    {TWOLEG_TARGET_MISSING, 400, "invalid_target", "name one of the application's resources", ""},
    {TWOLEG_TARGET_DUPLICATE, 400, "invalid_target", "one resource a token", ""},
    {TWOLEG_CLIENT_MISSING, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_CLIENT_MALFORMED, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_CLIENT_UNKNOWN, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_SECRET_WRONG, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_SECRET_EXPIRED, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_SECRET_EARLY, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_APPLICATION_DISABLED, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_APPLICATION_DELETED, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_ACCOUNT_DISABLED, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_APPLICATION_ELSEWHERE, 401, "invalid_client", WHO, BASIC},
    {TWOLEG_NOT_A_RESOURCE_SERVER, 403, "unauthorized_client",
     "the application is not a resource server", ""},
    {TWOLEG_TOKEN_FOREIGN, 400, "invalid_grant", "the token belongs to another client", ""},
    {TWOLEG_LIMIT, 429, "temporarily_unavailable",
     "too many single revocations; have the operator run: twoleg app revoke-tokens", ""},
    {TWOLEG_NOT_FOUND, 404, "not_found", "no such resource", ""},
    {TWOLEG_USER_UNKNOWN, 400, "invalid_grant", USER, ""},
    {TWOLEG_PASSWORD_WRONG, 400, "invalid_grant", USER, ""},
    {TWOLEG_USER_DISABLED, 400, "invalid_grant", USER, ""},
    {TWOLEG_USER_DELETED, 400, "invalid_grant", USER, ""},
    {TWOLEG_USER_GENERATION, 400, "invalid_grant", USER, ""},
    {TWOLEG_REFRESH_UNKNOWN, 400, "invalid_grant", USER, ""},
    {TWOLEG_REFRESH_FOREIGN, 400, "invalid_grant", USER, ""},
    {TWOLEG_REFRESH_EXPIRED, 400, "invalid_grant", USER, ""},
    {TWOLEG_REFRESH_GENERATION, 400, "invalid_grant", USER, ""},
    {TWOLEG_REFRESH_CREDENTIAL, 400, "invalid_grant", USER, ""},
    {TWOLEG_REFRESH_REUSED, 400, "invalid_grant", USER, ""},
    {TWOLEG_PASSWORDS, 429, "temporarily_unavailable", FAILURES, LATER},
    {TWOLEG_FAILURES_ADDRESS, 429, "temporarily_unavailable", FAILURES, LATER},
    {TWOLEG_FAILURES_CLIENT, 429, "temporarily_unavailable", FAILURES, LATER},
    {TWOLEG_SLOW_HASHES, 429, "temporarily_unavailable", FAILURES, LATER},
    {TWOLEG_BUDGET, 429, "temporarily_unavailable",
     "the application's budget is used up; keep tokens until they expire", LATER},
    {TWOLEG_NO_MEMORY, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_NO_RANDOM, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_STORE_FAILED, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_STORE_BUSY, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_STORE_STOPPED, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_OVERLOADED, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_STOPPING, 503, "temporarily_unavailable", "try again", LATER},
    {TWOLEG_INTERNAL, 503, "temporarily_unavailable", "try again", LATER},
};

static void rfc6749_5_2_each_error_byte_by_byte(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
                 rows[i].code, rows[i].description);
        refuse(w, rows[i].error, 0);
        check_str(w->answer.body, body);
        check_str(w->answer.headers, rows[i].headers);
        check_str(w->answer.content_type, "application/json");
        assert_int_equal(w->answer.status, rows[i].status);
        assert_true(w->answer.no_store);
    }
}

static void B1_who_met_a_limit_is_told_when_to_come_again(void **state)
{
    struct world *w = *state;
    static const struct {
        int64_t retry_us;
        const char *headers;
    } waits[] = {
        {0, "Retry-After: 1\r\n"},       {1, "Retry-After: 1\r\n"},
        {1000000, "Retry-After: 1\r\n"}, {1000001, "Retry-After: 2\r\n"},
        {INT64_C(86400000000), "Retry-After: 86400\r\n"},
    };
    for (size_t i = 0; i < COUNT(waits); i++) {
        refuse(w, TWOLEG_FAILURES_CLIENT, waits[i].retry_us);
        check_str(w->answer.headers, waits[i].headers);
        assert_int_equal(w->answer.status, 429);
    }
}

static void every_condition_is_tested(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        seen |= 1u << dialect_condition(rows[i].error);
    assert_int_equal(seen, (1u << CONDITIONS) - 1);
}

// Row 45: an error that nobody thought of tells nothing, and is never a 500.
static void an_error_without_a_row_is_503_in_the_same_words(void **state)
{
    struct world *w = *state;
    for (int error = TWOLEG_NONE; error < TWOLEG_ERRORS; error++) {
        bool known = false;
        for (size_t k = 0; k < COUNT(rows); k++)
            known = known || (int)rows[k].error == error;
        if (known)
            continue;
        refuse(w, (enum twoleg_error)error, 0);
        assert_int_equal(w->answer.status, 503);
        check_str(w->answer.body,
                  "{\"error\":\"temporarily_unavailable\",\"error_description\":\"try again\"}");
    }
}

static void without_memory_there_is_still_an_answer(void **state)
{
    struct world *w = *state;
    struct arena none;
    struct issued_token token = {.text = STR("t")};
    arena_init(&none, NULL, 0);
    w->http.arena = &none;
    assert_int_equal(answer(w, &token),
                     TWOLEG_NO_MEMORY);
    assert_int_equal(w->answer.status, 0);
    refuse(w, TWOLEG_SECRET_WRONG, 0);
    assert_true(w->answer.body.len > 0);
    assert_int_equal(w->answer.status, 503); // a 401 must say how (RFC 9110 section 11.6.1)
    check_str(w->answer.headers, LATER);
    arena_finish(&none);
}

#define WORLD(name) cmocka_unit_test_setup_teardown(name, world_setup, dialect_world_destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(rfc6749_3_2_every_parameter_is_read_once_decoded),
        WORLD(rfc6749_3_2_sent_without_a_value_is_omitted),
        WORLD(B5_rfc8707_2_no_parameter_may_come_twice),
        WORLD(B6_malformed_escapes_and_nul_are_refused),
        WORLD(B14_semicolons_do_not_separate),
        WORLD(B14_the_65th_parameter_is_too_many),
        WORLD(B12_only_a_form_is_read),
        WORLD(B3_what_belongs_into_the_body_is_refused_in_the_query),
        WORLD(rfc6749_2_3_1_basic_is_handed_on_as_it_is),
        WORLD(B7_bad_basic_credentials_are_refused_here),
        WORLD(rfc6749_2_3_1_a_client_in_the_body_needs_both),
        WORLD(B4_basic_and_body_together),
        WORLD(rfc7662_2_1_rfc7009_2_1_a_token_is_asked_for_where_it_must_be),
        WORLD(a_body_that_cannot_be_decoded_within_the_cap_is_too_long),
        WORLD(rfc6749_5_1_the_answer_byte_by_byte),
        WORLD(rfc6749_5_2_each_error_byte_by_byte),
        WORLD(B1_who_met_a_limit_is_told_when_to_come_again),
        cmocka_unit_test(every_condition_is_tested),
        WORLD(an_error_without_a_row_is_503_in_the_same_words),
        WORLD(without_memory_there_is_still_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
