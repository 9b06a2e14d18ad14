// SPDX-License-Identifier: Apache-2.0
// An API (audience). There are few of them, and requests read them all: one immutable set.
#pragma once
#include "base/str.h"

#define API_IDENTIFIER_MAX 512

struct api {
    uint64_t number;
    uint64_t account;
    uint64_t version;
    struct str identifier; // an absolute URI without a fragment (RFC 8707 section 2)
    struct str name;
    struct str algorithm; // of its JWTs, RFC 7518 3.1 "alg"
    struct str scopes;    // all it declares: words in ascending order
    bool is_default;      // identified by the issuer
    int64_t created_us;
};

struct api_set {
    const struct api *apis;
    size_t count;
};

const struct api *api_set_find(const struct api_set *set, uint64_t number);
const struct api *api_set_find_identifier(const struct api_set *set, struct str identifier);
const struct api *api_set_default(const struct api_set *set);
// An absolute http, https, urn or api URI without fragment, within the limit.
bool api_identifier_valid(struct str identifier);
