// SPDX-License-Identifier: Apache-2.0
// An end user (RFC 6749: resource owner) of the password grant. It belongs to an account, has a
// password and rights, and logs in nowhere but at the token endpoint, through an application of the
// same account.
#pragma once
#include "crypto/hash.h"
#include "model/application.h"
#include "model/token_record.h"

#define USERNAME_MAX 256     // bytes of UTF-8, compared as they are
#define USER_PASSWORD_MIN 8  // bytes
#define REFRESH_GRACE_US (30 * SECOND_US)
#define REFRESH_TOKENS_LASTING INT64_MAX
// So much longer than tokens_until_s an access token may live that was made when the request had
// waited, or had come again.
#define REFRESH_OUTLIVES_S (REVOCATION_KEPT_S / 2)
#define REFRESH_FAMILIES_MAX 20 // of one user with one application; the oldest goes
#define REFRESH_BURIED_MAX 1000 // likewise, of those that are buried

struct user {
    uint64_t number; // random, unique, never used again; "usr_..." is the sub of its tokens
    uint64_t account;
    uint64_t version;
    struct str username;
    struct application_state state; // as loaded; the registry's word is the one that counts
    struct str password_hash;       // a PHC string
    int64_t created_us, updated_us;
    const struct application_api *apis; // what it may be given tokens for, and with which scopes
    size_t api_count;
};

// All refresh tokens that came from one password grant: one row, whose hash changes with each use.
struct refresh_family {
    uint64_t number;
    uint64_t account;
    uint64_t application, generation; // of the application, when it began
    uint64_t user, user_generation;
    // Of the secret with which `current` was got: number. 0 = a program before schema 8 wrote it.
    uint64_t credential;
    uint32_t epoch; // the server's; a restore sets a new one
    uint64_t api;
    struct str scope; // as granted: no later token has more
    uint32_t key;     // the data key under which `current` was made of `previous`
    struct sha256 current, previous; // SHA-256 of the token that is good, and of the one before
    bool has_previous;
    // Times of the trusted clock (env->latest_us), with which they are compared.
    int64_t rotated_us; // when current took the place of previous; negative: it ended then
    int64_t idle_us;    // dead at this time unless it is used before; 0: it has ended
    int64_t expires_us; // dead at this time
    // When the last access token that came with one of its tokens will have expired: 0 = there is
    // none that says which family it is of; REFRESH_TOKENS_LASTING = never.
    int64_t tokens_until_s;
};

// It has ended alone (store.h, REFRESH_REVOKE), or has expired: it is there for the end of its
// access tokens only.
static inline bool refresh_family_is_buried(const struct refresh_family *family)
{
    return family->rotated_us < 0;
}
