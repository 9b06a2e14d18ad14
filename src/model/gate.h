// SPDX-License-Identifier: Apache-2.0
// The gate: the one place that decides whether a credential is good, whichever door it came
// through. Pure: what it needs is handed in, and nothing else is asked.
#pragma once
#include "base/error.h"
#include "model/api.h"
#include "model/application.h"
#include "model/token_record.h"
#include "model/user.h"

enum gate_door {
    GATE_TOKEN_ENDPOINT, // a client asks for a token
    GATE_INTROSPECT,     // a resource server asks about a token
    GATE_REVOKE,         // a client gives a token back
    GATE_CHECK,          // a proxy asks whether a call may pass
    GATE_OPERATOR,       // token inspect
};

// May this client be served? After its secret has been found to match.
struct gate_client {
    enum gate_door door;
    const struct application *application;
    struct application_state state; // the registry's, now
    const struct secret *secret;    // the one that matched
    bool account_active;
    struct str dialect; // that is spoken where it asks; empty: at a host that is nobody's
    int64_t now_us; // env->latest_us
};
enum twoleg_error gate_client(const struct gate_client *question) TWOLEG_MUST_CHECK;

// May this user be granted a token? After the password was found to match, or a refresh token of
// the user's to be good.
struct gate_user {
    struct application_state state; // the registry's, now; deleted: there is none
    bool account_active;
    uint64_t generation; // of the user when what it showed was read
};
enum twoleg_error gate_user(const struct gate_user *question) TWOLEG_MUST_CHECK;

// May this family of refresh tokens be used? Whether the token that was shown is its present one is
// another question (endpoint/refresh.c); the user's state is gate_user's.
struct gate_refresh {
    const struct refresh_family *family;
    uint64_t application;
    uint64_t generation; // the application's, now
    uint32_t epoch;      // the server's
    bool credential_revoked; // the tokens of that with which its present refresh token was got
    int64_t now_us;      // env->latest_us
};
enum twoleg_error gate_refresh(const struct gate_refresh *question) TWOLEG_MUST_CHECK;
// Its first part, for revocation: whoever owns a family may end it, whatever its state.
enum twoleg_error gate_refresh_owner(const struct refresh_family *family,
                                     uint64_t application) TWOLEG_MUST_CHECK;

// Is this token good, here and now, for whoever asks?
struct gate_token {
    enum gate_door door;
    const struct token_record *token; // its seal or signature has been verified
    const struct application *application;
    struct application_state state;
    struct application_state user; // of the token's subject, if it has one; deleted: there is none
    bool account_active;
    uint32_t epoch; // the server's
    bool reference; // it may be found again, and given out once more
    bool token_revoked;
    bool family_revoked; // the refresh tokens that it came with
    bool credential_revoked;
    const struct application *caller; // GATE_INTROSPECT, GATE_REVOKE: who asks
    uint64_t required_api;            // GATE_CHECK: 0 = any audience of ours
    struct str required_scope;        // GATE_CHECK: all of these words
    struct str dialect;               // GATE_CHECK: that the gate speaks
    int64_t now_us; // env->latest_us
};

// What is left of a good token after its application's present rights. Not filled for GATE_REVOKE.
struct gate_passed {
    struct str scope;
    uint64_t apis[TOKEN_APIS_MAX];
    size_t api_count;
};

// The arena is for the narrowed scope. Errors are those of errors.def; TWOLEG_NO_MEMORY when the
// arena is full, which is no verdict on the token.
struct arena;
enum twoleg_error gate_token(const struct gate_token *question, struct arena *arena,
                             struct gate_passed *ret_passed) TWOLEG_MUST_CHECK;

// Part of gate_token for GATE_REVOKE, and its first: whether another client's token is still alive
// is not for this one to know. Apart, for a token whose application is gone altogether.
enum twoleg_error gate_owner(const struct token_record *token,
                             const struct application *caller) TWOLEG_MUST_CHECK;

// The names of all checks, ending with NULL: a mutation run drops one at a time (base/fault.h).
extern const char *const gate_checks[];
