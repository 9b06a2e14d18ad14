// SPDX-License-Identifier: Apache-2.0
// The sealed format (design 3.1; threat rows 38, C15, D8) and what token_inspect makes of it.
#include "token_test.h"

#include "codec/base62.h"
#include "codec/base64url.h"
#include "crypto/seal.h"

// Envelope bytes as a token's text: prefix, base64url, right checksum.
static struct str sealed_text(struct test_tokens *t, struct str envelope)
{
    struct buf text;
    buf_init_arena(&text, &t->arena, 64);
    buf_add(&text, t->context.prefix);
    base64url_encode(&text, envelope.ptr, envelope.len);
    credential_checksum_append(&text, 0);
    assert_false(text.failed);
    return buf_str(&text);
}

// A token with this plain record, sealed under our key as one of ours is.
static struct str sealed_under(struct test_tokens *t, const char *purpose, uint8_t version,
                               struct str plain)
{
    const struct data_key *key = keyring_active(keyring_current(t->keyring), KEY_SEAL);
    struct buf aad, envelope;
    uint8_t nonce[SEAL_NONCE_SIZE] = {1, 2, 3};
    buf_init_arena(&aad, &t->arena, 64);
    buf_add(&aad, str_from(purpose));
    buf_add_be(&aad, version, 1);
    buf_add_be(&aad, key->id, 4);
    buf_init_arena(&envelope, &t->arena, 256);
    buf_add_be(&envelope, version, 1);
    buf_add_be(&envelope, key->id, 4);
    buf_add(&envelope, str_of(nonce, sizeof nonce));
    seal_write(key->raw, nonce, buf_str(&aad), plain, &envelope);
    return sealed_text(t, buf_str(&envelope));
}

static struct str sealed_plain(struct test_tokens *t, struct str plain)
{
    return sealed_under(t, "tl-token", 1, plain);
}

// A record as it is written, with room to say what is wrong about it.
static struct buf sealed_record(struct test_tokens *t, uint8_t flags, uint8_t count,
                                size_t scope_len)
{
    struct buf out;
    buf_init_arena(&out, &t->arena, 256);
    buf_add_be(&out, flags, 1);
    buf_add_be(&out, t->context.epoch, 4);
    buf_add_be(&out, TEST_NUMBER, 8);
    buf_add_be(&out, 5, 8);
    buf_add_be(&out, TEST_NUMBER + 1000, 8);
    if (flags & 1) { // a subject and its generation
        buf_add_be(&out, 77, 8);
        buf_add_be(&out, 1, 8);
    }
    if (flags & 2) // a family
        buf_add_be(&out, 33, 8);
    buf_add_be(&out, count, 1);
    for (unsigned i = 0; i < count; i++)
        buf_add_be(&out, TEST_API, 8);
    buf_add_be(&out, (uint64_t)(t->env.now_us / SECOND_US), 5);
    buf_add_be(&out, (uint64_t)(t->env.now_us / SECOND_US) + 60, 5);
    buf_add_be(&out, scope_len, 2);
    return out;
}

// The envelope of a genuine token, to be spoilt.
static char *sealed_envelope(struct test_tokens *t, struct str text, size_t *ret_len)
{
    struct str body = str_slice(text, t->context.prefix.len, text.len - CREDENTIAL_CHECKSUM_LEN);
    char *bytes = arena_alloc(&t->arena, BASE64URL_BYTES(body.len));
    assert_int_equal(base64url_decode(body, bytes, BASE64URL_BYTES(body.len), ret_len),
                     TWOLEG_NONE);
    return bytes;
}

static void what_was_issued_is_read_back(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 3600);
    assert_int_equal(token.issued_s, t->env.now_us / SECOND_US);
    test_assert_str(token.scope, "groups sms");
    assert_true(str_starts_with(token.text, STR("tlt_")));
    assert_true(credential_checksum_ok(token.text));
    tokens_expect_record(t, &token, FORMAT_SEALED);
}

static void a_token_that_never_expires_says_so(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token;
    struct token_verdict verdict;
    t->decision.ttl_us = TIME_NEVER;
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_NONE);
    assert_int_equal(token.expires_in_s, 0);
    t->env.latest_us += 20 * 366 * 86400 * SECOND_US;
    assert_int_equal(tokens_inspect(t, token.text, &verdict), TWOLEG_NONE);
    assert_int_equal(verdict.record.expires_s, 0);
}

static void a_scope_may_be_empty_and_may_be_long(void **state)
{
    struct test_tokens *t = *state;
    struct token_record record;
    enum token_format format;
    char longest[SCOPE_TEXT_MAX];
    memset(longest, 'x', sizeof longest);
    for (int i = 0; i < 2; i++) {
        t->decision.scope = i ? str_of(longest, sizeof longest) : STR_NONE;
        struct str text = tokens_issue(t, FORMAT_SEALED);
        assert_true(text.len <= TOKEN_TEXT_MAX);
        assert_int_equal(token_read(&t->context, text, NULL, &t->arena, &record, &format),
                         TWOLEG_NONE);
        assert_true(str_equal(record.scope, t->decision.scope));
    }
}

static void no_two_tokens_are_alike(void **state)
{
    struct test_tokens *t = *state;
    struct token_record first, second;
    enum token_format format;
    struct str a = tokens_issue(t, FORMAT_SEALED), b = tokens_issue(t, FORMAT_SEALED);
    assert_false(str_equal(a, b));
    assert_int_equal(token_read(&t->context, a, NULL, &t->arena, &first, &format), TWOLEG_NONE);
    assert_int_equal(token_read(&t->context, b, NULL, &t->arena, &second, &format), TWOLEG_NONE);
    assert_memory_not_equal(&first.id, &second.id, sizeof first.id);
}

static void C15_V38_one_token_has_one_spelling(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    tokens_cut_and_extend(t, text, tokens_read);
    tokens_flip_each_bit(t, text, tokens_read);
}

// The checksum is no secret: whoever forges a token gets it right.
static void C15_no_bit_may_be_flipped_with_a_right_checksum_either(void **state)
{
    struct test_tokens *t = *state;
    size_t len;
    char *envelope = sealed_envelope(t, tokens_issue(t, FORMAT_SEALED), &len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        envelope[bit / 8] ^= (char)(1 << bit % 8);
        enum twoleg_error expected = bit < 8    ? TWOLEG_TOKEN_VERSION
                                     : bit < 40 ? TWOLEG_TOKEN_KEY
                                                : TWOLEG_TOKEN_FORGED;
        tokens_expect(t, sealed_text(t, str_of(envelope, len)), expected);
        envelope[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_not_equal(tokens_read(t, sealed_text(t, str_of(envelope, cut))), TWOLEG_NONE);
    tokens_expect(t, sealed_text(t, str_of(envelope, len)), TWOLEG_NONE);
}

static void C7_other_spellings_of_the_same_bytes_are_refused(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    struct str body = str_slice(text, 4, text.len - CREDENTIAL_CHECKSUM_LEN);
    static const char *const tails[] = {"=", "==", " ", "\n", "A", "AA", "AAA", "AAAA", "%3D"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct buf out;
        buf_init_arena(&out, &t->arena, 512);
        buf_add(&out, t->context.prefix);
        buf_add(&out, body);
        buf_add(&out, str_from(tails[i]));
        credential_checksum_append(&out, 0);
        assert_int_not_equal(tokens_read(t, buf_str(&out)), TWOLEG_NONE);
    }
}

static void C15_prefix_checksum_and_length_are_looked_at_first(void **state)
{
    struct test_tokens *t = *state;
    static const char *const rows[] = {"", "t", "tlt_", "tlt_AAAAAA", "tlt_0000000000", "nonsense",
                                       "\xff\xfe", "tlt_ ", "000000", "tlt_tlt_"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tokens_expect(t, str_from(rows[i]), TWOLEG_TOKEN_MALFORMED);
    tokens_expect(t, STR_NONE, TWOLEG_TOKEN_MALFORMED);
    tokens_expect(t, sealed_text(t, STR("")), TWOLEG_TOKEN_MALFORMED);
    struct str text = tokens_issue(t, FORMAT_SEALED);
    t->context.prefix = STR("xyz_");
    tokens_expect(t, text, TWOLEG_TOKEN_MALFORMED);
    t->context.prefix = STR("tl");
    assert_int_not_equal(tokens_read(t, text), TWOLEG_NONE);
    t->context.prefix = STR("");
    assert_int_not_equal(tokens_read(t, text), TWOLEG_NONE);
    char *huge = arena_zalloc(&t->arena, TOKEN_TEXT_MAX + 1);
    memset(huge, 'A', TOKEN_TEXT_MAX + 1);
    tokens_expect(t, str_of(huge, TOKEN_TEXT_MAX + 1), TWOLEG_TOKEN_MALFORMED);
    tokens_expect(t, str_of(huge, TOKEN_TEXT_MAX), TWOLEG_TOKEN_MALFORMED);
}

static void a_record_of_ours_is_read(void **state)
{
    struct test_tokens *t = *state;
    struct buf plain = sealed_record(t, 0, 1, 3);
    buf_add(&plain, STR("sms"));
    struct str text = sealed_plain(t, buf_str(&plain));
    tokens_expect(t, text, TWOLEG_NONE);
    struct token_verdict verdict;
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    test_assert_str(verdict.passed.scope, "sms");
    plain = sealed_record(t, 0, TOKEN_APIS_MAX, 0);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_NONE);
}

// A later release that sets a flag means it: nothing here would look at what it stands for.
static void an_unknown_flag_is_refused(void **state)
{
    struct test_tokens *t = *state;
    for (unsigned flags = 2; flags < 256; flags++) {
        if (flags == 3) // a user's token, of a family; but a family is always a user's
            continue;
        struct buf plain = sealed_record(t, (uint8_t)flags, 1, 0);
        tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
    }
}

static void rfc6749_4_3_a_token_of_a_user_says_so_and_whose(void **state)
{
    struct test_tokens *t = *state;
    t->decision.subject = 77;
    t->decision.subject_generation = 9;
    static const enum token_format formats[] = {FORMAT_SEALED, FORMAT_JWT};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct token_record record;
        enum token_format format;
        struct str text = tokens_issue(t, formats[i]);
        assert_int_equal(token_read(&t->context, text, NULL, &t->arena, &record, &format),
                         TWOLEG_NONE);
        assert_true(record.subject == 77 && record.subject_generation == 9);
        // The registry has no such user: whose the token is makes it dead.
        struct token_verdict verdict;
        assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_USER_DELETED);
    }
    t->decision.subject = t->decision.subject_generation = 0;
    struct token_record record;
    enum token_format format;
    assert_int_equal(token_read(&t->context, tokens_issue(t, FORMAT_SEALED), NULL, &t->arena,
                                &record, &format), TWOLEG_NONE);
    assert_true(record.subject == 0);
    // A flag that promises a subject and names nobody is nothing that we write.
    struct buf plain = sealed_record(t, 1, 1, 0);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_NONE);
    memset(plain.ptr + 1 + 4 + 3 * 8, 0, 8);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
    // Nor one that promises a family and names none.
    plain = sealed_record(t, 3, 1, 0);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_NONE);
    memset(plain.ptr + 1 + 4 + 5 * 8, 0, 8);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
}

static void family_make_user(struct test_tokens *t, uint64_t number)
{
    static const struct application_api rights = {TEST_API, true, false, {"groups sms", 10}};
    const struct user user = {.number = number,
                              .account = ACCOUNT_DEFAULT,
                              .username = STR("ann"),
                              .password_hash = STR("$argon2id$of-the-word"),
                              .state = {STATUS_ACTIVE, 9},
                              .apis = &rights,
                              .api_count = 1};
    struct store_verb verb = {.user = &user};
    assert_int_equal(test_one(t->on->test, VERB_USER_CREATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static enum twoleg_error family_inspect(struct test_tokens *t, struct str text)
{
    struct token_verdict verdict;
    return tokens_inspect(t, text, &verdict);
}

// RFC 7009 section 2.1: its end is asked about by the family that the token names, and no other.
static void rfc7009_2_1_a_token_ends_with_its_family(void **state)
{
    struct test_tokens *t = *state;
    static const enum token_format formats[] = {FORMAT_SEALED, FORMAT_JWT};
    family_make_user(t, 77);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct token_record record;
        enum token_format format;
        struct str own = tokens_issue(t, formats[i]);
        t->decision.subject = 77;
        t->decision.subject_generation = 9;
        struct str none = tokens_issue(t, formats[i]);
        t->decision.family = UINT64_MAX - i;
        struct str text = tokens_issue(t, formats[i]);
        t->decision.family = UINT64_MAX - 9;
        struct str other = tokens_issue(t, formats[i]);
        t->decision.family = t->decision.subject = t->decision.subject_generation = 0;
        assert_int_equal(token_read(&t->context, text, NULL, &t->arena, &record, &format),
                         TWOLEG_NONE);
        assert_true(record.family == UINT64_MAX - i && record.subject == 77);
        assert_true(own.len < none.len && none.len < text.len); // who has none pays for none
        assert_int_equal(family_inspect(t, text), TWOLEG_NONE);
        struct store_verb end = {.revoke = {.id = token_family_id(UINT64_MAX - i),
                                            .application = TEST_NUMBER}};
        assert_int_equal(test_one(t->on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &end),
                         TWOLEG_NONE);
        assert_int_equal(family_inspect(t, text), TWOLEG_TOKEN_FAMILY);
        assert_int_equal(family_inspect(t, other), TWOLEG_NONE);
        assert_int_equal(family_inspect(t, none), TWOLEG_NONE);
        assert_int_equal(family_inspect(t, own), TWOLEG_NONE);
    }
}

static void a_record_must_fill_its_text_exactly(void **state)
{
    struct test_tokens *t = *state;
    struct buf plain = sealed_record(t, 0, 1, 3);
    buf_add(&plain, STR("sms"));
    struct str whole = buf_str(&plain);
    for (size_t i = 0; i < whole.len; i++) {
        struct str text = sealed_plain(t, str_slice(whole, 0, i));
        bool is_short = text.len <= TOKEN_SHAPE_TEXT_MAX; // then it is no sealed token anyway
        tokens_expect(t, text, is_short ? TWOLEG_TOKEN_MALFORMED : TWOLEG_TOKEN_VERSION);
    }
    buf_add_char(&plain, ' ');
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
    plain = sealed_record(t, 0, 1, 0xffff);
    buf_add(&plain, STR("sms"));
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
    plain = sealed_record(t, 0, TOKEN_APIS_MAX + 1, 0);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
    plain = sealed_record(t, 0, 255, 0);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
}

static void a_seal_made_for_something_else_is_no_token(void **state)
{
    struct test_tokens *t = *state;
    struct buf plain = sealed_record(t, 0, 1, 0);
    tokens_expect(t, sealed_plain(t, buf_str(&plain)), TWOLEG_NONE);
    tokens_expect(t, sealed_under(t, "tl-other", 1, buf_str(&plain)), TWOLEG_TOKEN_FORGED);
    tokens_expect(t, sealed_under(t, "", 1, buf_str(&plain)), TWOLEG_TOKEN_FORGED);
    tokens_expect(t, sealed_under(t, "tl-token", 2, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
    tokens_expect(t, sealed_under(t, "tl-token", 0, buf_str(&plain)), TWOLEG_TOKEN_VERSION);
}

static void D8_without_randomness_nothing_is_issued(void **state)
{
    struct test_tokens *t = *state;
    struct issued_token token = {.expires_in_s = 42};
    // The buffered bytes may end between the id and the rest of the nonce: every place must hold.
    for (size_t left = 0; left < TOKEN_ID_LEN + 8; left++) {
        t->env.random_left = left;
        fault_arm(FAULT_RANDOM, 1, true);
        assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token),
                         TWOLEG_NO_RANDOM);
        assert_int_equal(token.expires_in_s, 42);
    }
    fault_arm(FAULT_RANDOM, 0, false);
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_NONE);
}

static void a_full_arena_is_said(void **state)
{
    struct test_tokens *t = *state;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    struct arena none;
    struct issued_token token;
    struct token_record record;
    enum token_format format;
    arena_init(&none, NULL, 0);
    assert_int_equal(token_issue(&t->context, &t->decision, &none, &token), TWOLEG_NO_MEMORY);
    assert_int_equal(token_read(&t->context, text, NULL, &none, &record, &format),
                     TWOLEG_NO_MEMORY);
    arena_finish(&none);
}

// --- token_inspect: the registry and the gate behind the seal

static void a_token_from_before_a_restore_is_dead(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    t->context.epoch = 4;
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_TOKEN_EPOCH);
    assert_true(verdict.read);
}

static void a_token_dies_with_its_second(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    t->decision.ttl_us = SECOND_US;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    t->env.latest_us = verdict.record.expires_s * SECOND_US - 1;
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    t->env.latest_us++;
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_TOKEN_EXPIRED);
    // A clock set back revives nothing.
    t->env.now_us -= 3600 * SECOND_US;
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_TOKEN_EXPIRED);
}

static void a_single_revocation_is_honoured_at_once(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    struct str text = tokens_issue(t, FORMAT_SEALED), other = tokens_issue(t, FORMAT_SEALED);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
    struct store_verb verb = {.revoke = {.id = verdict.record.id,
                                         .application = TEST_NUMBER,
                                         .expires_s = verdict.record.expires_s}};
    assert_int_equal(test_one(t->on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_TOKEN_REVOKED);
    assert_int_equal(tokens_inspect(t, other, &verdict), TWOLEG_NONE);
}

// Row 40: tokens of a deleted application stay dead, also when its client_id lives again.
static void row40_tokens_of_a_deleted_application_are_dead(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    assert_int_equal(registry_test_delete(t->on->test, TEST_NUMBER), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_APPLICATION_DELETED);
    assert_int_equal(test_make_application(t->on->test, TEST_NUMBER + 1, "billing"), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_APPLICATION_DELETED);
}

static void an_application_that_is_not_loaded_must_be_first(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    struct str text = tokens_issue(t, FORMAT_SEALED);
    assert_int_equal(registry_test_rename(t->on->test, TEST_NUMBER, "Other"), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_WAIT);
    assert_int_equal(verdict.view.number, TEST_NUMBER);
    assert_int_equal(registry_test_load(t->on, TEST_NUMBER), TWOLEG_NONE);
    assert_int_equal(tokens_inspect(t, text, &verdict), TWOLEG_NONE);
}

static void what_is_no_token_gives_an_empty_verdict(void **state)
{
    struct test_tokens *t = *state;
    struct token_verdict verdict;
    memset(&verdict, 0xff, sizeof verdict);
    assert_int_equal(tokens_inspect(t, STR("tlt_nothing"), &verdict), TWOLEG_TOKEN_MALFORMED);
    assert_false(verdict.read);
    assert_null(verdict.view.body);
    assert_int_equal(verdict.record.application, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS(what_was_issued_is_read_back),
        TOKENS(a_token_that_never_expires_says_so),
        TOKENS(a_scope_may_be_empty_and_may_be_long),
        TOKENS(no_two_tokens_are_alike),
        TOKENS(C15_V38_one_token_has_one_spelling),
        TOKENS(C15_no_bit_may_be_flipped_with_a_right_checksum_either),
        TOKENS(C7_other_spellings_of_the_same_bytes_are_refused),
        TOKENS(C15_prefix_checksum_and_length_are_looked_at_first),
        TOKENS(a_record_of_ours_is_read),
        TOKENS(an_unknown_flag_is_refused),
        TOKENS(rfc6749_4_3_a_token_of_a_user_says_so_and_whose),
        TOKENS(rfc7009_2_1_a_token_ends_with_its_family),
        TOKENS(a_record_must_fill_its_text_exactly),
        TOKENS(a_seal_made_for_something_else_is_no_token),
        TOKENS(D8_without_randomness_nothing_is_issued),
        TOKENS(a_full_arena_is_said),
        TOKENS(a_token_from_before_a_restore_is_dead),
        TOKENS(a_token_dies_with_its_second),
        TOKENS(a_single_revocation_is_honoured_at_once),
        TOKENS(row40_tokens_of_a_deleted_application_are_dead),
        TOKENS(an_application_that_is_not_loaded_must_be_first),
        TOKENS(what_is_no_token_gives_an_empty_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
