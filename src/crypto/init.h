// SPDX-License-Identifier: Apache-2.0
// Start of the crypto libraries.
#pragma once
#include "base/error.h"

// Called once by main before any other function of crypto/, in a process with one thread. Reads no
// configuration file of OpenSSL and registers nothing at exit. INTERNAL: a library did not start;
// NO_RANDOM: the system gave it no randomness.
TWOLEG_MUST_CHECK enum twoleg_error crypto_init(void);
