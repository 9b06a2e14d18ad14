// SPDX-License-Identifier: Apache-2.0
// What a token says, whatever its format.
#pragma once
#include <stdbool.h>

#include "base/str.h"

#define TOKEN_ID_LEN 16
#define TOKEN_TAG_LEN 8
#define TOKEN_APIS_MAX 8
#define TOKEN_TEXT_MAX ((size_t)16 * 1024)

struct token_id {
    uint8_t bytes[TOKEN_ID_LEN]; // random
};

struct token_record {
    uint32_t epoch; // the server's; a restore sets a new one
    struct token_id id;
    uint8_t tag[TOKEN_TAG_LEN]; // of a JWT's jti, as it was read; not part of what is compared
    uint32_t api_count;
    uint64_t application;       // number
    uint64_t generation;
    uint64_t credential; // number of the secret that was shown for it
    uint64_t subject;    // number of a user, 0 = the application itself
    uint64_t subject_generation;
    uint64_t family; // of the refresh tokens that it came with; 0 = it came with none
    uint64_t apis[TOKEN_APIS_MAX];
    struct str scope; // words in ascending order; may be empty
    int64_t issued_s; // seconds since 1970, UTC
    int64_t expires_s; // 0 = never
};

// What the text of a token is derived from that others may ask for once more; no secret.
#define TOKEN_NONCE_LEN 16
struct token_nonce {
    uint8_t bytes[TOKEN_NONCE_LEN];
};

// What the end of a family is kept as: the revocation of an id that no token has, since those are
// random.
static inline struct token_id token_family_id(uint64_t family)
{
    struct token_id id = {"\0\0\0\0\0\0\0\0family:"};
    for (size_t i = 0; i < sizeof family; i++)
        id.bytes[i] = (uint8_t)(family >> (8 * (sizeof family - 1 - i)));
    return id;
}

// Revocations are known for so much longer than was asked for, at least (daemon/purge.h).
#define REVOCATION_KEPT_S ((int64_t)86400)

// Lives of which some tokens end in the next one (token/again.c): the number of that of issued_s.
static inline int64_t token_record_window(const struct token_record *record)
{
    return record->expires_s ? record->issued_s / (record->expires_s - record->issued_s) : 0;
}

// When the revocation of a token that is found again, which only reference tokens are, may be
// forgotten; 0 = never. By what was revoked of its window whoever asks again finds the one that
// lives, and that is until the next window has ended.
static inline int64_t token_record_forget_s(const struct token_record *record)
{
    int64_t life = record->expires_s - record->issued_s;
    if (!record->expires_s || life <= 0)
        return record->expires_s;
    int64_t known = (token_record_window(record) + 2) * life - REVOCATION_KEPT_S;
    return known > record->expires_s ? known : record->expires_s;
}
