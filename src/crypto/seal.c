// SPDX-License-Identifier: Apache-2.0
#include "crypto/seal.h"

#include <sodium.h>

_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

void seal_write(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
                struct str aad, struct str plain, struct buf *out)
{
    size_t len;
    if (__builtin_add_overflow(plain.len, (size_t)SEAL_TAG_SIZE, &len)) {
        out->failed = true;
        return;
    }
    char *at = buf_reserve(out, len);
    if (!at)
        return;
    // Cannot fail: the library's only refusal is a text of 2^64 bytes.
    crypto_aead_xchacha20poly1305_ietf_encrypt((uint8_t *)at, NULL, (const uint8_t *)plain.ptr,
                                               plain.len, (const uint8_t *)aad.ptr, aad.len, NULL,
                                               nonce, key);
}

bool seal_open(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
               struct str aad, struct str sealed, struct buf *out)
{
    if (sealed.len < SEAL_TAG_SIZE)
        return false;
    size_t len = sealed.len - SEAL_TAG_SIZE;
    char *at = buf_reserve(out, len);
    if (!at)
        return false;
    // The tag is checked before the first byte of text is written.
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (uint8_t *)at, NULL, NULL, (const uint8_t *)sealed.ptr, sealed.len,
            (const uint8_t *)aad.ptr, aad.len, nonce, key) == 0)
        return true;
    out->len -= len;
    return false;
}
