// SPDX-License-Identifier: Apache-2.0
// What an application may do with which API, worked out from what a person wrote: audiences, served
// APIs and one list of scopes.
#pragma once
#include "manage/change.h"

#define API_SCOPE_TEXT_MAX ((size_t)16 * 1024) // all that one API declares, as text

struct manage_texts {
    const struct str *items;
    size_t count;
};

struct manage_access_request {
    struct manage_texts audience; // identifiers it may ask tokens for; none: the default API
    struct manage_texts serves;   // identifiers whose resource server it is
    bool resource_server;         // serves what the audience names, too
    struct str scope;             // in any order
};

// A scope that no API of the audience had.
struct manage_declared {
    uint64_t api;
    struct str identifier; // the API's
    struct str name;
};

struct manage_access {
    struct application_api *apis;
    size_t api_count;
    struct manage_declared *declared;
    size_t declared_count;
};

// A scope belongs to each API of the audience that declares it; one that none declares will be
// declared by the first (manage_access_declare). All results live in the batch. NOT_FOUND: an
// identifier names no API; SCOPE_MALFORMED; TOO_LONG; LIMIT; NO_MEMORY.
enum twoleg_error manage_access_resolve(struct manage_change *change, const struct api_set *apis,
                                        const struct manage_access_request *request,
                                        struct manage_access *ret_access) TWOLEG_MUST_CHECK;
// Adds a verb for each declared scope.
void manage_access_declare(struct manage_change *change, const struct manage_access *access);

// The scopes it may ask for, over all APIs, each word once.
struct str manage_access_scope(struct arena *arena, const struct application_api *apis,
                               size_t count);
