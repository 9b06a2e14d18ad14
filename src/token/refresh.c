// SPDX-License-Identifier: Apache-2.0
#include "token/refresh.h"

#include <string.h>

#include "codec/base62.h"
#include "codec/base64url.h"
#include "crypto/wipe.h"

#define REFRESH_FAMILY 8
#define REFRESH_BYTES (REFRESH_FAMILY + 32)
#define REFRESH_PREFIX_MAX 16 // the option's

_Static_assert(REFRESH_PREFIX_MAX + BASE64URL_LEN(REFRESH_BYTES) + CREDENTIAL_CHECKSUM_LEN <=
                   REFRESH_TEXT_MAX,
               "every token fits");

static void refresh_token_write(struct str prefix, uint64_t family, struct str secret,
                                struct refresh_token *token)
{
    uint8_t bytes[REFRESH_BYTES];
    struct buf raw, text;
    buf_init(&raw, bytes, sizeof bytes);
    buf_add_be(&raw, family, REFRESH_FAMILY);
    buf_add(&raw, secret);
    buf_init(&text, token->text, sizeof token->text);
    buf_add(&text, prefix);
    base64url_encode(&text, bytes, sizeof bytes);
    credential_checksum_append(&text, 0);
    token->len = text.len;
    wipe(bytes, sizeof bytes);
}

enum twoleg_error refresh_token_first(struct env *env, struct str prefix, uint64_t family,
                                      struct refresh_token *ret_token)
{
    uint8_t random[32];
    if (!env_random(env, random, sizeof random))
        return TWOLEG_NO_RANDOM;
    refresh_token_write(prefix, family, str_of(random, sizeof random), ret_token);
    wipe(random, sizeof random);
    return TWOLEG_NONE;
}

void refresh_token_next(const struct data_key *key, struct str prefix, uint64_t family,
                        const struct sha256 *shown, struct refresh_token *ret_token)
{
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("refresh"));
    mac_add_u64(&state, family);
    mac_add(&state, str_of(shown->bytes, sizeof shown->bytes));
    struct sha256 next = mac_end(&state);
    refresh_token_write(prefix, family, str_of(next.bytes, sizeof next.bytes), ret_token);
    wipe(&next, sizeof next);
}

bool refresh_token_read(struct str text, struct str prefix, uint64_t *ret_family)
{
    uint8_t bytes[REFRESH_BYTES];
    size_t len;
    if (text.len != prefix.len + BASE64URL_LEN(REFRESH_BYTES) + CREDENTIAL_CHECKSUM_LEN ||
        !str_starts_with(text, prefix) || !credential_checksum_ok(text))
        return false;
    struct str body = str_slice(text, prefix.len, text.len - CREDENTIAL_CHECKSUM_LEN);
    if (base64url_decode(body, bytes, sizeof bytes, &len) || len != sizeof bytes)
        return false;
    uint64_t family = 0;
    for (size_t i = 0; i < REFRESH_FAMILY; i++)
        family = family << 8 | bytes[i];
    wipe(bytes, sizeof bytes);
    if (family == 0)
        return false;
    *ret_family = family;
    return true;
}
