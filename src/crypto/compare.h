// SPDX-License-Identifier: Apache-2.0
// The one constant-time comparison of the project. A lint greps that secrets are compared nowhere
// else.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

// The time depends on len only. A length of 0 is equal: whoever takes a length from input must
// refuse the empty one itself.
TWOLEG_MUST_CHECK bool secret_equal(const void *a, const void *b, size_t len);
