// SPDX-License-Identifier: Apache-2.0
// The reference format: a text that says nothing, and a row of the store under its SHA-256 that
// says it all. What the text looks like is its shape's business (model/token_shape.h):
//
//   prefix, random places, places of a slot, places of a tag, suffix, checksum
//
//   slot   a number that tokens of one moment share, so that their rows lie together; each digit is
//          moved on by one of MAC(key, "ref" | 1 | the text, '.' in the slot's and tag's places)
//   tag    a digit of MAC(key, "ref" | 2 | the text, '.' in the tag's places) for each place
//   id     first 16 bytes of the text's hash
//
// A MAC's digits are those of its first 8 bytes as a number; the checksum is in none, and the key
// is that of the jti tags. The tag makes a made-up token cheap to refuse. It is not what keeps one
// from being guessed: that are the random places (docs/why/2026-11-22-reference.md).
#include <string.h>

#include "base/refusal.h"
#include "codec/base62.h"
#include "crypto/compare.h"
#include "crypto/wipe.h"
#include "token/format.h"

#define REFERENCE_MOMENT_US 8000 // a few commits

struct reference_digits {
    uint8_t digits[TOKEN_SHAPE_KEYED_MAX];
    size_t count;
};

// Of the places of one kind; what stands in those and in later kinds' is not looked at.
static struct reference_digits reference_mac(const struct data_key *key,
                                             const struct token_shape *shape, struct str text,
                                             enum token_place_kind kind)
{
    struct token_layout layout = token_shape_layout(shape);
    char marked[TOKEN_SHAPE_TEXT_MAX];
    size_t size = shape->prefix.len + shape->length + shape->suffix.len;
    memcpy(marked, text.ptr, size);
    for (size_t i = 0; i < shape->length; i++)
        if (token_layout_place(&layout, i).kind >= kind)
            marked[shape->prefix.len + i] = '.';
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("ref"));
    mac_add_u64(&state, kind);
    mac_add(&state, str_of(marked, size));
    struct sha256 mac = mac_end(&state);
    wipe(marked, sizeof marked);
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | mac.bytes[i];
    struct reference_digits found = {.count = 0};
    for (size_t i = 0; i < shape->length; i++) {
        struct token_place place = token_layout_place(&layout, i);
        if (place.kind != kind)
            continue;
        found.digits[found.count++] = (uint8_t)(number % place.count);
        number /= place.count;
    }
    return found;
}

// What random places are filled from: randomness, or, for a text that is to be found again, a seed.
struct reference_source {
    struct env *env;
    const struct data_key *key;
    const struct sha256 *seed; // NULL: randomness
    struct sha256 block;
    uint64_t blocks;
    size_t left; // of the block
};

static bool reference_byte(struct reference_source *source, uint8_t *ret_byte)
{
    if (!source->seed)
        return env_random(source->env, ret_byte, sizeof *ret_byte);
    if (source->left == 0) {
        struct mac_state state;
        mac_begin(&state, &source->key->mac);
        mac_add(&state, STR("reissue bytes"));
        mac_add_u64(&state, source->blocks++);
        mac_add(&state, str_of(source->seed->bytes, SHA256_SIZE));
        source->block = mac_end(&state);
        source->left = SHA256_SIZE;
    }
    *ret_byte = source->block.bytes[--source->left];
    return true;
}

// Each digit as likely as every other: a byte beyond the last multiple is drawn again.
static bool reference_draw(struct reference_source *source, struct token_place place,
                           char *ret_digit)
{
    unsigned most = 256 - 256 % place.count;
    uint8_t byte = 0;
    while (place.count > 1 && place.kind == PLACE_RANDOM) {
        if (!reference_byte(source, &byte))
            return false;
        if (byte < most)
            break;
    }
    *ret_digit = place.digits[byte % place.count];
    return true;
}

static void reference_put(const struct data_key *key, const struct token_shape *shape,
                          struct str text, enum token_place_kind kind, unsigned number, char *body)
{
    struct token_layout layout = token_shape_layout(shape);
    struct reference_digits mac = reference_mac(key, shape, text, kind);
    for (size_t i = layout.slot_from, at = 0; i < shape->length; i++) {
        struct token_place place = token_layout_place(&layout, i);
        if (place.kind != kind)
            continue;
        body[i] = place.digits[(number + mac.digits[at++]) % place.count];
        number /= place.count;
    }
}

// The number that was put into the places of a kind.
static unsigned reference_get(const struct data_key *key, const struct token_shape *shape,
                              struct str text, enum token_place_kind kind)
{
    struct token_layout layout = token_shape_layout(shape);
    struct reference_digits mac = reference_mac(key, shape, text, kind);
    const char *body = text.ptr + shape->prefix.len;
    unsigned number = 0, weight = 1;
    for (size_t i = layout.slot_from, at = 0; i < shape->length; i++) {
        struct token_place place = token_layout_place(&layout, i);
        if (place.kind != kind)
            continue;
        const char *digit = memchr(place.digits, body[i], place.count);
        unsigned value = digit ? (unsigned)(digit - place.digits) : 0;
        number += (value + place.count - mac.digits[at++]) % place.count * weight;
        weight *= place.count;
    }
    return number;
}

static enum twoleg_error reference_write(const struct token_shape *shape,
                                         struct reference_source *source, unsigned slot,
                                         struct buf *out)
{
    struct token_layout layout = token_shape_layout(shape);
    buf_add(out, shape->prefix);
    char *body = buf_reserve(out, shape->length);
    buf_add(out, shape->suffix);
    if (!body || out->failed)
        return REFUSE(TWOLEG_INTERNAL);
    for (size_t i = 0; i < shape->length; i++)
        if (!reference_draw(source, token_layout_place(&layout, i), &body[i]))
            return TWOLEG_NO_RANDOM;
    reference_put(source->key, shape, buf_str(out), PLACE_SLOT, slot, body);
    reference_put(source->key, shape, buf_str(out), PLACE_TAG, 0, body);
    if (shape->checksum)
        credential_checksum_append(out, 0);
    return out->failed ? REFUSE(TWOLEG_INTERNAL) : TWOLEG_NONE;
}

// A shape without slots: as good as anywhere.
static unsigned reference_any_slot(const struct sha256 *hash)
{
    return (unsigned)(hash->bytes[SHA256_SIZE - 2] << 8 | hash->bytes[SHA256_SIZE - 1]) %
           TOKEN_SLOTS_MAX;
}

static const struct token_shape *reference_shape(const struct decision *decision)
{
    return decision->shape ? decision->shape : &token_shape_default;
}

enum twoleg_error token_reference_spell(const struct token_context *context,
                                        const struct decision *decision, const struct sha256 *seed,
                                        struct token_reference *token)
{
    const struct token_shape *shape = reference_shape(decision);
    struct reference_source source = {
        .env = context->env,
        .key = keyring_active(keyring_current(context->keyring), KEY_JTI),
        .seed = seed,
    };
    unsigned slots = token_shape_slots(shape);
    // Tokens of one moment lie together; one that is found again lies where its seed says.
    uint64_t place = seed ? (uint64_t)seed->bytes[0] << 8 | seed->bytes[1]
                          : (uint64_t)(context->env->mono_us / REFERENCE_MOMENT_US);
    unsigned slot = (unsigned)(place % slots);
    struct buf text;
    if (!source.key)
        return REFUSE(TWOLEG_INTERNAL);
    buf_init(&text, token->text, sizeof token->text);
    enum twoleg_error error = reference_write(shape, &source, slot, &text);
    wipe(&source, sizeof source);
    if (error)
        return error;
    token->alphabet = shape->alphabet;
    token->checksum = shape->checksum;
    token->len = text.len;
    token->key.hash = sha256(buf_str(&text));
    token->key.slot = slots > 1 ? slot : reference_any_slot(&token->key.hash);
    memcpy(token->record.id.bytes, token->key.hash.bytes, TOKEN_ID_LEN);
    return TWOLEG_NONE;
}

enum twoleg_error token_reference_make(const struct token_context *context,
                                       const struct decision *decision,
                                       struct token_reference *ret_token)
{
    if (decision->format != FORMAT_REFERENCE)
        return REFUSE(TWOLEG_INTERNAL);
    enum twoleg_error error = token_record_make(context, decision, &ret_token->record);
    return error ? error : token_reference_spell(context, decision, NULL, ret_token);
}

// What lies at the shape's place in memory may be another one by now, so its content counts.
static bool reference_has_shape(const struct token_reference *token,
                                const struct token_shape *shape)
{
    struct str text = str_of(token->text, token->len);
    size_t tail = shape->prefix.len + shape->length;
    return token->alphabet == shape->alphabet && token->checksum == shape->checksum &&
           text.len == token_shape_size(shape) && str_starts_with(text, shape->prefix) &&
           str_starts_with(str_slice(text, tail, text.len), shape->suffix);
}

enum twoleg_error token_reference_take(const struct token_context *context,
                                       const struct decision *decision,
                                       const struct token_reference *token,
                                       struct issued_token *ret_token)
{
    if (decision->format != FORMAT_REFERENCE || !token_record_holds(&token->record, decision) ||
        token->record.epoch != context->epoch ||
        !reference_has_shape(token, reference_shape(decision)))
        return TWOLEG_NOT_FOUND;
    *ret_token = token_issued(&token->record, decision, str_of(token->text, token->len));
    return TWOLEG_NONE;
}

// The row that the text is of, if its tag was made with this key and it has this shape.
static void reference_add_key(const struct data_key *key, const struct token_shape *shape,
                              struct str text, struct token_keys *keys)
{
    if (reference_get(key, shape, text, PLACE_TAG) != 0)
        return;
    struct sha256 hash = sha256(text);
    unsigned slot = token_shape_slots(shape) > 1 ? reference_get(key, shape, text, PLACE_SLOT)
                                                 : reference_any_slot(&hash);
    for (size_t i = 0; i < keys->count; i++)
        if (keys->all[i].slot == slot)
            return;
    if (keys->count < TOKEN_KEYS_MAX)
        keys->all[keys->count++] = (struct store_token_key){hash, slot};
}

enum twoleg_error token_reference_keys(const struct token_context *context, struct str text,
                                       struct token_keys *ret_keys)
{
    const struct keyring_set *set = keyring_current(context->keyring);
    struct token_keys keys = {.count = 0};
    bool fits = false;
    for (size_t i = 0; i <= context->shape_count; i++) {
        const struct token_shape *shape =
            i < context->shape_count ? &context->shapes[i] : &token_shape_default;
        if (!token_shape_fits(shape, text))
            continue;
        fits = true;
        for (size_t k = 0; k < set->data_count; k++)
            if (set->data[k].purpose == KEY_JTI)
                reference_add_key(&set->data[k], shape, text, &keys);
    }
    if (keys.count == 0)
        return REFUSE(fits ? TWOLEG_TOKEN_FORGED : TWOLEG_TOKEN_MALFORMED);
    *ret_keys = keys;
    return TWOLEG_NONE;
}

enum twoleg_error token_reference_read(const struct token_context *context, struct str text,
                                       const struct token_known *known, struct arena *arena,
                                       struct token_record *ret_record)
{
    if (token_cache_find(context->cache, text, TOKEN_CACHE_ROW, arena, ret_record))
        return TWOLEG_NONE;
    struct token_keys keys;
    enum twoleg_error error = token_reference_keys(context, text, &keys);
    if (error)
        return error;
    if (!known ||
        !secret_equal(known->keys.all[0].hash.bytes, keys.all[0].hash.bytes, SHA256_SIZE))
        return TWOLEG_WAIT;
    if (!known->found)
        return REFUSE(TWOLEG_TOKEN_UNKNOWN);
    token_cache_put(context->cache, text, TOKEN_CACHE_ROW, &known->record);
    *ret_record = known->record;
    return TWOLEG_NONE;
}
