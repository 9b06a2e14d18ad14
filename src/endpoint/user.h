// SPDX-License-Identifier: Apache-2.0
// Users at the token endpoint: looked up in the store, which holds what the registry has no room
// for, and their passwords compared on the pool.
#pragma once
#include "endpoint/server.h"

// What a look into the store has found: good as long as the request.
struct user_found {
    const struct user *user;             // NULL: there is none
    const struct refresh_family *family; // of a look for one; NULL: there is none
    uint64_t new_family; // of a look by name: what may be the number of one that begins here. Drawn
                         // once, so that each run of the request's handler has the same
};

// By name. The first call of a request starts the look (TWOLEG_WAIT).
enum twoleg_error user_look_name(struct http_request *request, uint64_t account,
                                 struct str username,
                                 struct user_found *ret_found) TWOLEG_MUST_CHECK;
// By a family of refresh tokens. again: what the last look has found is no longer so.
enum twoleg_error user_look_family(struct http_request *request, uint64_t family, bool again,
                                   struct user_found *ret_found) TWOLEG_MUST_CHECK;

// RFC 6749 section 4.3.2: the user whose name and password these are. An unknown name and a wrong
// password cost the same and are told apart by the log only. TWOLEG_PASSWORDS with ret_retry_us.
enum twoleg_error endpoint_user(struct http_request *request, const struct token_request *form,
                                const struct client *client, struct user_found *ret_found,
                                int64_t *ret_retry_us) TWOLEG_MUST_CHECK;
// Is this user, as it was read, good now?
enum twoleg_error endpoint_user_good(const struct http_request *request, const struct user *user,
                                     uint64_t generation) TWOLEG_MUST_CHECK;
