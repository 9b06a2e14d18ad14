// SPDX-License-Identifier: Apache-2.0
#include "keyring/wrap.h"

#include "crypto/seal.h"

#define WRAP_AAD_MAX 512

// Every text ends with a NUL and holds none, so that no two rows have the same associated data.
static void wrap_text(struct buf *aad, struct str text)
{
    if (str_find(text, '\0') != text.len)
        aad->failed = true;
    buf_add(aad, text);
    buf_add_char(aad, '\0');
}

static struct str wrap_aad(const struct store_key *key, char (*memory)[WRAP_AAD_MAX])
{
    struct buf aad;
    buf_init(&aad, *memory, sizeof *memory);
    wrap_text(&aad, key->purpose);
    buf_add_be(&aad, key->id, 8);
    if (str_equal(key->purpose, STR("sign"))) {
        wrap_text(&aad, key->algorithm);
        wrap_text(&aad, key->kid);
        wrap_text(&aad, STR("twoleg signing key v1"));
    } else {
        wrap_text(&aad, STR("twoleg data key v1"));
    }
    return buf_str(&aad);
}

enum twoleg_error wrap_seal(const uint8_t *master, struct env *env, struct str plain,
                            struct arena *arena, struct store_key *key)
{
    char memory[WRAP_AAD_MAX];
    struct str aad = wrap_aad(key, &memory);
    uint8_t nonce[SEAL_NONCE_SIZE];
    if (!aad.ptr)
        return TWOLEG_TOO_LONG;
    if (!env_random(env, nonce, sizeof nonce))
        return TWOLEG_NO_RANDOM;
    struct buf out;
    buf_init_arena(&out, arena, sizeof nonce + plain.len + SEAL_TAG_SIZE);
    buf_add(&out, str_of(nonce, sizeof nonce));
    seal_write(master, nonce, aad, plain, &out);
    key->wrapped = buf_str(&out);
    return key->wrapped.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

bool wrap_open(const uint8_t *master, const struct store_key *key, struct buf *out)
{
    char memory[WRAP_AAD_MAX];
    struct str aad = wrap_aad(key, &memory);
    if (!aad.ptr || key->wrapped.len < SEAL_NONCE_SIZE + SEAL_TAG_SIZE)
        return false;
    return seal_open(master, (const uint8_t *)key->wrapped.ptr, aad,
                     str_slice(key->wrapped, SEAL_NONCE_SIZE, key->wrapped.len), out);
}
