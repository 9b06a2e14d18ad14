// SPDX-License-Identifier: Apache-2.0
// Tokens as they come, envelopes of arbitrary bytes, and arbitrary records under the right seal:
// the first byte of the input says which. What is read can be written again as the very same
// token, and what the gate passes is within the application's rights.
#include "codec/base62.h"
#include "codec/base64url.h"
#include "crypto/seal.h"
#include "tokens.h"

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
    FUZZ_MUST(record->api_count <= TOKEN_APIS_MAX);
    FUZZ_MUST(record->subject || (record->subject_generation == 0 && record->family == 0));
    FUZZ_MUST(token_sealed_issue(&context, NULL, record, arena, &written) == TWOLEG_NONE);
    FUZZ_MUST(written.len == text.len);
    FUZZ_MUST(token_sealed_read(&context, written, arena, &again) == TWOLEG_NONE);
    FUZZ_MUST(str_equal(again.scope, record->scope));
    again.scope = record->scope;
    FUZZ_MUST(memcmp(&again, record, sizeof again) == 0);
}

static void fuzz_sealed_record(struct arena *arena, struct str plain)
{
    struct token_record record;
    enum token_format format;
    struct str text = fuzz_seal(arena, plain);
    enum twoleg_error error = token_read(&context, text, NULL, arena, &record, &format);
    fuzz_little(text, error);
    if (text.len > TOKEN_TEXT_MAX || text.len <= TOKEN_SHAPE_TEXT_MAX)
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
    enum twoleg_error error = token_read(&context, text, NULL, arena, &record, &format);
    fuzz_little(text, error);
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
