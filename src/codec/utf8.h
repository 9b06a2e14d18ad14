// SPDX-License-Identifier: Apache-2.0
// Which bytes may stand in a text: UTF-8 (RFC 3629) and the alphabets of RFC 6749.
#pragma once
#include "base/str.h"

// Length (1 to 4) of the well-formed sequence that starts the text; 0 when there is none: overlong
// forms, surrogates, code points above U+10FFFF and cut sequences are not well-formed.
size_t utf8_sequence(struct str text);

bool utf8_valid(struct str text);

// UTF-8 without the control characters of ASCII.
bool text_is_plain(struct str text);

// One or more bytes 0x21 to 0x7e: no blank, no control, nothing beyond ASCII. Empty is false.
bool text_is_visible_ascii(struct str text);

// scope-token of RFC 6749 3.3: visible ASCII but `"` and `\`. Empty is false.
bool text_is_scope_token(struct str text);
