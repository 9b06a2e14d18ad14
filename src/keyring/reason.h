// SPDX-License-Identifier: Apache-2.0
// Inside of keyring/ only: words for the person who starts the server.
#pragma once
#include "base/error.h"

// Writes the words, cut at their end where they do not fit, and returns the error.
enum twoleg_error reason_set(char reason[static 512], enum twoleg_error error, const char *format,
                             ...) __attribute__((format(printf, 3, 4)));
