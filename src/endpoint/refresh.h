// SPDX-License-Identifier: Apache-2.0
// Refresh tokens (RFC 6749 section 6): found, rotated, revoked. A token is good once: it gives its
// successor, for half a minute the same one again (the first answer may have been lost, or two
// requests have met), and after that it was stolen from somebody, so that all of its family end
// (RFC 9700 section 4.14.2), with the access tokens that came with them (RFC 7009 section 2.1).
// Not where the request that shows it has found it good and was overtaken: that gets nothing.
#pragma once
#include "endpoint/user.h"
#include "token/refresh.h"

struct issue_commit;

struct refresh_use {
    const struct user *user;
    const struct refresh_family *family; // NULL: one that is to begin
    uint64_t number;                     // of the family, or of the one to begin
    bool again; // the one before the present one was shown, and not too late
};

// Whose refresh token form->refresh_token is.
enum twoleg_error refresh_find(struct http_request *request, const struct token_request *form,
                               const struct client *client,
                               struct refresh_use *ret_use) TWOLEG_MUST_CHECK;

// What a batch writes of refresh tokens.
enum refresh_kept_kind {
    REFRESH_KEPT_NOTHING,
    REFRESH_KEPT_NEXT,  // a token: the first of a family, or the one that follows
    REFRESH_KEPT_NOTED, // how long another access token lives that comes with the present one
};
struct refresh_kept {
    enum refresh_kept_kind kind;
    const struct refresh_family *from; // what it was made of: a look's; NULL: a new family
    struct refresh_family family;      // of a new one
    struct refresh_token token;
    int64_t left_s;  // of its life when it was made, if it is not used
    int64_t until_s; // the access token lived when it was made
};

// Adds to a batch what is to be durable of the decision's family with an access token that lives
// until then (0 = for ever), and notes it in kept. Where all of it is so already, nothing.
enum twoleg_error refresh_write(struct http_request *request, const struct decision *decision,
                                const struct refresh_use *use, int64_t expires_s,
                                struct issue_commit *commit) TWOLEG_MUST_CHECK;

// The last step before the answer, when ret_token has the access token: adds the next refresh token
// of the family, or the first of a new one, once it is durable. Its text is good as long as the
// request.
enum twoleg_error refresh_keep(struct http_request *request, const struct decision *decision,
                               const struct refresh_use *use,
                               struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// RFC 7009: ends the family of a refresh token of the client's. NOT_FOUND: it is none, or of none
// that there is. TOKEN_FOREIGN. TWOLEG_NONE: it is over, durably.
enum twoleg_error refresh_revoke(struct http_request *request, const struct client *client,
                                 struct str text) TWOLEG_MUST_CHECK;
