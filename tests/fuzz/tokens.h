// SPDX-License-Identifier: Apache-2.0
// In the place of keyring/ and registry/, for targets that read tokens: fixed data keys, two
// signing keys, one application, nothing revoked but what says so itself.
#pragma once
#include <string.h>

#include "crypto/init.h"
#include "fuzz.h"
#include "model/scope.h"
#include "token/format.h"

#define KEY_ID 7
#define EPOCH 3
#define GENERATION UINT64_C(0x0101010101010101)
#define NUMBER UINT64_C(0x0202020202020202)
#define API UINT64_C(0x0303030303030303)
#define USER UINT64_C(0x0505050505050505)
#define FAMILY UINT64_C(0x0606060606060606)

static struct data_key data_keys[2] = {
    {.id = KEY_ID, .purpose = KEY_SEAL, .active = true, .raw = "thirty-two bytes that are fixed"},
    {.id = KEY_ID, .purpose = KEY_JTI, .active = true},
};
static struct signing_key signing_keys[2];
static struct keyring_set keys = {.data = data_keys, .data_count = 2, .serial = 1};
static const struct api api = {.number = API,
                               .identifier = {"urn:api", 7},
                               .algorithm = {"ES256", 5},
                               .is_default = true};
static const struct api_set apis = {&api, 1};
static const struct application_api link = {API, true, true, {"groups sms", 10}};
static const struct application application = {
    .number = NUMBER, .client_id = {"billing", 7}, .apis = &link, .api_count = 1};

const struct keyring_set *keyring_current(const struct keyring *keyring)
{
    (void)keyring;
    return &keys;
}

bool keyring_stale(const struct keyring *keyring)
{
    (void)keyring;
    return false;
}

const struct api_set *registry_apis(const struct registry *registry)
{
    (void)registry;
    return &apis;
}

enum twoleg_error registry_application(struct registry *registry, uint64_t number,
                                       struct registry_view *ret_view)
{
    (void)registry;
    *ret_view = (struct registry_view){.number = number,
                                       .state = {STATUS_ACTIVE, GENERATION},
                                       .account_active = true,
                                       .body = &application};
    return number == NUMBER ? TWOLEG_NONE : TWOLEG_NOT_FOUND;
}

// One user, who is there.
bool registry_user(const struct registry *registry, uint64_t number,
                   struct registry_user_view *ret_view)
{
    (void)registry;
    struct application_state gone = {STATUS_DELETED, 0}, there = {STATUS_ACTIVE, GENERATION};
    *ret_view = (struct registry_user_view){.state = number == USER ? there : gone,
                                            .account_active = true,
                                            .username = STR("ann")};
    return number == USER;
}

bool registry_token_revoked(const struct registry *registry, const struct token_id *id)
{
    (void)registry;
    return id->bytes[0] == 0xff;
}

bool registry_credential_revoked(const struct registry *registry, uint64_t secret)
{
    (void)registry;
    return secret == 0;
}

static struct env env;
static struct metrics metrics;
static struct token_context context = {.env = &env,
                                       .metrics = &metrics,
                                       .issuer = {"https://issuer", 14},
                                       .prefix = {"tlt_", 4},
                                       .epoch = EPOCH};

// One that signs and one that is announced only.
static void fuzz_signing_key(struct signing_key *key, struct str kid, enum key_state state)
{
    *key = (struct signing_key){
        .id = kid.len, .kid = kid, .algorithm = api.algorithm, .state = state};
    const struct sign_algorithm *algorithm = sign_algorithm_es256();
    FUZZ_MUST(sign_key_create(algorithm, &key->private_key) == TWOLEG_NONE);
    FUZZ_MUST(verify_key_create(algorithm, sign_key_public(key->private_key),
                                &key->public_key) == TWOLEG_NONE);
    FUZZ_MUST(jws_header_init(&key->header, algorithm, JWT_TYPE, kid) == TWOLEG_NONE);
}

static void fuzz_prepare(void)
{
    if (context.cache)
        return;
    FUZZ_MUST(crypto_init() == TWOLEG_NONE);
    FUZZ_MUST(mac_key_init(&data_keys[1].mac, "another fixed key", 17) == TWOLEG_NONE);
    fuzz_signing_key(&signing_keys[0], STR("k1"), KEY_SIGNING);
    fuzz_signing_key(&signing_keys[1], STR("new"), KEY_ANNOUNCED);
    keys.signing = signing_keys;
    keys.signing_count = 2;
    context.cache = token_cache_create(8);
    context.keys = keyring_worker_create(NULL);
    FUZZ_MUST(context.cache && context.keys);
}

// The environment's randomness is fixed too, so that each input always does the same.
static void fuzz_still(void)
{
    memset(env.random, 0x5a, sizeof env.random);
    env.random_left = sizeof env.random;
    env.now_us = env.latest_us = INT64_C(0x0404040404) * SECOND_US;
}

// In little memory it ends there, or nothing is different.
static void fuzz_little(struct str text, enum twoleg_error expected)
{
    for (size_t cap = 1; cap <= 16384; cap *= 4) {
        struct arena arena;
        struct token_record record;
        enum token_format format;
        arena_init(&arena, NULL, cap);
        enum twoleg_error error = token_read(&context, text, NULL, &arena, &record, &format);
        FUZZ_MUST(error == expected || error == TWOLEG_NO_MEMORY);
        arena_finish(&arena);
    }
}

static void fuzz_gate(struct arena *arena, struct str text)
{
    struct token_verdict verdict;
    const struct token_question question = {.door = GATE_CHECK, .text = text};
    const struct token_question revoke = {
        .door = GATE_REVOKE, .text = text, .caller = &application};
    enum twoleg_error revoked = token_inspect(&context, &revoke, arena, &verdict);
    // Only the owner may: else it must not even say whether there is such a token.
    FUZZ_MUST(!verdict.read || verdict.record.application == NUMBER ||
              revoked == TWOLEG_TOKEN_FOREIGN);
    if (token_inspect(&context, &question, arena, &verdict) != TWOLEG_NONE)
        return;
    FUZZ_MUST(verdict.record.application == NUMBER && verdict.record.epoch == EPOCH);
    FUZZ_MUST(verdict.record.generation == GENERATION && verdict.record.credential != 0);
    FUZZ_MUST(verdict.record.subject == 0 || (verdict.record.subject == USER &&
                                              verdict.record.subject_generation == GENERATION));
    FUZZ_MUST(verdict.passed.api_count >= 1);
    for (size_t i = 0; i < verdict.passed.api_count; i++)
        FUZZ_MUST(verdict.passed.apis[i] == API);
    FUZZ_MUST(scope_contains(link.scopes, verdict.passed.scope));
}
