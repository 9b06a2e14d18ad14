// SPDX-License-Identifier: Apache-2.0
// JWTs that carry a right signature and a right tag. The first line is `iat exp flags` for the tag
// (flags: t spoils it, k names an unknown data key, s cuts the jti, u and z make it a user's and
// nobody's, f and n of a family and of none), the second one the header in
// clear or empty for ours, the rest the claims in clear, where @ stands for the jti. With a first
// line that starts with i, the rest is the scope of a token that is issued. What reads is what was
// written, once more from the cache, and no longer after any one character changed.
#include "codec/base64url.h"
#include "crypto/hash.h"
#include "crypto/mac.h"
#include "tokens.h"

struct fuzz_tag {
    uint64_t iat, exp;
    bool spoilt, unknown_key, cut, user, nobody, family, no_family;
};

static void fuzz_jti(const struct fuzz_tag *tag, struct str kid, struct buf *out)
{
    uint8_t bytes[8 + 8 + 8 + 4 + TOKEN_ID_LEN + 8 + 8 + 8 + TOKEN_TAG_LEN];
    struct buf jti;
    struct mac_state state;
    buf_init(&jti, bytes, sizeof bytes);
    buf_add_be(&jti, NUMBER, 8);
    buf_add_be(&jti, GENERATION, 8);
    buf_add_be(&jti, 9, 8);
    buf_add_be(&jti, EPOCH, 4);
    buf_add(&jti, STR("twelve bytes"));
    buf_add_be(&jti, tag->unknown_key ? 99 : data_keys[1].id, 4);
    if (tag->user || tag->nobody) {
        buf_add_be(&jti, tag->user ? USER : 0, 8);
        buf_add_be(&jti, GENERATION, 8);
    }
    if (tag->family || tag->no_family)
        buf_add_be(&jti, tag->family ? FAMILY : 0, 8);
    mac_begin(&state, &data_keys[1].mac);
    mac_add(&state, STR("jti"));
    mac_add(&state, buf_str(&jti));
    mac_add_u64(&state, tag->iat);
    mac_add_u64(&state, tag->exp);
    mac_add(&state, kid);
    struct sha256 made = mac_end(&state);
    made.bytes[0] ^= tag->spoilt;
    buf_add(&jti, str_of(made.bytes, TOKEN_TAG_LEN));
    base64url_encode(out, bytes, jti.len - tag->cut);
}

static struct str fuzz_sign(struct arena *arena, struct str header, struct str claims)
{
    struct buf text;
    struct signature signature;
    buf_init_arena(&text, arena, 1024);
    if (header.ptr)
        base64url_encode(&text, header.ptr, header.len);
    else
        buf_add(&text, str_of(signing_keys[0].header.text, signing_keys[0].header.len));
    buf_add_char(&text, '.');
    base64url_encode(&text, claims.ptr, claims.len);
    struct signer *signer = keyring_signer(context.keys, &signing_keys[0]);
    FUZZ_MUST(signer && signer_sign(signer, buf_str(&text), &signature) == TWOLEG_NONE);
    buf_add_char(&text, '.');
    base64url_encode(&text, signature.bytes, signature.len);
    return buf_str(&text);
}

static bool fuzz_same(const struct token_record *a, const struct token_record *b)
{
    struct token_record c = *b;
    if (!str_equal(a->scope, b->scope))
        return false;
    c.scope = a->scope;
    return memcmp(a, &c, sizeof c) == 0;
}

static void fuzz_read(struct arena *arena, struct str text)
{
    struct token_record record, again;
    enum token_format format;
    enum twoleg_error error = token_read(&context, text, NULL, arena, &record, &format);
    fuzz_little(text, error);
    FUZZ_MUST(error != TWOLEG_NO_MEMORY && error != TWOLEG_INTERNAL);
    if (error)
        return;
    FUZZ_MUST(format == FORMAT_JWT && record.application == NUMBER && record.epoch == EPOCH);
    FUZZ_MUST(record.api_count >= 1 && record.expires_s > 0);
    FUZZ_MUST(record.subject == 0 || record.subject == USER);
    FUZZ_MUST(record.family == 0 || (record.family == FAMILY && record.subject == USER));
    FUZZ_MUST(token_read(&context, text, NULL, arena, &again, &format) == TWOLEG_NONE);
    FUZZ_MUST(fuzz_same(&record, &again));
    fuzz_gate(arena, text);
    char *changed = arena_alloc(arena, text.len);
    memcpy(changed, text.ptr, text.len);
    size_t at = (size_t)record.issued_s % text.len;
    changed[at] = (char)(changed[at] ^ 4);
    FUZZ_MUST(token_read(&context, str_of(changed, text.len), NULL, arena, &again, &format));
}

static void fuzz_written(struct arena *arena, struct str line, struct str input)
{
    struct fuzz_tag tag = {0};
    struct str word = STR_NONE;
    struct buf claims;
    str_word(&line, &word);
    (void)str_to_u64(word, &tag.iat);
    if (str_word(&line, &word))
        (void)str_to_u64(word, &tag.exp);
    tag.spoilt = str_find(line, 't') < line.len;
    tag.unknown_key = str_find(line, 'k') < line.len;
    tag.cut = str_find(line, 's') < line.len;
    tag.user = str_find(line, 'u') < line.len;
    tag.nobody = str_find(line, 'z') < line.len;
    tag.family = str_find(line, 'f') < line.len;
    tag.no_family = str_find(line, 'n') < line.len;
    struct str header = fuzz_line(&input);
    bool other = header.len && str_find(header, 'w') < header.len; // only "new" has one
    buf_init_arena(&claims, arena, 1024);
    for (size_t i = 0; i < input.len; i++)
        if (input.ptr[i] == '@')
            fuzz_jti(&tag, signing_keys[other].kid, &claims);
        else
            buf_add_char(&claims, input.ptr[i]);
    fuzz_read(arena, fuzz_sign(arena, header, buf_str(&claims)));
}

static void fuzz_issued(struct arena *arena, struct str scope, enum token_format format,
                        uint64_t subject, uint64_t family)
{
    struct issued_token token;
    struct token_record record;
    enum token_format found;
    struct decision decision = {.application = &application,
                                .generation = GENERATION,
                                .credential = 9,
                                .subject = subject,
                                .subject_generation = subject ? GENERATION : 0,
                                .family = family,
                                .api = &api,
                                .format = format,
                                .ttl_us = 60 * SECOND_US,
                                .now_us = env.now_us};
    if (scope_normalise(arena, scope, &decision.scope))
        return;
    FUZZ_MUST(token_issue(&context, &decision, arena, &token) == TWOLEG_NONE);
    FUZZ_MUST(token_read(&context, token.text, NULL, arena, &record, &found) == TWOLEG_NONE);
    FUZZ_MUST(found == format && str_equal(record.scope, decision.scope));
    FUZZ_MUST(record.expires_s - record.issued_s == 60 && token.expires_in_s == 60);
    FUZZ_MUST(record.credential == 9 && record.api_count == 1 && record.apis[0] == API);
    FUZZ_MUST(record.subject == subject && record.family == family);
    char memory[TOKEN_ID_TEXT_MAX];
    struct buf id;
    buf_init(&id, memory, sizeof memory);
    token_write_id(&record, format, &id);
    FUZZ_MUST(!id.failed && id.len > 0);
    fuzz_gate(arena, token.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str input = str_of(data, size);
    struct str line = fuzz_line(&input);
    fuzz_prepare();
    fuzz_still();
    arena_init(&arena, NULL, 8 * ARENA_REQUEST_CAP);
    if (str_starts_with(line, STR("i"))) {
        fuzz_issued(&arena, input, FORMAT_JWT, 0, 0);
        fuzz_issued(&arena, input, FORMAT_SEALED, 0, 0);
        fuzz_issued(&arena, input, FORMAT_JWT, USER, 0);
        fuzz_issued(&arena, input, FORMAT_SEALED, USER, 0);
        fuzz_issued(&arena, input, FORMAT_JWT, USER, FAMILY);
        fuzz_issued(&arena, input, FORMAT_SEALED, USER, FAMILY);
    } else {
        fuzz_written(&arena, line, input);
    }
    arena_finish(&arena);
    return 0;
}
