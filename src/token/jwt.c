// SPDX-License-Identifier: Apache-2.0
// The jwt format: an RFC 9068 access token. It carries the record in its claims and in its jti:
//
//   jti   base64url of application (8) | generation (8) | credential (8) | epoch (4) | id (16)
//         | for a user: subject (8) | its generation (8)
//         | with a refresh token: its family (8) | tag (8)
//   id    12 random bytes | id of the data key that made the tag (4)
//   tag   first 8 bytes of MAC(key, "jti" | all before | iat | exp | kid)
//
// The tag makes a forged token cheap to refuse; the signature is verified all the same.
#include <string.h>

#include "base/refusal.h"
#include "codec/base64url.h"
#include "codec/json_write.h"
#include "crypto/compare.h"
#include "crypto/hash.h"
#include "model/number.h"
#include "token/format.h"

#define JTI_BODY_LEN (8 + 8 + 8 + 4 + TOKEN_ID_LEN)
#define JTI_SUBJECT_LEN (8 + 8)
#define JTI_FAMILY_LEN 8
#define JTI_LEN_MAX (JTI_BODY_LEN + JTI_SUBJECT_LEN + JTI_FAMILY_LEN + TOKEN_TAG_LEN)
#define JTI_TEXT_MAX BASE64URL_LEN(JTI_LEN_MAX)
#define JTI_KEY_AT (TOKEN_ID_LEN - 4)

_Static_assert(JTI_TEXT_MAX <= TOKEN_ID_TEXT_MAX, "a jti is a token's id");

struct jti {
    size_t body; // bytes before the tag
    uint8_t bytes[JTI_LEN_MAX];
};

static void jti_tag(const struct data_key *key, const struct jti *jti,
                    const struct token_record *record, struct str kid,
                    uint8_t ret_tag[TOKEN_TAG_LEN])
{
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("jti"));
    mac_add(&state, str_of(jti->bytes, jti->body));
    mac_add_u64(&state, (uint64_t)record->issued_s);
    mac_add_u64(&state, (uint64_t)record->expires_s);
    mac_add(&state, kid);
    struct sha256 tag = mac_end(&state);
    memcpy(ret_tag, tag.bytes, TOKEN_TAG_LEN);
}

static void jti_write(const struct token_record *record, struct jti *jti)
{
    struct buf out;
    buf_init(&out, jti->bytes, sizeof jti->bytes);
    buf_add_be(&out, record->application, 8);
    buf_add_be(&out, record->generation, 8);
    buf_add_be(&out, record->credential, 8);
    buf_add_be(&out, record->epoch, 4);
    buf_add(&out, str_of(record->id.bytes, TOKEN_ID_LEN));
    if (record->subject) {
        buf_add_be(&out, record->subject, 8);
        buf_add_be(&out, record->subject_generation, 8);
        if (record->family)
            buf_add_be(&out, record->family, JTI_FAMILY_LEN);
    }
    jti->body = out.len;
}

static uint64_t jti_number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

// The length says whether there are a subject and a family; false: it is none that is written.
static bool jti_read(struct jti *jti, size_t len, struct token_record *record)
{
    bool family = len == JTI_LEN_MAX;
    bool subject = family || len == JTI_LEN_MAX - JTI_FAMILY_LEN;
    if (!subject && len != JTI_BODY_LEN + TOKEN_TAG_LEN)
        return false;
    jti->body = len - TOKEN_TAG_LEN;
    record->application = jti_number(jti->bytes, 8);
    record->generation = jti_number(jti->bytes + 8, 8);
    record->credential = jti_number(jti->bytes + 16, 8);
    record->epoch = (uint32_t)jti_number(jti->bytes + 24, 4);
    memcpy(record->id.bytes, jti->bytes + 28, TOKEN_ID_LEN);
    if (subject) {
        record->subject = jti_number(jti->bytes + JTI_BODY_LEN, 8);
        record->subject_generation = jti_number(jti->bytes + JTI_BODY_LEN + 8, 8);
    }
    if (family)
        record->family =
            jti_number(jti->bytes + JTI_BODY_LEN + JTI_SUBJECT_LEN, JTI_FAMILY_LEN);
    memcpy(record->tag, jti->bytes + jti->body, TOKEN_TAG_LEN);
    return (!subject || record->subject) && (!family || record->family);
}

void token_jwt_write_id(const struct token_record *record, struct buf *out)
{
    struct jti jti;
    jti_write(record, &jti);
    memcpy(jti.bytes + jti.body, record->tag, TOKEN_TAG_LEN);
    base64url_encode(out, jti.bytes, jti.body + TOKEN_TAG_LEN);
}

struct jwt_subject {
    char text[NUMBER_TEXT_MAX];
};

// The user, or the application itself (RFC 9068 section 2.2).
static struct str jwt_subject(const struct decision *decision, struct jwt_subject *memory)
{
    struct buf out;
    if (!decision->subject)
        return decision->application->client_id;
    buf_init(&out, memory->text, sizeof memory->text);
    number_write(&out, NUMBER_USER, decision->subject);
    return buf_str(&out);
}

static void jwt_write_claims(const struct token_context *context, const struct decision *decision,
                             const struct token_record *record, struct str jti, struct buf *out)
{
    struct json_writer json;
    struct jwt_subject subject;
    json_writer_init(&json, out);
    json_object_begin(&json);
    json_key_str(&json, STR("iss"), context->issuer);
    json_key_str(&json, STR("sub"), jwt_subject(decision, &subject));
    json_key_str(&json, STR("aud"), decision->api->identifier);
    json_key_i64(&json, STR("exp"), record->expires_s);
    json_key_i64(&json, STR("iat"), record->issued_s);
    json_key_str(&json, STR("jti"), jti);
    json_key_str(&json, STR("client_id"), decision->application->client_id);
    if (record->scope.len)
        json_key_str(&json, STR("scope"), record->scope);
    if (decision->ext.len)
        json_key_raw(&json, STR("ext"), decision->ext);
    json_object_end(&json);
}

static enum twoleg_error jwt_sign(const struct token_context *context,
                                  const struct signing_key *key, struct str claims,
                                  struct arena *arena, struct str *ret_text)
{
    struct buf text;
    struct signer *signer = keyring_signer(context->keys, key);
    if (!signer)
        return TWOLEG_NO_MEMORY;
    buf_init_arena(&text, arena,
                   jws_size(&key->header, signer_signature_len(signer), claims.len));
    if (text.failed)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = jws_write(&key->header, signer, claims, &text);
    if (error)
        return error;
    *ret_text = buf_str(&text);
    return TWOLEG_NONE;
}

enum twoleg_error token_jwt_draft(const struct token_context *context,
                                  const struct decision *decision,
                                  const struct token_record *record, struct arena *arena,
                                  struct jwt_draft *ret_draft)
{
    const struct keyring_set *keys = keyring_current(context->keyring);
    const struct data_key *tag_key = keyring_active(keys, KEY_JTI);
    const struct signing_key *key = keyring_signing(keys, decision->api->algorithm);
    if (!tag_key || !key || record->expires_s == 0)
        return REFUSE(TWOLEG_INTERNAL);

    struct token_record marked = *record;
    struct buf id;
    buf_init(&id, marked.id.bytes + JTI_KEY_AT, 4);
    buf_add_be(&id, tag_key->id, 4);
    struct jti jti;
    jti_write(&marked, &jti);
    jti_tag(tag_key, &jti, &marked, key->kid, jti.bytes + jti.body);
    char jti_text[JTI_TEXT_MAX];
    size_t jti_len = jti.body + TOKEN_TAG_LEN;
    base64url_encode_to(jti_text, jti.bytes, jti_len);

    struct buf claims;
    buf_init_arena(&claims, arena, 1024);
    jwt_write_claims(context, decision, &marked, str_of(jti_text, BASE64URL_LEN(jti_len)), &claims);
    if (claims.failed)
        return TWOLEG_NO_MEMORY;
    *ret_draft = (struct jwt_draft){key, buf_str(&claims)};
    return TWOLEG_NONE;
}

enum twoleg_error token_jwt_issue(const struct token_context *context,
                                  const struct decision *decision,
                                  const struct token_record *record, struct arena *arena,
                                  struct str *ret_text)
{
    struct jwt_draft draft;
    enum twoleg_error error = token_jwt_draft(context, decision, record, arena, &draft);
    if (error)
        return error;
    if (verify_key_algorithm(draft.key->public_key)->slow)
        return TWOLEG_WAIT;
    return jwt_sign(context, draft.key, draft.claims, arena, ret_text);
}

// What the claims say as a record, when the jti's tag is ours. Nothing is believed before that.
static enum twoleg_error jwt_read_record(const struct token_context *context,
                                         const struct jwt_claims *claims, struct str kid,
                                         struct token_record *record)
{
    struct jti jti;
    size_t len;
    if (base64url_decode(claims->jti, jti.bytes, sizeof jti.bytes, &len) ||
        !jti_read(&jti, len, record))
        return REFUSE(TWOLEG_TOKEN_MALFORMED);
    record->issued_s = claims->iat;
    record->expires_s = claims->exp;
    record->scope = claims->scope;
    uint32_t key_id = (uint32_t)jti_number(record->id.bytes + JTI_KEY_AT, 4);
    const struct data_key *key =
        keyring_data(keyring_current(context->keyring), KEY_JTI, key_id);
    if (!key)
        return REFUSE(TWOLEG_TOKEN_KEY);
    uint8_t tag[TOKEN_TAG_LEN];
    jti_tag(key, &jti, record, kid, tag);
    if (!secret_equal(tag, jti.bytes + jti.body, TOKEN_TAG_LEN))
        return REFUSE(TWOLEG_TOKEN_FORGED);
    return TWOLEG_NONE;
}

static enum twoleg_error jwt_check_claims(const struct token_context *context,
                                          const struct jwt_claims *claims,
                                          struct token_record *record)
{
    const struct api_set *apis = registry_apis(context->registry);
    if (!str_equal(claims->iss, context->issuer))
        return REFUSE(TWOLEG_TOKEN_ISSUER);
    if (claims->cnf.ptr)
        return REFUSE(TWOLEG_TOKEN_CONFIRMATION);
    // An expiry of 0 would read as "never" in a record; nbf has no place there, so we never write
    // one, and a later release that does means it.
    if (claims->exp == 0 || claims->nbf != 0)
        return REFUSE(TWOLEG_TOKEN_VERSION);
    for (size_t i = 0; i < claims->aud_count; i++) {
        const struct api *api = api_set_find_identifier(apis, claims->aud[i]);
        if (!api)
            return REFUSE(TWOLEG_TOKEN_AUDIENCE);
        record->apis[record->api_count++] = api->number;
    }
    return TWOLEG_NONE;
}

static enum twoleg_error jwt_verified(const struct token_context *context, const struct jwt *jwt)
{
    const struct signing_key *key =
        keyring_find(keyring_current(context->keyring), jwt->header.kid);
    // An announced key has signed nothing yet.
    if (!key || (key->state != KEY_SIGNING && key->state != KEY_RETIRED))
        return REFUSE(TWOLEG_TOKEN_KEY);
    struct jwt_key in = {key->kid, keyring_verifier(context->keys, key)};
    const struct jwt_claims *claims;
    if (!in.verifier)
        return TWOLEG_NO_MEMORY;
    return jwt_verify(jwt, &in, &claims);
}

// Parse errors of the reader are one thing to whoever presented the token.
static enum twoleg_error jwt_read_error(enum twoleg_error error)
{
    return error == TWOLEG_NO_MEMORY ? error : TWOLEG_TOKEN_MALFORMED;
}

// Nearly all tokens come with the header of a key that signs now: those bytes need no reading.
static enum twoleg_error jwt_read_ours(const struct token_context *context, struct str text,
                                       struct arena *arena, struct jwt *ret_jwt)
{
    const struct keyring_set *keys = keyring_current(context->keyring);
    for (size_t i = 0; i < keys->signing_count; i++) {
        const struct signing_key *key = &keys->signing[i];
        struct str header = str_of(key->header.text, key->header.len);
        if (key->state != KEY_SIGNING || !str_starts_with(text, header))
            continue;
        struct jwt_known_header known = {
            .text = header,
            .header = {.algorithm = verify_key_algorithm(key->public_key), .kid = key->kid},
        };
        return jwt_read_known(text, &known, arena, ret_jwt);
    }
    return jwt_read(text, arena, ret_jwt);
}

enum twoleg_error token_jwt_read(const struct token_context *context, struct str text,
                                 struct arena *arena, struct token_record *ret_record)
{
    uint64_t keys = keyring_current(context->keyring)->serial;
    if (token_cache_find(context->cache, text, keys, arena, ret_record)) {
        metrics_add(context->metrics, METRIC_JWT_CACHE_HIT, 1);
        return TWOLEG_NONE;
    }
    struct jwt *jwt = ARENA_NEW(arena, struct jwt);
    struct token_record record = {0};
    if (!jwt)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = jwt_read_ours(context, text, arena, jwt);
    if (error)
        return jwt_read_error(error);
    error = jwt_read_record(context, &jwt->unverified, jwt->header.kid, &record);
    if (!error)
        error = jwt_check_claims(context, &jwt->unverified, &record);
    if (error)
        return error;
    metrics_add(context->metrics, METRIC_JWT_CACHE_MISS, 1);
    error = jwt_verified(context, jwt);
    if (error)
        return error;
    token_cache_put(context->cache, text, keys, &record);
    *ret_record = record;
    return TWOLEG_NONE;
}
