// SPDX-License-Identifier: Apache-2.0
// Tokens as they come, envelopes of arbitrary bytes, and arbitrary records under the right seal:
// the first byte of the input says which. What is read can be written again as the very same
// token, and what the gate passes is within the application's rights.
#include <string.h>

#include "codec/base62.h"
#include "codec/base64url.h"
#include "crypto/init.h"
#include "crypto/seal.h"
#include "fuzz.h"
#include "model/scope.h"
#include "token/format.h"

#define KEY_ID 7
#define EPOCH 3
#define GENERATION UINT64_C(0x0101010101010101)
#define NUMBER UINT64_C(0x0202020202020202)
#define API UINT64_C(0x0303030303030303)

// --- In the place of keyring/ and registry/: one key, one application, nothing revoked.

static struct data_key data_keys[2] = {
    {.id = KEY_ID, .purpose = KEY_SEAL, .active = true, .raw = "thirty-two bytes that are fixed"},
    {.id = KEY_ID, .purpose = KEY_JTI, .active = true},
};
static const struct keyring_set keys = {.data = data_keys, .data_count = 2, .serial = 1};
static const struct api api = {.number = API, .identifier = {"urn:api", 7}, .is_default = true};
static const struct api_set apis = {&api, 1};
static const struct application_api link = {API, true, true, {"groups sms", 10}};
static const struct application application = {.number = NUMBER, .apis = &link, .api_count = 1};

const struct keyring_set *keyring_current(const struct keyring *keyring)
{
    (void)keyring;
    return &keys;
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

static void fuzz_prepare(void)
{
    if (context.jwt_cache)
        return;
    FUZZ_MUST(crypto_init() == TWOLEG_NONE);
    FUZZ_MUST(mac_key_init(&data_keys[1].mac, "another fixed key", 17) == TWOLEG_NONE);
    context.jwt_cache = jwt_cache_create(8);
    FUZZ_MUST(context.jwt_cache);
}

// The environment's randomness is fixed too, so that each input always does the same.
static void fuzz_still(void)
{
    memset(env.random, 0x5a, sizeof env.random);
    env.random_left = sizeof env.random;
    env.now_us = env.latest_us = INT64_C(0x0404040404) * SECOND_US;
}

static struct str fuzz_text(struct arena *arena, struct str envelope)
{
    struct buf text;
    buf_init_arena(&text, arena, 64 + BASE64URL_LEN(envelope.len));
    buf_add(&text, context.prefix);
    base64url_encode(&text, envelope.ptr, envelope.len);
    credential_checksum_append(&text, 0);
    return buf_str(&text);
}

static struct str fuzz_seal(struct arena *arena, struct str plain)
{
    static const uint8_t nonce[SEAL_NONCE_SIZE] = {1, 2, 3, 4};
    char aad_text[13];
    struct buf aad, envelope;
    buf_init(&aad, aad_text, sizeof aad_text);
    buf_add(&aad, STR("tl-token"));
    buf_add_be(&aad, 1, 1);
    buf_add_be(&aad, KEY_ID, 4);
    buf_init_arena(&envelope, arena, 64 + plain.len);
    buf_add_be(&envelope, 1, 1);
    buf_add_be(&envelope, KEY_ID, 4);
    buf_add(&envelope, str_of(nonce, sizeof nonce));
    seal_write(data_keys[0].raw, nonce, buf_str(&aad), plain, &envelope);
    return fuzz_text(arena, buf_str(&envelope));
}

static void fuzz_rewrite(struct arena *arena, struct str text, const struct token_record *record)
{
    struct token_record again;
    struct str written;
    FUZZ_MUST(record->api_count <= TOKEN_APIS_MAX && record->subject == 0);
    FUZZ_MUST(token_sealed_issue(&context, NULL, record, arena, &written) == TWOLEG_NONE);
    FUZZ_MUST(written.len == text.len);
    FUZZ_MUST(token_sealed_read(&context, written, arena, &again) == TWOLEG_NONE);
    FUZZ_MUST(str_equal(again.scope, record->scope));
    again.scope = record->scope;
    FUZZ_MUST(memcmp(&again, record, sizeof again) == 0);
}

static void fuzz_gate(struct arena *arena, struct str text)
{
    struct token_verdict verdict;
    const struct token_question question = {.door = GATE_CHECK, .text = text};
    if (token_inspect(&context, &question, arena, &verdict) != TWOLEG_NONE)
        return;
    FUZZ_MUST(verdict.record.application == NUMBER && verdict.record.epoch == EPOCH);
    FUZZ_MUST(verdict.record.generation == GENERATION && verdict.record.credential != 0);
    FUZZ_MUST(verdict.passed.api_count >= 1);
    for (size_t i = 0; i < verdict.passed.api_count; i++)
        FUZZ_MUST(verdict.passed.apis[i] == API);
    FUZZ_MUST(scope_contains(link.scopes, verdict.passed.scope));
}

static void fuzz_sealed_record(struct arena *arena, struct str plain)
{
    struct token_record record;
    enum token_format format;
    struct str text = fuzz_seal(arena, plain);
    enum twoleg_error error = token_read(&context, text, arena, &record, &format);
    if (text.len > TOKEN_TEXT_MAX)
        FUZZ_MUST(error == TWOLEG_TOKEN_MALFORMED);
    else
        FUZZ_MUST(error == TWOLEG_NONE || error == TWOLEG_TOKEN_VERSION);
    if (error)
        return;
    FUZZ_MUST(format == FORMAT_SEALED);
    fuzz_rewrite(arena, text, &record);
    fuzz_gate(arena, text);
}

// Nobody but us makes a seal: of what the fuzzer makes up nothing is ever good, but for the seeds.
static void fuzz_any(struct arena *arena, struct str text)
{
    struct token_record record;
    enum token_format format;
    enum twoleg_error error = token_read(&context, text, arena, &record, &format);
    FUZZ_MUST(error != TWOLEG_NO_MEMORY && error != TWOLEG_INTERNAL);
    if (error == TWOLEG_NONE)
        fuzz_rewrite(arena, text, &record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str rest = str_of(data + (size > 0), size - (size > 0));
    fuzz_prepare();
    fuzz_still();
    arena_init(&arena, NULL, 8 * ARENA_REQUEST_CAP);
    switch (size ? data[0] : 0) {
    case 'r':
        fuzz_sealed_record(&arena, rest);
        break;
    case 'e':
        fuzz_any(&arena, fuzz_text(&arena, rest));
        break;
    default:
        fuzz_any(&arena, rest);
    }
    arena_finish(&arena);
    return 0;
}
