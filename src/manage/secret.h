// SPDX-License-Identifier: Apache-2.0
// Client secrets: made here or brought, added, removed.
#pragma once
#include "manage/change.h"

#define SECRET_RANDOM 32 // bytes: 256 bits
#define SECRET_LABEL_MAX 128

// PREFIX + 43 letters and digits + a checksum of 6 over all before it. NO_RANDOM; NO_MEMORY when
// the buffer is too small.
enum twoleg_error manage_secret_generate(struct env *env, struct str prefix,
                                         struct buf *out) TWOLEG_MUST_CHECK;
// Of a brought secret: any visible ASCII up to SECRET_MAX, with blanks inside.
enum twoleg_error manage_secret_check(struct manage_change *change,
                                      struct str text) TWOLEG_MUST_CHECK;
// Long enough to be kept under a keyed hash; a shorter one needs a slow one.
bool manage_secret_is_long(struct str text);

// Not expired; one that is not valid yet counts as live.
bool manage_secret_live(const struct secret *secret, int64_t now_us);

// LIMIT: SECRETS_LIVE_MAX are live, or SECRETS_KEPT_MAX there. The secret comes in its stored form.
// expected: the application's version that this was decided from; 0: it holds for any.
enum twoleg_error manage_secret_add(struct manage_change *change,
                                    const struct application *application,
                                    const struct secret *secret,
                                    uint64_t expected) TWOLEG_MUST_CHECK;
// Tokens issued with it live on unless revoke_tokens. NOT_FOUND.
enum twoleg_error manage_secret_remove(struct manage_change *change,
                                       const struct application *application, uint64_t number,
                                       bool revoke_tokens) TWOLEG_MUST_CHECK;
