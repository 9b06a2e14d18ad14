// SPDX-License-Identifier: Apache-2.0
// What passes down the path of a token request: each step writes its own struct, const afterwards.
#pragma once
#include "model/api.h"
#include "model/application.h"
#include "model/grant_kind.h"
#include "model/token_record.h"
#include "model/token_shape.h"

enum client_method { CLIENT_NONE, CLIENT_BASIC, CLIENT_POST };

enum scope_omitted { SCOPE_ALL, SCOPE_DEFAULT, SCOPE_EMPTY };

// What whoever asks again gets.
enum reissue {
    REISSUE_NEW,  // another token
    // Of references only:
    REISSUE_SAME,    // the one that it has, until that has expired
    REISSUE_REPLACE, // another one, and the one before of the application, or user, is revoked
};

// What the dialect of a request says of the meaning of what was sent.
struct request_rules {
    bool basic_decoded, basic_raw; // the spellings in which Basic credentials are tried
    enum scope_omitted scope_omitted;
    struct str scope_default;      // SCOPE_DEFAULT: these words
    bool scope_drops_unknown;      // rather than refusing them
    bool has_format;               // the dialect's format, not the application's
    enum token_format format;
    const struct token_shape *shape; // of its reference tokens; NULL: the default one
    enum reissue reissue;
    bool refreshes; // an answer has a place for a refresh token
};

// 1 read: what the client sent, decoded once, each parameter at most once. STR_NONE = not sent.
struct token_request {
    const struct request_rules *rules; // of the dialect; never NULL
    enum grant_kind grant;
    struct str grant_type; // as it was sent
    struct str scope;
    struct str resource; // RFC 8707
    struct str username; // section 4.3
    struct str password;
    struct str refresh_token; // section 6
    enum client_method method;
    struct str client_id;     // CLIENT_POST: decoded; CLIENT_BASIC: as it stands in the header
    struct str client_secret; // likewise
    struct str token;           // introspection and revocation
    struct str token_type_hint; // never more than a hint
    struct str ext; // a JSON object of what the dialect copies into a claim
};

// 2 client: who asks. The application is const and lives until the loop turn ends.
struct client {
    const struct application *application;
    struct application_state state;
    const struct secret *secret;
};

// 3 grant: what is to be issued.
struct decision {
    const struct application *application;
    uint64_t generation;
    uint64_t credential;
    uint64_t subject, subject_generation; // of the user; 0 = the application itself
    uint64_t family; // of the refresh token that comes with it; 0 = none does
    struct str username;                  // of the user
    const struct api *api;
    struct str scope;
    struct str ext; // of a jwt: a JSON object, the claim of that name; empty: none
    enum token_format format;
    enum reissue reissue;
    const struct token_shape *shape; // of a reference token; NULL: the default one
    int64_t ttl_us; // TIME_NEVER for tokens that do not expire: never a jwt
    int64_t now_us;
};

// 4 issue: what the client gets.
struct issued_token {
    struct str text;
    struct str scope;
    int64_t expires_in_s; // what is said of its life; 0 = never: left out of the answer
    int64_t expires_s;    // 0 = never
    int64_t issued_s;
    struct str refresh_token; // STR_NONE: none
    int64_t refresh_expires_in_s;
};
