// SPDX-License-Identifier: Apache-2.0
// Changes to APIs and the scopes they declare.
#pragma once
#include "manage/access.h"

struct manage_api_new {
    uint64_t number;  // random, from the caller
    uint64_t account; // 0: the default API's
    struct str identifier;
    struct str name;   // empty: the identifier
    struct str scopes; // in any order
    struct str algorithm;        // of its JWTs
    const struct store_key *key; // the first one of this algorithm; NULL: there is one
    struct str key_guard;        // with a key: a wrapped one that must still be there; copied
};

enum twoleg_error manage_api_create(struct manage_change *change, const struct api_set *apis,
                                    const struct manage_api_new *request,
                                    struct api **ret_api) TWOLEG_MUST_CHECK;

// identifier empty: the default API. NOT_FOUND.
enum twoleg_error manage_api_find(struct manage_change *change, const struct api_set *apis,
                                  struct str identifier,
                                  const struct api **ret_api) TWOLEG_MUST_CHECK;
// CONFLICT: it declares the scope already.
enum twoleg_error manage_scope_add(struct manage_change *change, const struct api *api,
                                   struct str name) TWOLEG_MUST_CHECK;
// Every application loses it, and so do tokens already out. NOT_FOUND.
enum twoleg_error manage_scope_remove(struct manage_change *change, const struct api *api,
                                      struct str name) TWOLEG_MUST_CHECK;
