// SPDX-License-Identifier: Apache-2.0
// The jwt format (RFC 9068; design 3.1; threat rows C1 to C15, 38): what we sign, what we believe
// before and after the signature, and what the cache may remember.
#include "token_test.h"

#include "codec/base64url.h"
#include "codec/json_write.h"
#include "jose/jws.h"

// What a test's own JWT says. It is signed with our key, and its jti has a right tag, unless asked
// otherwise.
struct forged {
    struct str issuer, aud_json, extra; // extra: more members, each with its comma before it
    int64_t iat, exp;
    struct str kid;     // of the tag and the header
    uint32_t tag_key;   // named in the jti
    bool wrong_tag;     // the tag is flipped
    bool foreign_header; // another kid in the header
};

static struct forged forged_good(struct test_tokens *t)
{
    const struct keyring_set *keys = keyring_current(t->keyring);
    return (struct forged){
        .issuer = STR(TEST_ISSUER),
        .aud_json = STR("\"https://api.example\""),
        .iat = t->env.now_us / SECOND_US,
        .exp = t->env.now_us / SECOND_US + 60,
        .kid = keyring_signing(keys, STR("ES256"))->kid,
        .tag_key = keyring_active(keys, KEY_JTI)->id,
    };
}

static void forged_jti(struct test_tokens *t, const struct forged *f, struct buf *out)
{
    const struct data_key *key = keyring_active(keyring_current(t->keyring), KEY_JTI);
    uint8_t bytes[8 + 8 + 8 + 4 + TOKEN_ID_LEN + 8];
    struct buf jti;
    buf_init(&jti, bytes, sizeof bytes);
    buf_add_be(&jti, TEST_NUMBER, 8);
    buf_add_be(&jti, 5, 8);
    buf_add_be(&jti, TEST_NUMBER + 1000, 8);
    buf_add_be(&jti, t->context.epoch, 4);
    buf_add(&jti, STR("twelve bytes"));
    buf_add_be(&jti, f->tag_key, 4);
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("jti"));
    mac_add(&state, buf_str(&jti));
    mac_add_u64(&state, (uint64_t)f->iat);
    mac_add_u64(&state, (uint64_t)f->exp);
    mac_add(&state, f->kid);
    struct sha256 tag = mac_end(&state);
    tag.bytes[7] ^= f->wrong_tag;
    buf_add(&jti, str_of(tag.bytes, 8));
    assert_false(jti.failed);
    base64url_encode(out, bytes, sizeof bytes);
}

static struct str forged_sign(struct test_tokens *t, const struct forged *f)
{
    const struct signing_key *key = keyring_find(
        keyring_current(t->keyring), keyring_current(t->keyring)->signing[0].kid);
    struct buf claims, text;
    buf_init_arena(&claims, &t->arena, 1024);
    buf_add(&claims, STR("{\"iss\":\""));
    buf_add(&claims, f->issuer);
    buf_add(&claims, STR("\",\"sub\":\"billing\",\"client_id\":\"billing\","));
    buf_add(&claims, STR("\"scope\":\"sms\",\"aud\":"));
    buf_add(&claims, f->aud_json);
    buf_add(&claims, STR(",\"iat\":"));
    buf_add_i64(&claims, f->iat);
    buf_add(&claims, STR(",\"exp\":"));
    buf_add_i64(&claims, f->exp);
    buf_add(&claims, STR(",\"jti\":\""));
    forged_jti(t, f, &claims);
    buf_add_char(&claims, '"');
    buf_add(&claims, f->extra);
    buf_add_char(&claims, '}');
    struct jws_header header = key->header;
    if (f->foreign_header)
        assert_int_equal(
            jws_header_init(&header, sign_algorithm_es256(), STR("at+jwt"), f->kid), TWOLEG_NONE);
    buf_init_arena(&text, &t->arena, 2048);
    struct signer *signer = keyring_signer(t->context.keys, key);
    assert_non_null(signer);
    assert_int_equal(jws_write(&header, signer, buf_str(&claims), &text), TWOLEG_NONE);
    return buf_str(&text);
}

static uint64_t signature_checks(const struct test_tokens *t)
{
    return tokens_metric(t, METRIC_JWT_CACHE_MISS);
}

static void forged_expect(struct test_tokens *t, const struct forged *f,
                          enum twoleg_error expected, unsigned checks)
{
    uint64_t before = signature_checks(t);
    tokens_expect(t, forged_sign(t, f), expected);
    assert_int_equal(signature_checks(t) - before, checks);
}

static void key_state(struct test_tokens *t, const char *to)
{
    struct store_verb verb = {0};
    verb.key.id = keyring_current(t->keyring)->signing[0].id;
    verb.key.state = str_from(to);
    assert_int_equal(test_one(t->on->test, VERB_KEY_STATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_false(keyring_stale(t->keyring));
}

static void rfc9068_2_what_was_issued_is_read_back(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    t->decision.format = FORMAT_JWT;
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 3600);
    tokens_expect_record(t, &token, FORMAT_JWT);
    struct token_verdict verdict;
    assert_int_equal(tokens_inspect(t, token.text, &verdict), TWOLEG_NONE);
}

static void a_jwt_without_expiry_is_never_made(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    t->decision.format = FORMAT_JWT;
    t->decision.ttl_us = TIME_NEVER;
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_INTERNAL);
}

// The longest of everything, with a client_id that JSON must escape, still fits the reader.
static void the_longest_token_can_be_read(void **state)
{
    struct test_tokens *t = *state;
    struct application application = *t->decision.application;
    struct api api = *t->decision.api;
    char id[CLIENT_ID_MAX], scope[SCOPE_TEXT_MAX];
    memset(id, '"', sizeof id);
    memset(scope, 'x', sizeof scope);
    application.client_id = str_of(id, sizeof id);
    t->decision.application = &application;
    t->decision.api = &api;
    t->decision.scope = str_of(scope, sizeof scope);
    struct str text = tokens_issue(t, FORMAT_JWT);
    assert_true(text.len <= TOKEN_TEXT_MAX);
    tokens_expect(t, text, TWOLEG_NONE);
}

static void C15_V38_one_token_has_one_spelling(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_JWT);
    tokens_cut_and_extend(t, text, tokens_read);
    tokens_flip_each_bit(t, text, tokens_read);
}

// A cached verdict is about all bytes: nothing changes when the good one has been seen before.
static void C15_V38_a_seen_token_lends_nothing_to_others(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_JWT);
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 0);
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 1);
    tokens_flip_each_bit(t, text, tokens_read);
}

static void a_forged_tag_buys_no_signature_check(void **state)
{
    struct test_tokens *t = *state;
    struct forged f = forged_good(t);
    forged_expect(t, &f, TWOLEG_NONE, 1);
    f.wrong_tag = true;
    forged_expect(t, &f, TWOLEG_TOKEN_FORGED, 0);
    f = forged_good(t);
    f.tag_key ^= 1;
    forged_expect(t, &f, TWOLEG_TOKEN_KEY, 0);
}

// What the tag covers: iat, exp and kid cannot be moved to another signature check either.
static void the_tag_covers_the_times(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_JWT);
    struct str payload = str_slice(text, str_find(text, '.') + 1, text.len);
    payload = str_slice(payload, 0, str_find(payload, '.'));
    char json[1024];
    size_t len;
    assert_int_equal(base64url_decode(payload, json, sizeof json, &len), TWOLEG_NONE);
    json[len] = '\0';
    static const char *const members[] = {"\"exp\":", "\"iat\":"};
    for (size_t i = 0; i < 2; i++) {
        char *digit = strstr(json, members[i]);
        assert_non_null(digit);
        digit += strlen(members[i]) + 9;
        *digit = *digit == '9' ? '8' : (char)(*digit + 1);
        struct buf out;
        buf_init_arena(&out, &t->arena, 1024);
        buf_add(&out, str_slice(text, 0, str_find(text, '.') + 1));
        base64url_encode(&out, json, len);
        buf_add(&out, STR(".AAAA"));
        uint64_t before = signature_checks(t);
        tokens_expect(t, buf_str(&out), TWOLEG_TOKEN_FORGED);
        assert_int_equal(signature_checks(t), before);
        *digit = *digit == '8' ? '9' : (char)(*digit - 1);
    }
}

// A right tag is not enough: the rest of the claims is the signature's.
static void a_right_tag_does_not_replace_the_signature(void **state)
{
    struct test_tokens *t = *state;
    struct forged f = forged_good(t);
    struct str good = forged_sign(t, &f);
    f.extra = STR(",\"more\":\"rights\"");
    struct str other = forged_sign(t, &f);
    struct buf mixed; // the other's claims under the good one's signature
    size_t dot = other.len - str_find(str_slice(other, str_find(other, '.') + 1, other.len), '.') -
                 str_find(other, '.') - 1;
    buf_init_arena(&mixed, &t->arena, 1024);
    buf_add(&mixed, str_slice(other, 0, other.len - dot));
    buf_add(&mixed, str_slice(good, good.len - dot, good.len));
    assert_int_equal(buf_str(&mixed).len, other.len);
    uint64_t before = signature_checks(t);
    tokens_expect(t, buf_str(&mixed), TWOLEG_TOKEN_FORGED);
    assert_int_equal(signature_checks(t) - before, 1);
    tokens_expect(t, good, TWOLEG_NONE);
}

static void rfc9068_4_claims_that_are_not_ours_are_refused(void **state)
{
    struct test_tokens *t = *state;
    struct forged f = forged_good(t);
    f.issuer = STR("https://other.example");
    forged_expect(t, &f, TWOLEG_TOKEN_ISSUER, 0);
    f = forged_good(t);
    f.issuer = STR(TEST_ISSUER "/");
    forged_expect(t, &f, TWOLEG_TOKEN_ISSUER, 0);
    f = forged_good(t);
    f.extra = STR(",\"cnf\":{\"jkt\":\"x\"}");
    forged_expect(t, &f, TWOLEG_TOKEN_CONFIRMATION, 0);
    f = forged_good(t);
    f.exp = 0;
    forged_expect(t, &f, TWOLEG_TOKEN_VERSION, 0);
    f = forged_good(t);
    f.aud_json = STR("\"https://unknown.example\"");
    forged_expect(t, &f, TWOLEG_TOKEN_AUDIENCE, 0);
    f.aud_json = STR("[\"https://api.example\",\"https://unknown.example\"]");
    forged_expect(t, &f, TWOLEG_TOKEN_AUDIENCE, 0);
    f.aud_json = STR("[]");
    forged_expect(t, &f, TWOLEG_TOKEN_MALFORMED, 0);
}

// We write no nbf: whoever does means that the token is not good yet (RFC 7519 section 4.1.5).
static void rfc7519_4_1_5_a_token_that_is_not_good_yet_is_refused(void **state)
{
    struct test_tokens *t = *state;
    struct forged f = forged_good(t);
    f.extra = STR(",\"nbf\":253402300799");
    forged_expect(t, &f, TWOLEG_TOKEN_VERSION, 0);
}

static void two_audiences_are_two_apis(void **state)
{
    struct test_tokens *t = *state;
    const struct api api = {.number = 8, .account = ACCOUNT_DEFAULT,
                            .identifier = STR("urn:second"), .name = STR("Second"),
                            .algorithm = STR("ES256"), .scopes = STR("mail")};
    struct store_batch *batch = test_batch();
    test_add_api(batch, &api);
    assert_int_equal(test_commit(t->on->test, batch), TWOLEG_NONE);
    struct forged f = forged_good(t);
    f.aud_json = STR("[\"https://api.example\",\"urn:second\"]");
    struct token_record record;
    enum token_format format;
    assert_int_equal(token_read(&t->context, forged_sign(t, &f), NULL, &t->arena, &record, &format),
                     TWOLEG_NONE);
    assert_int_equal(record.api_count, 2);
    assert_int_equal(record.apis[0], TEST_API);
    assert_int_equal(record.apis[1], 8);
}

static void C3_an_unknown_kid_is_refused_after_the_tag(void **state)
{
    struct test_tokens *t = *state;
    struct forged f = forged_good(t);
    f.kid = STR("../../dev/null");
    f.foreign_header = true;
    forged_expect(t, &f, TWOLEG_TOKEN_KEY, 1); // with a right tag, which nobody else can make
    f.wrong_tag = true;
    forged_expect(t, &f, TWOLEG_TOKEN_FORGED, 0);
}

static void a_retired_key_still_verifies_and_signs_no_more(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    struct str text = tokens_issue(t, FORMAT_JWT);
    tokens_expect(t, text, TWOLEG_NONE);
    key_state(t, "retired");
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_INTERNAL);
    key_state(t, "gone");
    tokens_expect(t, text, TWOLEG_TOKEN_KEY);
}

static void an_announced_key_has_signed_nothing(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    struct str text = tokens_issue(t, FORMAT_JWT);
    tokens_expect(t, text, TWOLEG_NONE); // and it is in the cache now
    key_state(t, "announced");
    tokens_expect(t, text, TWOLEG_TOKEN_KEY);
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_INTERNAL);
}

static void the_cache_is_asked_for_this_key_set_only(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_JWT);
    tokens_expect(t, text, TWOLEG_NONE);
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 1);
    assert_int_equal(signature_checks(t), 1);
    key_state(t, "signing"); // as it was, but another set
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 1);
    assert_int_equal(signature_checks(t), 2);
}

// Promise 2: a hit says that the bytes are genuine, and nothing else.
static void the_gate_runs_on_a_hit_too(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    struct str text = tokens_issue(t, FORMAT_JWT);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 1);
    struct store_verb verb = {.revoke = {.id = verdict.record.id,
                                         .application = TEST_NUMBER,
                                         .expires_s = verdict.record.expires_s}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_TOKEN_REVOKED);
    t->env.latest_us += 7200 * SECOND_US;
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_TOKEN_EXPIRED);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 3);
}

static void a_token_with_a_long_scope_is_verified_each_time(void **state)
{
    struct test_tokens *t = *state;
    char scope[257];
    memset(scope, 'x', sizeof scope);
    t->decision.scope = str_of(scope, 257);
    struct str text = tokens_issue(t, FORMAT_JWT);
    tokens_expect(t, text, TWOLEG_NONE);
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(signature_checks(t), 2);
    assert_int_equal(tokens_metric(t, METRIC_JWT_CACHE_HIT), 0);
}

static void D8_without_randomness_nothing_is_issued(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token = {.expires_in_s = 42};
    t->decision.format = FORMAT_JWT;
    t->env.random_left = 0;
    fault_arm(FAULT_RANDOM, 1, true);
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_NO_RANDOM);
    assert_int_equal(token.expires_in_s, 42);
    fault_arm(FAULT_RANDOM, 0, false);
}

static void a_full_arena_is_said(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_JWT);
    struct arena none;
    struct issued_token token;
    struct token_record record;
    enum token_format format;
    arena_init(&none, NULL, 0);
    assert_int_equal(token_issue(&t->context, &t->decision, &none, &token), TWOLEG_NO_MEMORY);
    assert_int_equal(token_read(&t->context, text, NULL, &none, &record, &format),
                     TWOLEG_NO_MEMORY);
    tokens_expect(t, text, TWOLEG_NONE);
    assert_int_equal(token_read(&t->context, text, NULL, &none, &record, &format),
                     TWOLEG_NO_MEMORY);
    arena_finish(&none);
}

static void C1_what_looks_like_a_jwt_and_is_none_is_malformed(void **state)
{
    struct test_tokens *t = *state;
    static const char *const rows[] = {".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "....",
                                       "eyJhbGciOiJub25lIn0.e30.", "e30.e30.e30", "tlt_.x"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tokens_expect(t, str_from(rows[i]), TWOLEG_TOKEN_MALFORMED);
    assert_int_equal(signature_checks(t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS(rfc9068_2_what_was_issued_is_read_back),
        TOKENS(a_jwt_without_expiry_is_never_made),
        TOKENS(the_longest_token_can_be_read),
        TOKENS(C15_V38_one_token_has_one_spelling),
        TOKENS(C15_V38_a_seen_token_lends_nothing_to_others),
        TOKENS(a_forged_tag_buys_no_signature_check),
        TOKENS(the_tag_covers_the_times),
        TOKENS(a_right_tag_does_not_replace_the_signature),
        TOKENS(rfc9068_4_claims_that_are_not_ours_are_refused),
        TOKENS(rfc7519_4_1_5_a_token_that_is_not_good_yet_is_refused),
        TOKENS(two_audiences_are_two_apis),
        TOKENS(C3_an_unknown_kid_is_refused_after_the_tag),
        TOKENS(a_retired_key_still_verifies_and_signs_no_more),
        TOKENS(an_announced_key_has_signed_nothing),
        TOKENS(the_cache_is_asked_for_this_key_set_only),
        TOKENS(the_gate_runs_on_a_hit_too),
        TOKENS(a_token_with_a_long_scope_is_verified_each_time),
        TOKENS(D8_without_randomness_nothing_is_issued),
        TOKENS(a_full_arena_is_said),
        TOKENS(C1_what_looks_like_a_jwt_and_is_none_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
