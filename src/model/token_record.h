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
    uint64_t application;       // number
    uint64_t generation;
    uint64_t credential; // number of the secret that was shown for it
    uint64_t subject;    // number of a user, 0 = the application itself
    uint64_t subject_generation;
    uint64_t apis[TOKEN_APIS_MAX];
    size_t api_count;
    struct str scope; // words in ascending order; may be empty
    int64_t issued_s; // seconds since 1970, UTC
    int64_t expires_s; // 0 = never
};
