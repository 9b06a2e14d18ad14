// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), a nonce of 24 random
// bytes, a tag of always 16 bytes behind the text. No allocation.
#pragma once
#include "base/buf.h"
#include "base/error.h"

#define SEAL_KEY_SIZE 32
#define SEAL_NONCE_SIZE 24
#define SEAL_TAG_SIZE 16

// Appends plain.len + SEAL_TAG_SIZE bytes to out (the nonce is the caller's to store). out must not
// overlap plain. When it does not fit, out's error sticks.
void seal_write(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
                struct str aad, struct str plain, struct buf *out);

// Appends the text to out. False, and out's content as before, when the seal is not the one of
// this key, nonce and associated data, or when out has no room.
TWOLEG_MUST_CHECK bool seal_open(const uint8_t key[SEAL_KEY_SIZE],
                                 const uint8_t nonce[SEAL_NONCE_SIZE], struct str aad,
                                 struct str sealed, struct buf *out);
