// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "http/refusal.h"

// Origin form, or absolute form with an authority, else STR_NONE. "*" is its own path. Views of
// target.
enum http_refusal http_target_split(struct str target, struct str *ret_path, struct str *ret_query,
                                    struct str *ret_authority);

// There is no normalisation here: a path has one spelling or is 404 (threat A22). Not canonical
// are empty segments ("//"), dot segments, a malformed percent, and percent-encoded bytes that
// would change the path's meaning: NUL, '.', '/', '\' and '%'. Other percent-encoded bytes may
// stand where a route has {} or {*}; the handler gets them raw and decodes them as data.
bool http_path_is_canonical(struct str path);
