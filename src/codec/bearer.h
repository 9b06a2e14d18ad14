// SPDX-License-Identifier: Apache-2.0
// Authorization: Bearer TOKEN (RFC 6750 section 2.1), or whatever scheme a caller's world has.
#pragma once
#include "base/error.h"
#include "base/str.h"

#define BEARER_BARE STR("none") // the header holds the token alone

struct bearer_schemes {
    const struct str *names; // case does not matter; BEARER_BARE may be one
    size_t count;
    bool one_blank; // between scheme and token, else one or more
};

// The token is any run of visible ASCII: its form is somebody else's question (threat T9).
// TOKEN_ABSENT: no such header, or another scheme. TOKEN_MALFORMED.
enum twoleg_error bearer_parse(struct str header, const struct bearer_schemes *schemes,
                               struct str *ret_token) TWOLEG_MUST_CHECK;
