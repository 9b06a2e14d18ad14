// SPDX-License-Identifier: Apache-2.0
#pragma once

enum twoleg_error {
#define ERROR(name, text) TWOLEG_##name,
#include "base/errors.def"
#undef ERROR
    TWOLEG_ERRORS
};

// For people; static text. The name is the enum's without its prefix, for logs.
const char *twoleg_error_text(enum twoleg_error error);
const char *twoleg_error_name(enum twoleg_error error);

#define TWOLEG_MUST_CHECK __attribute__((warn_unused_result))
