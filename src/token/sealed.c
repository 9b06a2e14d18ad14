// SPDX-License-Identifier: Apache-2.0
// The sealed format: prefix, base64url(envelope), checksum.
//
//   envelope  version (1 byte) | data key id (4) | nonce (24) | sealed record with its 16-byte tag
//   record    flags (1) | epoch (4) | application (8) | generation (8) | credential (8)
//             | with flag 1: subject (8) | its generation (8) | with flag 2: family (8)
//             | count of APIs (1) | APIs (8 each) | issued (5) | expires (5, 0 = never)
//             | length of scope (2) | scope
//
// All numbers in network order, times in seconds. The token's id is the first 16 bytes of the
// nonce. Purpose, version and key id are associated data. An unknown version or flag is refused:
// a later release that writes one means it. Flag 1: the token speaks for a user; flag 2, only with
// it: it came with a refresh token of this family.
#include <string.h>

#include "base/buf.h"
#include "base/refusal.h"
#include "codec/base62.h"
#include "codec/base64url.h"
#include "crypto/seal.h"
#include "token/format.h"

#define SEALED_VERSION 1
#define SEALED_FLAG_SUBJECT 1u
#define SEALED_FLAG_FAMILY 2u
#define SEALED_HEAD (1 + 4 + SEAL_NONCE_SIZE)

struct sealed_aad {
    char bytes[8 + 1 + 4];
};

static struct str sealed_aad(struct sealed_aad *aad, uint8_t version, uint32_t key)
{
    struct buf out;
    buf_init(&out, aad->bytes, sizeof aad->bytes);
    buf_add(&out, STR("tl-token"));
    buf_add_be(&out, version, 1);
    buf_add_be(&out, key, 4);
    return buf_str(&out);
}

static unsigned sealed_flags(const struct token_record *record)
{
    if (!record->subject)
        return 0;
    return record->family ? SEALED_FLAG_SUBJECT | SEALED_FLAG_FAMILY : SEALED_FLAG_SUBJECT;
}

static void sealed_write_record(const struct token_record *record, struct buf *out)
{
    buf_add_be(out, sealed_flags(record), 1);
    buf_add_be(out, record->epoch, 4);
    buf_add_be(out, record->application, 8);
    buf_add_be(out, record->generation, 8);
    buf_add_be(out, record->credential, 8);
    if (record->subject) {
        buf_add_be(out, record->subject, 8);
        buf_add_be(out, record->subject_generation, 8);
        if (record->family)
            buf_add_be(out, record->family, 8);
    }
    buf_add_be(out, record->api_count, 1);
    for (size_t i = 0; i < record->api_count; i++)
        buf_add_be(out, record->apis[i], 8);
    buf_add_be(out, (uint64_t)record->issued_s, 5);
    buf_add_be(out, (uint64_t)record->expires_s, 5);
    buf_add_be(out, record->scope.len, 2);
    buf_add(out, record->scope);
}

// Reads forward; past the end everything is 0 and `ended` is set.
struct sealed_reader {
    struct str rest;
    bool ended;
};

static uint64_t sealed_take(struct sealed_reader *reader, size_t bytes)
{
    if (reader->rest.len < bytes) {
        reader->ended = true;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (uint8_t)reader->rest.ptr[i];
    reader->rest = str_slice(reader->rest, bytes, reader->rest.len);
    return value;
}

// Nobody and no family are never written: one record has one spelling. False: these flags are none
// that it has.
static bool sealed_take_user(struct sealed_reader *reader, uint64_t flags,
                             struct token_record *record)
{
    if (!(flags & SEALED_FLAG_SUBJECT))
        return !(flags & SEALED_FLAG_FAMILY);
    record->subject = sealed_take(reader, 8);
    record->subject_generation = sealed_take(reader, 8);
    if (flags & SEALED_FLAG_FAMILY)
        record->family = sealed_take(reader, 8);
    return record->subject && (record->family || !(flags & SEALED_FLAG_FAMILY));
}

static enum twoleg_error sealed_read_record(struct str plain, struct token_record *record)
{
    struct sealed_reader reader = {.rest = plain};
    uint64_t flags = sealed_take(&reader, 1);
    if (flags & ~(uint64_t)(SEALED_FLAG_SUBJECT | SEALED_FLAG_FAMILY))
        return REFUSE(TWOLEG_TOKEN_VERSION);
    record->epoch = (uint32_t)sealed_take(&reader, 4);
    record->application = sealed_take(&reader, 8);
    record->generation = sealed_take(&reader, 8);
    record->credential = sealed_take(&reader, 8);
    if (!sealed_take_user(&reader, flags, record))
        return REFUSE(TWOLEG_TOKEN_VERSION);
    record->api_count = (uint32_t)sealed_take(&reader, 1);
    if (record->api_count > TOKEN_APIS_MAX)
        return REFUSE(TWOLEG_TOKEN_VERSION);
    for (size_t i = 0; i < record->api_count; i++)
        record->apis[i] = sealed_take(&reader, 8);
    record->issued_s = (int64_t)sealed_take(&reader, 5);
    record->expires_s = (int64_t)sealed_take(&reader, 5);
    uint64_t scope_len = sealed_take(&reader, 2);
    if (reader.ended || reader.rest.len != scope_len)
        return REFUSE(TWOLEG_TOKEN_VERSION);
    record->scope = reader.rest;
    return TWOLEG_NONE;
}

enum twoleg_error token_sealed_issue(const struct token_context *context,
                                     const struct decision *decision,
                                     const struct token_record *record, struct arena *arena,
                                     struct str *ret_text)
{
    (void)decision;
    const struct data_key *key =
        keyring_active(keyring_current(context->keyring), KEY_SEAL);
    size_t plain_max = 80 + 8 * TOKEN_APIS_MAX + record->scope.len;
    size_t envelope_max = SEALED_HEAD + plain_max + SEAL_TAG_SIZE;
    struct buf plain, envelope, text;
    buf_init_arena(&plain, arena, plain_max);
    buf_init_arena(&envelope, arena, envelope_max);
    buf_init_arena(&text, arena,
                   context->prefix.len + BASE64URL_LEN(envelope_max) + CREDENTIAL_CHECKSUM_LEN);
    if (!key)
        return REFUSE(TWOLEG_INTERNAL);

    uint8_t nonce[SEAL_NONCE_SIZE];
    memcpy(nonce, record->id.bytes, TOKEN_ID_LEN);
    if (!env_random(context->env, nonce + TOKEN_ID_LEN, sizeof nonce - TOKEN_ID_LEN))
        return TWOLEG_NO_RANDOM;
    sealed_write_record(record, &plain);
    buf_add_be(&envelope, SEALED_VERSION, 1);
    buf_add_be(&envelope, key->id, 4);
    buf_add(&envelope, str_of(nonce, sizeof nonce));
    struct sealed_aad aad;
    seal_write(key->raw, nonce, sealed_aad(&aad, SEALED_VERSION, key->id), buf_str(&plain),
               &envelope);
    buf_add(&text, context->prefix);
    base64url_encode(&text, envelope.ptr, envelope.len);
    credential_checksum_append(&text, 0);
    if (plain.failed || envelope.failed || text.failed)
        return TWOLEG_NO_MEMORY;
    *ret_text = buf_str(&text);
    return TWOLEG_NONE;
}

// The envelope's bytes, once the text has our prefix and a right checksum.
static enum twoleg_error sealed_decode(const struct token_context *context, struct str text,
                                       struct arena *arena, struct str *ret_envelope)
{
    if (!str_starts_with(text, context->prefix) || !credential_checksum_ok(text) ||
        text.len < context->prefix.len + CREDENTIAL_CHECKSUM_LEN)
        return REFUSE(TWOLEG_TOKEN_MALFORMED);
    struct str body =
        str_slice(text, context->prefix.len, text.len - CREDENTIAL_CHECKSUM_LEN);
    size_t len;
    char *bytes = arena_alloc(arena, BASE64URL_BYTES(body.len) + 1);
    if (!bytes)
        return TWOLEG_NO_MEMORY;
    if (base64url_decode(body, bytes, BASE64URL_BYTES(body.len) + 1, &len) ||
        len < SEALED_HEAD + SEAL_TAG_SIZE)
        return REFUSE(TWOLEG_TOKEN_MALFORMED);
    *ret_envelope = str_of(bytes, len);
    return TWOLEG_NONE;
}

enum twoleg_error token_sealed_read(const struct token_context *context, struct str text,
                                    struct arena *arena, struct token_record *ret_record)
{
    struct str envelope;
    enum twoleg_error error = sealed_decode(context, text, arena, &envelope);
    if (error)
        return error;
    struct sealed_reader head = {.rest = envelope};
    uint8_t version = (uint8_t)sealed_take(&head, 1);
    uint32_t key_id = (uint32_t)sealed_take(&head, 4);
    if (version != SEALED_VERSION)
        return REFUSE(TWOLEG_TOKEN_VERSION);
    const struct data_key *key =
        keyring_data(keyring_current(context->keyring), KEY_SEAL, key_id);
    if (!key)
        return REFUSE(TWOLEG_TOKEN_KEY);
    const uint8_t *nonce = (const uint8_t *)head.rest.ptr;
    struct str sealed = str_slice(head.rest, SEAL_NONCE_SIZE, head.rest.len);
    struct buf plain;
    buf_init_arena(&plain, arena, sealed.len);
    if (plain.failed)
        return TWOLEG_NO_MEMORY;
    struct sealed_aad aad;
    if (!seal_open(key->raw, nonce, sealed_aad(&aad, version, key_id), sealed, &plain))
        return REFUSE(TWOLEG_TOKEN_FORGED);
    struct token_record record = {0};
    memcpy(record.id.bytes, nonce, TOKEN_ID_LEN);
    error = sealed_read_record(buf_str(&plain), &record);
    if (!error)
        *ret_record = record;
    return error;
}
