// SPDX-License-Identifier: Apache-2.0
// Authorization: Basic (RFC 7617, used by RFC 6749 2.3.1).
#pragma once
#include "base/arena.h"
#include "base/error.h"

// header: the field's value. Gives id and secret as sent, split at the first colon; percent
// decoding is the caller's decision. They lie in the arena, whose owner decides about wiping it.
// CLIENT_MISSING: no header or another scheme. CLIENT_MALFORMED: bad base64, no colon, empty id, a
// control character (RFC 7617 2). NO_MEMORY. An empty secret is no error here.
TWOLEG_MUST_CHECK
enum twoleg_error basic_parse(struct str header, struct arena *arena, struct str *ret_id,
                              struct str *ret_secret);
// The same without the blanks, tabs and line ends behind the secret: they are there when somebody
// encoded a line of text (T5). The secret may be empty then.
TWOLEG_MUST_CHECK
enum twoleg_error basic_parse_trimmed(struct str header, struct arena *arena, struct str *ret_id,
                                      struct str *ret_secret);
