// SPDX-License-Identifier: Apache-2.0
// Authorization: Bearer (RFC 6750 2.1), wider than its b64token: tokens of existing APIs hold any
// visible ASCII character.
#pragma once
#include "base/error.h"
#include "base/str.h"

// header: the field's value; the token is a view into it. The scheme in any case, exactly one
// blank, then visible ASCII only. TOKEN_ABSENT: no header or another scheme. TOKEN_MALFORMED.
TWOLEG_MUST_CHECK
enum twoleg_error bearer_parse(struct str header, struct str *ret_token);
