// SPDX-License-Identifier: Apache-2.0
// An application (RFC 6749: client) as requests see it: loaded whole from the store, then const.
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "crypto/brought_hash.h"
#include "model/budget.h"
#include "model/grant_kind.h"

#define CLIENT_ID_MAX 1024 // bytes, visible ASCII; so are brought secrets
#define SECRET_MAX 1024
#define SECRET_BROUGHT_KEYED_MIN 32 // shorter brought secrets are kept under a slow hash
#define SECRETS_LIVE_MAX 10
#define SECRETS_KEPT_MAX 100 // with those that have expired, which stay until they are removed
#define APPLICATION_NAME_MAX 128
#define APPLICATION_APIS_MAX 64
#define APPLICATION_DIALECTS_MAX 512 // bytes, of all names with the blanks between them
#define SCOPE_NAME_MAX 128
#define SCOPE_TEXT_MAX 4096 // the words of one application for one API together
#define TOKEN_TTL_MIN_US SECOND_US
#define TOKEN_TTL_MAX_US (10 * 366 * 86400 * SECOND_US)
// Of tokens that live. Rows are kept for a day or two after that; these are so many times more.
#define REVOCATIONS_PER_APPLICATION 10000
#define REVOCATIONS_KEPT (10 * REVOCATIONS_PER_APPLICATION)

enum entity_status { STATUS_ACTIVE = 0, STATUS_DISABLED = 1, STATUS_DELETED = 2 };

enum token_format { FORMAT_JWT = 0, FORMAT_SEALED = 1, FORMAT_REFERENCE = 2, TOKEN_FORMATS };

// Status and generation in one word, so that a reader gets both at once. The generation is
// compared for equality only: a token of another generation is dead.
struct application_state {
    enum entity_status status;
    uint64_t generation;
};

enum secret_scheme {
    SECRET_KEYED = 0,  // HMAC(data key, "secret" | application number | SHA-256(secret))
    // Slow hashes, in the text of whoever made them: brought and short, or imported.
    SECRET_ARGON2 = BROUGHT_ARGON2ID,
    SECRET_ARGON2_SHA256 = BROUGHT_ARGON2ID_SHA256,
    SECRET_ARGON2I = BROUGHT_ARGON2I,
    SECRET_BCRYPT = BROUGHT_BCRYPT,
    SECRET_PBKDF2 = BROUGHT_PBKDF2,
};

struct secret {
    uint64_t number; // the credential number that tokens carry
    enum secret_scheme scheme;
    uint32_t key;         // SECRET_KEYED: id of the data key
    uint8_t mac[32];      // SECRET_KEYED
    struct str slow_hash; // the others
    struct str label;
    int64_t created_us;
    int64_t not_before_us; // 0: from the start
    int64_t expires_us;    // TIME_NEVER: does not expire
    int64_t used_us;       // statistics, may lag: 0 = never seen
    uint64_t used_count;
    struct str used_address;
};

// What an application may do with one API.
struct application_api {
    uint64_t api;
    bool requests;     // may ask tokens for it
    bool serves;       // is its resource server
    struct str scopes; // words in ascending order, separated by one blank
};

struct application {
    uint64_t number; // random, unique, never used again
    uint64_t account;
    uint64_t version; // of the row: for expected versions
    struct str client_id;
    struct str name;
    struct application_state state; // as loaded; the registry's word is the one that counts
    enum token_format format;
    unsigned grants; // bits of enum grant_kind
    int64_t ttl_us; // TIME_NEVER: not for a jwt
    struct budget budget;
    // Names in ascending order with a blank between them: elsewhere it is an unknown client. Empty:
    // it is known in all dialects.
    struct str dialects;
    int64_t created_us, updated_us;
    const struct application_api *apis;
    size_t api_count;
    const struct secret *secrets; // live and expired ones; removed ones are gone
    size_t secret_count;
};

// NULL when the application has nothing to do with the API.
const struct application_api *application_find_api(const struct application *application,
                                                   uint64_t api);
bool application_serves_any(const struct application *application);
// Is it known where this dialect is spoken? Empty: nobody says which one is.
bool application_speaks(const struct application *application, struct str dialect);
// What a person writes: "all", or names with blanks between them; and back. MALFORMED, TOO_LONG,
// NO_MEMORY.
enum twoleg_error application_dialects_read(struct arena *arena, struct str text,
                                            struct str *ret_dialects) TWOLEG_MUST_CHECK;
struct str application_dialects_text(const struct application *application);

// "jwt", "sealed", "reference", and back.
struct str token_format_name(enum token_format format);
bool token_format_from(struct str name, enum token_format *ret_format);
struct str entity_status_name(enum entity_status status);
// How a secret is kept, for people: "hmac", "bcrypt"; "unknown" for what a newer release wrote.
struct str secret_scheme_name(enum secret_scheme scheme);
// A slow hash that this release can check.
bool secret_scheme_is_slow(enum secret_scheme scheme);
