// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: where OpenSSL takes its randomness from.
#pragma once
#include <stdbool.h>

// Makes getrandom(2) its only source, read 4 KiB at a time per thread. False when it refuses.
bool random_install(void);

// Whether this thread's source has failed since the last call of this function.
bool random_has_failed(void);
