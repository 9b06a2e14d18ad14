// SPDX-License-Identifier: Apache-2.0
// Changes to users of the password grant, and the end of their refresh tokens. As with
// applications: the right, the verbs, the audit row; words in change->problem.
#pragma once
#include "manage/access.h"
#include "model/user.h"

struct manage_user_new {
    uint64_t number; // random, from the caller
    uint64_t account;
    struct str username;
    struct str password_hash;
    struct manage_access_request access; // audience and scope
};

// A password as a person brought it: UTF-8 without control characters, USER_PASSWORD_MIN bytes at
// least.
enum twoleg_error manage_user_check_password(struct manage_change *change,
                                             struct str password) TWOLEG_MUST_CHECK;
// ret_user lives in the batch. MISSING, TOO_LONG, MALFORMED and what access gives.
enum twoleg_error manage_user_create(struct manage_change *change, const struct api_set *apis,
                                     const struct manage_user_new *request,
                                     struct user **ret_user,
                                     struct manage_access *ret_access) TWOLEG_MUST_CHECK;
// All tokens that the user's applications have for it are dead at once, refresh tokens too.
enum twoleg_error manage_user_password(struct manage_change *change, const struct user *user,
                                       struct str password_hash) TWOLEG_MUST_CHECK;
enum twoleg_error manage_user_disable(struct manage_change *change,
                                      const struct user *user) TWOLEG_MUST_CHECK;
// Tokens from before stay dead unless keep_tokens.
enum twoleg_error manage_user_enable(struct manage_change *change, const struct user *user,
                                     bool keep_tokens) TWOLEG_MUST_CHECK;
// For ever: the number is never used again; the name is free for another user.
enum twoleg_error manage_user_delete(struct manage_change *change,
                                     const struct user *user) TWOLEG_MUST_CHECK;

// Ends all refresh tokens of a family, and unless alone the access tokens that came with them. The
// application is the family's; NULL when it is gone.
struct manage_refresh_end {
    enum event event; // EVENT_REFRESH_REVOKE or EVENT_REFRESH_REUSE
    bool alone;
};
enum twoleg_error manage_refresh_revoke(struct manage_change *change,
                                        const struct manage_refresh_end *end,
                                        const struct refresh_family *family,
                                        const struct application *application) TWOLEG_MUST_CHECK;
