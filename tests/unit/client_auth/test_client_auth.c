// SPDX-License-Identifier: Apache-2.0
// Client authentication (RFC 6749 section 2.3.1; design 3.2; threat rows B2, B7 to B10, 33) over a
// real store, registry and keyring.
#include "unit/token/token_test.h"

#include "client_auth/client_auth.h"
#include "crypto/password.h"

#define LONG "0123456789-0123456789-0123456789+a%41:b" // long enough to be kept under a MAC

struct test_auth {
    struct test_tokens *t;
    struct slow_secret_cache *slow;
    struct slow_outcome outcomes[64]; // what this "request" has had compared
    size_t outcome_count;
    struct client_auth_context context;
    struct client client;
    struct client_auth_wait wait;
    uint64_t next_secret;
};

static int auth_setup(void **state)
{
    struct test_auth *a = calloc(1, sizeof *a);
    void *tokens;
    if (!a || tokens_setup(&tokens))
        return -1;
    a->t = tokens;
    a->slow = slow_secret_cache_create(&a->t->env);
    assert_non_null(a->slow);
    a->next_secret = 5000;
    a->context = (struct client_auth_context){
        .registry = a->t->on->registry,
        .keys = keyring_current(a->t->keyring),
        .slow = a->slow,
        .arena = &a->t->arena,
        .door = GATE_TOKEN_ENDPOINT,
        .now_us = a->t->env.latest_us,
    };
    *state = a;
    return 0;
}

static int auth_teardown(void **state)
{
    struct test_auth *a = *state;
    slow_secret_cache_destroy(a->slow);
    void *tokens = a->t;
    free(a);
    return tokens_teardown(&tokens);
}

static struct secret *auth_keyed(struct test_auth *a, uint64_t number, const char *text)
{
    struct secret *secret = arena_zalloc(&a->t->arena, sizeof *secret);
    const struct data_key *key = keyring_active(a->context.keys, KEY_SECRET);
    secret->number = a->next_secret++;
    secret->key = key->id;
    secret->label = STR("test");
    secret->expires_us = TIME_NEVER;
    client_auth_secret_mac(key, number, str_from(text), secret->mac);
    return secret;
}

static void auth_add(struct test_auth *a, uint64_t number, const struct secret *secret)
{
    struct store_verb verb = {.secret = {.application = number, .secret = *secret}};
    assert_int_equal(test_one(a->t->on->test, VERB_SECRET_CREATE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    registry_test_view(a->t->on, number);
}

static void auth_remove(struct test_auth *a, uint64_t number, uint64_t secret)
{
    struct store_verb verb = {.secret = {.application = number, .secret = {.number = secret}}};
    assert_int_equal(test_one(a->t->on->test, VERB_SECRET_REMOVE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    registry_test_view(a->t->on, number);
}

static void auth_new_client(struct test_auth *a, uint64_t number, const char *client_id,
                            const char *secret)
{
    assert_int_equal(test_make_application(a->t->on->test, number, client_id), TWOLEG_NONE);
    auth_add(a, number, auth_keyed(a, number, secret));
}

static enum twoleg_error auth_ask(struct test_auth *a, enum client_method method, struct str id,
                                  struct str secret)
{
    static const struct request_rules rules = {.basic_decoded = true, .basic_raw = true};
    struct token_request request = {
        .rules = &rules, .method = method, .client_id = id, .client_secret = secret};
    a->client = (struct client){0};
    return client_auth(&a->context, &request, &a->client, &a->wait);
}

static void auth_expect(struct test_auth *a, enum client_method method, const char *id,
                        const char *secret, enum twoleg_error expected)
{
    enum twoleg_error error = auth_ask(a, method, str_from(id), str_from(secret));
    if (error != expected)
        fail_msg("%s \"%s\" \"%s\": got \"%s\", expected \"%s\"",
                 method == CLIENT_BASIC ? "basic" : "post", id, secret, twoleg_error_text(error),
                 twoleg_error_text(expected));
    assert_int_equal(a->client.application != NULL, expected == TWOLEG_NONE);
}

// As the endpoint does: compares what is asked for, and asks again.
static enum twoleg_error auth_ask_slow(struct test_auth *a, struct str id, struct str secret,
                                       unsigned *ret_compared)
{
    *ret_compared = 0;
    a->outcome_count = 0;
    a->context.outcomes = NULL;
    enum twoleg_error error = auth_ask(a, CLIENT_BASIC, id, secret);
    while (error == TWOLEG_WAIT && a->wait.slow && *ret_compared < 40) {
        struct slow_outcome *outcome = &a->outcomes[a->outcome_count++];
        ++*ret_compared;
        outcome->digest = slow_secret_digest(a->slow, a->wait.slow, &a->context.network,
                                             a->wait.presented);
        outcome->matches =
            password_verify(a->wait.slow->slow_hash, a->wait.presented) == TWOLEG_NONE;
        outcome->next = a->context.outcomes;
        a->context.outcomes = outcome;
        slow_secret_put(a->slow, &outcome->digest, outcome->matches);
        error = auth_ask(a, CLIENT_BASIC, id, secret);
    }
    a->context.outcomes = NULL;
    return error;
}

// A short brought secret. hash NULL: of the text; else this, which costs nothing to refuse.
static void auth_add_slow(struct test_auth *a, uint64_t number, const char *text, const char *hash)
{
    struct password_hash made;
    if (!hash) {
        assert_int_equal(password_hash(&a->t->env, str_from(text), &made), TWOLEG_NONE);
        hash = made.text;
    }
    struct secret secret = {.number = a->next_secret++,
                            .scheme = SECRET_ARGON2,
                            .slow_hash = str_from(hash),
                            .label = STR("brought"),
                            .expires_us = TIME_NEVER};
    auth_add(a, number, &secret);
}

static void the_right_secret_opens(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_NONE);
    assert_int_equal(a->client.application->number, 20);
    assert_int_equal(a->client.secret->number, 5000);
    assert_int_equal(a->client.state.generation, 5);
    auth_expect(a, CLIENT_POST, "mailer", "tls_0123456789", TWOLEG_NONE);
}

static void a_wrong_secret_or_id_does_not(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    static const char *const wrong[] = {"tls_012345678", "tls_01234567890", "TLS_0123456789", "x",
                                        " tls_0123456789", "tls_0123456789 ", "mailer"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        auth_expect(a, CLIENT_BASIC, "mailer", wrong[i], TWOLEG_SECRET_WRONG);
        auth_expect(a, CLIENT_POST, "mailer", wrong[i], TWOLEG_SECRET_WRONG);
        auth_expect(a, CLIENT_BASIC, "nobody", wrong[i], TWOLEG_CLIENT_UNKNOWN);
    }
    // The secret is bound to its application: another one's is wrong.
    auth_new_client(a, 21, "texter", "tls_9876543210");
    auth_expect(a, CLIENT_BASIC, "texter", "tls_0123456789", TWOLEG_SECRET_WRONG);
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_9876543210", TWOLEG_SECRET_WRONG);
}

static void a_stored_mac_is_of_one_application(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    assert_int_equal(test_make_application(a->t->on->test, 21, "texter"), TWOLEG_NONE);
    auth_add(a, 21, auth_keyed(a, 20, "tls_0123456789")); // a row copied from the other
    auth_expect(a, CLIENT_BASIC, "texter", "tls_0123456789", TWOLEG_SECRET_WRONG);
}

// Row B8: ids are compared as exact bytes.
static void B8_an_id_in_another_spelling_is_another_id(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    static const char *const others[] = {"Mailer", "MAILER", "mailer ", " mailer", "mailer\t",
                                         "mail\xc3\xa9r", "mailer\xc0\x80", "maile", "mailers",
                                         "m\xd0\xb0iler"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        auth_expect(a, CLIENT_BASIC, others[i], "tls_0123456789", TWOLEG_CLIENT_UNKNOWN);
        auth_expect(a, CLIENT_POST, others[i], "tls_0123456789", TWOLEG_CLIENT_UNKNOWN);
    }
    assert_int_equal(auth_ask(a, CLIENT_POST, str_of("mailer\0", 7), STR("tls_0123456789")),
                     TWOLEG_CLIENT_UNKNOWN);
}

// RFC 6749 section 2.3.1 and B7: in Basic both spellings of the secret, in the body only one.
static void rfc6749_2_3_1_B7_basic_takes_the_secret_raw_and_encoded(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", LONG);
    auth_expect(a, CLIENT_BASIC, "mailer", LONG, TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "mailer",
                "0123456789-0123456789-0123456789%2Ba%2541%3Ab", TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "mailer",
                "0123456789-0123456789-0123456789%2ba%2541:b", TWOLEG_NONE);
    // One pass of decoding, never two.
    auth_expect(a, CLIENT_BASIC, "mailer",
                "0123456789-0123456789-0123456789%252Ba%252541%253Ab", TWOLEG_SECRET_WRONG);
    auth_expect(a, CLIENT_POST, "mailer", LONG, TWOLEG_NONE);
    auth_expect(a, CLIENT_POST, "mailer",
                "0123456789-0123456789-0123456789%2Ba%2541%3Ab", TWOLEG_SECRET_WRONG);
}

static void B6_malformed_percent_in_basic_is_read_raw(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "100%", "secret%zz%2");
    auth_expect(a, CLIENT_BASIC, "100%", "secret%zz%2", TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "100%25", "secret%zz%2", TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "100%25", "secret%25zz%252", TWOLEG_NONE);
    auth_expect(a, CLIENT_POST, "100%25", "secret%zz%2", TWOLEG_CLIENT_UNKNOWN);
}

// Section 4: the id is resolved once, decoded if that exists; only its secrets are looked at.
static void the_id_is_resolved_once(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "a%41", "secret of raw");
    auth_expect(a, CLIENT_BASIC, "a%41", "secret of raw", TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "a%2541", "secret of raw", TWOLEG_NONE);
    auth_new_client(a, 21, "aA", "secret of decoded");
    auth_expect(a, CLIENT_BASIC, "a%41", "secret of decoded", TWOLEG_NONE);
    assert_int_equal(a->client.application->number, 21);
    auth_expect(a, CLIENT_BASIC, "a%41", "secret of raw", TWOLEG_SECRET_WRONG);
    auth_expect(a, CLIENT_BASIC, "a%2541", "secret of raw", TWOLEG_NONE);
    assert_int_equal(a->client.application->number, 20);
}

static void B7_B9_an_empty_id_or_secret_is_no_authentication(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    auth_expect(a, CLIENT_BASIC, "mailer", "", TWOLEG_CLIENT_MISSING);
    auth_expect(a, CLIENT_POST, "mailer", "", TWOLEG_CLIENT_MISSING);
    auth_expect(a, CLIENT_BASIC, "", "tls_0123456789", TWOLEG_CLIENT_MISSING);
    auth_expect(a, CLIENT_NONE, "mailer", "tls_0123456789", TWOLEG_CLIENT_MISSING);
    assert_int_equal(auth_ask(a, CLIENT_BASIC, STR("mailer"), STR_NONE), TWOLEG_CLIENT_MISSING);
    assert_int_equal(auth_ask(a, CLIENT_POST, STR("mailer"), STR_NONE), TWOLEG_CLIENT_MISSING);
}

// Row 33 (CVE-2026-44476): what has no secret, or the MAC of an empty one, matches nothing.
static void V33_a_client_without_a_secret_never_matches(void **state)
{
    struct test_auth *a = *state;
    auth_remove(a, TEST_NUMBER, TEST_NUMBER + 1000);
    assert_int_equal(registry_test_view(a->t->on, TEST_NUMBER).body->secret_count, 0);
    static const char *const tries[] = {"x", "null", "%00", "%", "+"};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        auth_expect(a, CLIENT_BASIC, "billing", tries[i], TWOLEG_SECRET_WRONG);
    auth_expect(a, CLIENT_BASIC, "billing", "", TWOLEG_CLIENT_MISSING);
    auth_add(a, TEST_NUMBER, auth_keyed(a, TEST_NUMBER, ""));
    auth_expect(a, CLIENT_BASIC, "billing", "", TWOLEG_CLIENT_MISSING);
    auth_expect(a, CLIENT_POST, "billing", "", TWOLEG_CLIENT_MISSING);
    auth_expect(a, CLIENT_BASIC, "billing", "%", TWOLEG_SECRET_WRONG);
}

static void a_secret_under_an_unknown_data_key_never_matches(void **state)
{
    struct test_auth *a = *state;
    struct secret *secret = auth_keyed(a, TEST_NUMBER, "tls_0123456789");
    secret->key ^= 1;
    auth_add(a, TEST_NUMBER, secret);
    auth_expect(a, CLIENT_BASIC, "billing", "tls_0123456789", TWOLEG_SECRET_WRONG);
}

static void expect_macs(struct test_auth *a, const char *id, const char *secret,
                        enum twoleg_error error, unsigned long macs)
{
    unsigned long before = mac_count();
    auth_expect(a, CLIENT_BASIC, id, secret, error);
    if (mac_count() - before != macs)
        fail_msg("\"%s\" \"%s\": %lu MACs, not %lu", id, secret, mac_count() - before, macs);
}

// Row B2: the time says neither whether an id exists nor how many secrets it has.
static void B2_every_refusal_makes_the_same_number_of_macs(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "one", "tls_0123456789");
    assert_int_equal(test_make_application(a->t->on->test, 21, "none"), TWOLEG_NONE);
    auth_remove(a, 21, 21 + 1000);
    assert_int_equal(registry_test_view(a->t->on, 21).body->secret_count, 0);
    auth_new_client(a, 22, "ten", "tls_0123456789");
    while (registry_test_view(a->t->on, 22).body->secret_count < SECRETS_LIVE_MAX)
        auth_add(a, 22, auth_keyed(a, 22, "tls_another"));
    static const char *const ids[] = {"nobody", "one", "none", "ten"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        enum twoleg_error error = i ? TWOLEG_SECRET_WRONG : TWOLEG_CLIENT_UNKNOWN;
        expect_macs(a, ids[i], "wrong", error, 1);
        expect_macs(a, ids[i], "wr%6Fng", error, 2); // in two spellings
    }
    expect_macs(a, "one", "tls_0123456789", TWOLEG_NONE, 1);
    expect_macs(a, "ten", "tls_0123456789", TWOLEG_NONE, 1);
    expect_macs(a, "ten", "tls_another", TWOLEG_NONE, 1);
}

static void each_of_several_secrets_opens_and_says_which_it_was(void **state)
{
    struct test_auth *a = *state;
    static const char *const texts[] = {"first secret", "second secret", "third secret"};
    auth_new_client(a, 20, "mailer", texts[0]);
    auth_add(a, 20, auth_keyed(a, 20, texts[1]));
    auth_add(a, 20, auth_keyed(a, 20, texts[2]));
    for (size_t i = 0; i < 3; i++) {
        auth_expect(a, CLIENT_BASIC, "mailer", texts[i], TWOLEG_NONE);
        assert_int_equal(a->client.secret->number, 5000 + i);
    }
    auth_expect(a, CLIENT_BASIC, "mailer", "fourth secret", TWOLEG_SECRET_WRONG);
}

static void B10_expired_and_early_secrets_are_refused_at_their_edge(void **state)
{
    struct test_auth *a = *state;
    int64_t now = a->context.now_us;
    assert_int_equal(test_make_application(a->t->on->test, 20, "mailer"), TWOLEG_NONE);
    struct secret *secret = auth_keyed(a, 20, "tls_0123456789");
    secret->not_before_us = now;
    secret->expires_us = now + 10;
    auth_add(a, 20, secret);
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_NONE);
    a->context.now_us = now - 1;
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_SECRET_EARLY);
    a->context.now_us = now + 10;
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_SECRET_EXPIRED);
    // Whoever does not know it learns nothing about its time.
    auth_expect(a, CLIENT_BASIC, "mailer", "another", TWOLEG_SECRET_WRONG);
}

// The same text brought twice, as in a renewal: the row that is good now counts, wherever it is.
static void a_good_secret_is_not_hidden_by_a_dead_one_of_the_same_text(void **state)
{
    struct test_auth *a = *state;
    int64_t now = a->context.now_us;
    for (unsigned order = 0; order < 2; order++) {
        uint64_t number = 20 + order;
        const char *id = order ? "first" : "second";
        assert_int_equal(test_make_application(a->t->on->test, number, id), TWOLEG_NONE);
        struct secret *good = auth_keyed(a, number, "tls_0123456789");
        struct secret *expired = auth_keyed(a, number, "tls_0123456789");
        struct secret *early = auth_keyed(a, number, "tls_0123456789");
        expired->expires_us = now;
        early->not_before_us = now + 1;
        auth_add(a, number, order ? good : expired);
        auth_add(a, number, order ? expired : early);
        auth_add(a, number, order ? early : good);
        auth_expect(a, CLIENT_BASIC, id, "tls_0123456789", TWOLEG_NONE);
        assert_int_equal(a->client.secret->number, good->number);
    }
}

static void B10_disabled_and_deleted_clients_are_refused(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    struct store_verb verb = {0};
    verb.update.number = 20;
    verb.update.fields = FIELD_STATUS;
    verb.update.status = STATUS_DISABLED;
    assert_int_equal(test_one(a->t->on->test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_WAIT);
    assert_null(a->wait.slow);
    assert_int_equal(a->wait.application, 20);
    registry_test_view(a->t->on, 20);
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_APPLICATION_DISABLED);
    auth_expect(a, CLIENT_BASIC, "mailer", "wrong", TWOLEG_SECRET_WRONG);
    assert_int_equal(registry_test_delete(a->t->on->test, 20), TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_CLIENT_UNKNOWN);
}

static void only_a_resource_server_passes_the_door_of_introspection(void **state)
{
    struct test_auth *a = *state;
    auth_new_client(a, 20, "mailer", "tls_0123456789");
    a->context.door = GATE_INTROSPECT;
    auth_expect(a, CLIENT_BASIC, "mailer", "tls_0123456789", TWOLEG_NOT_A_RESOURCE_SERVER);
    auth_expect(a, CLIENT_BASIC, "mailer", "wrong", TWOLEG_SECRET_WRONG);
}

static void ids_and_secrets_have_a_longest_length(void **state)
{
    struct test_auth *a = *state;
    char longest[SECRET_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[SECRET_MAX] = '\0';
    auth_new_client(a, 20, "mailer", longest);
    auth_expect(a, CLIENT_BASIC, "mailer", longest, TWOLEG_NONE);
    auth_expect(a, CLIENT_BASIC, longest, "x", TWOLEG_CLIENT_UNKNOWN);
    longest[SECRET_MAX] = 'x';
    longest[SECRET_MAX + 1] = '\0';
    auth_expect(a, CLIENT_BASIC, "mailer", longest, TWOLEG_CLIENT_MALFORMED);
    auth_expect(a, CLIENT_POST, "mailer", longest, TWOLEG_CLIENT_MALFORMED);
    auth_expect(a, CLIENT_BASIC, longest, "x", TWOLEG_CLIENT_MALFORMED);
}

// --- Short brought secrets under Argon2id

static void a_slow_secret_is_compared_once_and_then_known(void **state)
{
    struct test_auth *a = *state;
    unsigned compared;
    auth_add_slow(a, TEST_NUMBER, "hunter2", NULL);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared), TWOLEG_NONE);
    assert_int_equal(compared, 1);
    assert_int_equal(a->client.secret->number, 5000);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared), TWOLEG_NONE);
    assert_int_equal(compared, 0);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter3"), &compared),
                     TWOLEG_SECRET_WRONG);
    assert_int_equal(compared, 1);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter3"), &compared),
                     TWOLEG_SECRET_WRONG);
    assert_int_equal(compared, 0);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared), TWOLEG_NONE);
}

static void a_slow_secret_is_found_in_either_spelling(void **state)
{
    struct test_auth *a = *state;
    unsigned compared;
    auth_add_slow(a, TEST_NUMBER, "p%41+s", NULL);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("p%41+s"), &compared), TWOLEG_NONE);
    assert_int_equal(compared, 2);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("p%2541%2Bs"), &compared), TWOLEG_NONE);
}

static void a_right_keyed_secret_never_waits_for_slow_ones(void **state)
{
    struct test_auth *a = *state;
    auth_add_slow(a, TEST_NUMBER, "hunter2", NULL);
    auth_add(a, TEST_NUMBER, auth_keyed(a, TEST_NUMBER, "tls_0123456789"));
    auth_expect(a, CLIENT_BASIC, "billing", "tls_0123456789", TWOLEG_NONE);
}

// Wrong guesses are kept apart: they never make a known secret unknown again.
static void B1_guesses_do_not_drive_out_what_is_known_to_match(void **state)
{
    struct test_auth *a = *state;
    unsigned compared;
    auth_add_slow(a, TEST_NUMBER, "hunter2", NULL);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared), TWOLEG_NONE);
    for (uint32_t i = 0; i < 20000; i++) {
        struct sha256 guess = sha256(str_of(&i, sizeof i));
        slow_secret_put(a->slow, &guess, false);
    }
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared), TWOLEG_NONE);
    assert_int_equal(compared, 0);
}

// Where it was not compared yet, a right one is a guess like any other; so is any one while what
// the server remembers does not count.
static void B1_what_is_known_of_one_network_tells_no_other(void **state)
{
    struct test_auth *a = *state;
    unsigned compared;
    auth_add_slow(a, TEST_NUMBER, "hunter2", NULL);
    for (unsigned i = 0; i < 4; i++) {
        struct str secret = i & 1 ? STR("hunter3") : STR("hunter2");
        enum twoleg_error expected = i & 1 ? TWOLEG_SECRET_WRONG : TWOLEG_NONE;
        a->context.network = (struct address){.family = ADDRESS_V4, .bytes = {192, 0, 2, 1}};
        assert_int_equal(auth_ask_slow(a, STR("billing"), secret, &compared), expected);
        assert_int_equal(compared, i < 2);
        assert_int_equal(a->wait.remembered, i >= 2);
        a->context.doubts = true;
        assert_int_equal(auth_ask_slow(a, STR("billing"), secret, &compared), expected);
        assert_true(compared == 1 && !a->wait.remembered);
        a->context.doubts = false;
        a->context.network.family = i < 2 ? ADDRESS_V6 : ADDRESS_V4;
        a->context.network.bytes[3] = 2;
        assert_int_equal(auth_ask_slow(a, STR("billing"), secret, &compared), expected);
        assert_int_equal(compared, 1);
    }
}

static void a_slow_secret_that_the_gate_refuses_costs_no_hash(void **state)
{
    struct test_auth *a = *state;
    unsigned compared;
    struct secret expired = {.number = a->next_secret++,
                             .scheme = SECRET_ARGON2,
                             .slow_hash = STR("not a hash: refused at once"),
                             .label = STR("expired"),
                             .expires_us = a->context.now_us - 1};
    auth_add(a, TEST_NUMBER, &expired);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared),
                     TWOLEG_SECRET_WRONG);
    assert_int_equal(compared, 0);
}

static void a_slow_outcome_is_of_one_stored_hash(void **state)
{
    struct test_auth *a = *state;
    unsigned compared;
    auth_add_slow(a, TEST_NUMBER, "hunter2", NULL);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared), TWOLEG_NONE);
    auth_remove(a, TEST_NUMBER, 5000);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared),
                     TWOLEG_SECRET_WRONG);
    auth_add_slow(a, TEST_NUMBER, "hunter3", NULL);
    assert_int_equal(auth_ask_slow(a, STR("billing"), STR("hunter2"), &compared),
                     TWOLEG_SECRET_WRONG);
    assert_int_equal(compared, 1);
}

// Outcomes share places in the server's table. A request that lost one to another of its own would
// ask for both for ever; a handful of ids with nine secrets each is enough to meet that.
static void a_request_ends_whatever_places_its_outcomes_share(void **state)
{
    struct test_auth *a = *state;
    for (unsigned i = 0; i < 9; i++)
        auth_add_slow(a, TEST_NUMBER, NULL, "not a hash: refused at once");
    for (unsigned i = 0; i < 300; i++) {
        char text[24];
        unsigned compared;
        snprintf(text, sizeof text, "wrong%%41%u", i);
        assert_int_equal(auth_ask_slow(a, STR("billing"), str_from(text), &compared),
                         TWOLEG_SECRET_WRONG);
        assert_in_range(compared, 1, 18);
    }
}

static void D8_without_randomness_there_is_no_table(void **state)
{
    struct test_auth *a = *state;
    a->t->env.random_left = 0;
    fault_arm(FAULT_RANDOM, 1, true);
    assert_null(slow_secret_cache_create(&a->t->env));
    fault_arm(FAULT_RANDOM, 0, false);
    slow_secret_cache_destroy(NULL);
}

static void a_full_arena_is_said(void **state)
{
    struct test_auth *a = *state;
    struct arena none;
    arena_init(&none, NULL, 0);
    a->context.arena = &none;
    assert_int_equal(auth_ask(a, CLIENT_BASIC, STR("a%41"), STR("x")), TWOLEG_NO_MEMORY);
    assert_int_equal(auth_ask(a, CLIENT_BASIC, STR("a"), STR("x%41")), TWOLEG_NO_MEMORY);
    arena_finish(&none);
}

#define AUTH(name) cmocka_unit_test_setup_teardown(name, auth_setup, auth_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH(the_right_secret_opens),
        AUTH(a_wrong_secret_or_id_does_not),
        AUTH(a_stored_mac_is_of_one_application),
        AUTH(B8_an_id_in_another_spelling_is_another_id),
        AUTH(rfc6749_2_3_1_B7_basic_takes_the_secret_raw_and_encoded),
        AUTH(B6_malformed_percent_in_basic_is_read_raw),
        AUTH(the_id_is_resolved_once),
        AUTH(B7_B9_an_empty_id_or_secret_is_no_authentication),
        AUTH(V33_a_client_without_a_secret_never_matches),
        AUTH(a_secret_under_an_unknown_data_key_never_matches),
        AUTH(B2_every_refusal_makes_the_same_number_of_macs),
        AUTH(each_of_several_secrets_opens_and_says_which_it_was),
        AUTH(B10_expired_and_early_secrets_are_refused_at_their_edge),
        AUTH(a_good_secret_is_not_hidden_by_a_dead_one_of_the_same_text),
        AUTH(B10_disabled_and_deleted_clients_are_refused),
        AUTH(only_a_resource_server_passes_the_door_of_introspection),
        AUTH(ids_and_secrets_have_a_longest_length),
        AUTH(a_slow_secret_is_compared_once_and_then_known),
        AUTH(B1_guesses_do_not_drive_out_what_is_known_to_match),
        AUTH(a_slow_secret_that_the_gate_refuses_costs_no_hash),
        AUTH(a_slow_secret_is_found_in_either_spelling),
        AUTH(B1_what_is_known_of_one_network_tells_no_other),
        AUTH(a_right_keyed_secret_never_waits_for_slow_ones),
        AUTH(a_slow_outcome_is_of_one_stored_hash),
        AUTH(a_request_ends_whatever_places_its_outcomes_share),
        AUTH(D8_without_randomness_there_is_no_table),
        AUTH(a_full_arena_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
