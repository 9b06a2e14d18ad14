// SPDX-License-Identifier: Apache-2.0
// Tokens over a real store, registry and keyring, with one application that is loaded.
#pragma once
#include "unit/registry/registry_test.h"

#include "token/format.h"
#include "token/token.h"

#define TEST_NUMBER ((uint64_t)11)
#define TEST_ISSUER "https://issuer.example"

struct test_tokens {
    struct test_registry *on;
    struct keyring *keyring;
    struct env env;
    struct metrics metrics;
    struct arena arena;
    struct token_context context;
    struct decision decision; // of a good request; for tests to spoil
};

static inline void tokens_on_change(void *context, const struct store_change *changes,
                                    size_t count)
{
    struct test_tokens *t = context;
    registry_on_change(t->on->registry, changes, count);
    keyring_on_change(t->keyring, changes, count);
}

static inline void tokens_keyring(struct test_tokens *t)
{
    char reason[512], notice[512];
    struct keyring_settings settings = {.store = t->on->test->store,
                                        .epoch = &t->on->epoch,
                                        .folder = t->on->test->folder,
                                        .env = &t->env};
    if (keyring_create(&settings, &t->keyring, reason, notice))
        fail_msg("keyring_create: %s", reason);
}

// The application as it is now; good until its next change.
static inline void tokens_decide(struct test_tokens *t)
{
    struct registry_view view = registry_test_view(t->on, TEST_NUMBER);
    t->decision = (struct decision){
        .application = view.body,
        .generation = view.state.generation,
        .credential = view.body->secrets[0].number,
        .api = api_set_find(registry_apis(t->on->registry), TEST_API),
        .scope = view.body->apis[0].scopes,
        .format = FORMAT_SEALED,
        .ttl_us = 3600 * SECOND_US,
        .now_us = t->env.now_us,
    };
}

static inline int tokens_setup(void **state)
{
    struct test_tokens *t = aligned_alloc(64, sizeof *t);
    void *on;
    if (!t || registry_setup(&on))
        return -1;
    memset(t, 0, sizeof *t);
    t->on = on;
    env_init(&t->env);
    arena_init(&t->arena, NULL, 64 * 1024 * 1024);
    tokens_keyring(t);
    store_set_on_change(t->on->test->store, tokens_on_change, t);
    assert_int_equal(test_make_application(t->on->test, TEST_NUMBER, "billing"), TWOLEG_NONE);
    t->context = (struct token_context){
        .registry = t->on->registry,
        .keyring = t->keyring,
        .keys = keyring_worker_create(t->keyring),
        .cache = token_cache_create(64),
        .env = &t->env,
        .metrics = &t->metrics,
        .issuer = STR(TEST_ISSUER),
        .prefix = STR("tlt_"),
        .epoch = 3,
    };
    assert_non_null(t->context.keys);
    assert_non_null(t->context.cache);
    tokens_decide(t);
    *state = t;
    return 0;
}

static inline int tokens_teardown(void **state)
{
    struct test_tokens *t = *state;
    fault_arm(FAULT_RANDOM, 0, false);
    token_cache_destroy(t->context.cache);
    keyring_worker_destroy(t->context.keys);
    store_set_on_change(t->on->test->store, NULL, NULL);
    keyring_destroy(t->keyring);
    arena_finish(&t->arena);
    env_finish(&t->env);
    void *on = t->on;
    free(t);
    return registry_teardown(&on);
}

static inline struct str tokens_issue(struct test_tokens *t, enum token_format format)
{
    struct issued_token token;
    t->decision.format = format;
    assert_int_equal(token_issue(&t->context, &t->decision, &t->arena, &token), TWOLEG_NONE);
    return token.text;
}

// Each read has an arena of its own, as each request has.
static inline enum twoleg_error tokens_read(struct test_tokens *t, struct str text)
{
    struct arena arena;
    struct token_record record;
    enum token_format format;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    enum twoleg_error error = token_read(&t->context, text, NULL, &arena, &record, &format);
    arena_finish(&arena);
    return error;
}

static inline void tokens_expect(struct test_tokens *t, struct str text,
                                 enum twoleg_error expected)
{
    enum twoleg_error error = tokens_read(t, text);
    if (error != expected)
        fail_msg("\"%.*s\": got \"%s\", expected \"%s\"", STR_ARG(text), twoleg_error_text(error),
                 twoleg_error_text(expected));
}

// What was issued from a good request, in whichever format, says the same.
static inline void tokens_expect_record(struct test_tokens *t, const struct issued_token *token,
                                        enum token_format expected)
{
    struct token_record record;
    enum token_format format = expected == FORMAT_JWT ? FORMAT_SEALED : FORMAT_JWT;
    assert_int_equal(token_read(&t->context, token->text, NULL, &t->arena, &record, &format),
                     TWOLEG_NONE);
    assert_int_equal(format, expected);
    assert_int_equal(record.epoch, 3);
    assert_int_equal(record.application, TEST_NUMBER);
    assert_int_equal(record.generation, 5);
    assert_int_equal(record.credential, TEST_NUMBER + 1000);
    assert_int_equal(record.subject, 0);
    assert_int_equal(record.api_count, 1);
    assert_int_equal(record.apis[0], TEST_API);
    test_assert_str(record.scope, "groups sms");
    assert_int_equal(record.issued_s, token->issued_s);
    assert_int_equal(record.expires_s, token->issued_s + 3600);
}

static inline enum twoleg_error tokens_inspect(struct test_tokens *t, struct str text,
                                               struct token_verdict *ret_verdict)
{
    struct token_question question = {.door = GATE_CHECK, .text = text};
    return token_inspect(&t->context, &question, &t->arena, ret_verdict);
}

static inline uint64_t tokens_metric(const struct test_tokens *t, enum metric metric)
{
    return atomic_load(&t->metrics.value[metric]);
}

typedef enum twoleg_error tokens_asked(struct test_tokens *t, struct str text);

// Row 38: each prefix, each text without its beginning, each extension by one character.
static inline void tokens_cut_and_extend(struct test_tokens *t, struct str text,
                                         tokens_asked *ask)
{
    for (size_t i = 0; i < text.len; i++)
        assert_int_not_equal(ask(t, str_slice(text, 0, i)), TWOLEG_NONE);
    for (size_t i = 1; i < text.len; i++)
        assert_int_not_equal(ask(t, str_slice(text, i, text.len)), TWOLEG_NONE);
    char *longer = malloc(text.len + 2);
    assert_non_null(longer);
    for (unsigned c = 0; c < 256; c++) {
        memcpy(longer, text.ptr, text.len);
        longer[text.len] = (char)c;
        assert_int_not_equal(ask(t, str_of(longer, text.len + 1)), TWOLEG_NONE);
        longer[0] = (char)c;
        memcpy(longer + 1, text.ptr, text.len);
        assert_int_not_equal(ask(t, str_of(longer, text.len + 1)), TWOLEG_NONE);
    }
    free(longer);
}

// Row C15.
static inline void tokens_flip_each_bit(struct test_tokens *t, struct str text, tokens_asked *ask)
{
    char *flipped = malloc(text.len);
    assert_non_null(flipped);
    memcpy(flipped, text.ptr, text.len);
    for (size_t i = 0; i < text.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flipped[i] = (char)(text.ptr[i] ^ (1 << bit));
            if (ask(t, str_of(flipped, text.len)) == TWOLEG_NONE)
                fail_msg("bit %u of character %zu may be flipped", bit, i);
        }
        flipped[i] = text.ptr[i];
    }
    assert_int_equal(ask(t, str_of(flipped, text.len)), TWOLEG_NONE);
    free(flipped);
}

// Decisions that each ask for something else than the good one.
#define TOKENS_OTHERS 7
struct tokens_others {
    struct application application;
    struct api api;
    struct decision all[TOKENS_OTHERS];
};

static inline void tokens_others(const struct test_tokens *t, struct tokens_others *ret_others)
{
    struct decision *all = ret_others->all;
    ret_others->application = *t->decision.application;
    ret_others->application.number++;
    ret_others->api = *t->decision.api;
    ret_others->api.number++;
    for (size_t i = 0; i < TOKENS_OTHERS; i++)
        all[i] = t->decision;
    all[0].application = &ret_others->application;
    all[1].generation++;
    all[2].credential++;
    all[3].api = &ret_others->api;
    all[4].scope = STR("less");
    all[5].ttl_us -= SECOND_US;
    all[6].format = FORMAT_SEALED;
}

#define TOKENS(name) cmocka_unit_test_setup_teardown(name, tokens_setup, tokens_teardown)
