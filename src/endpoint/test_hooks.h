// SPDX-License-Identifier: Apache-2.0
// Routes on the admin door by which tests move the clock, hold threads at stop points, make calls
// fail and drop checks of the gate. They are not compiled into release.
#pragma once
#include "http/http.h"

#ifdef TWOLEG_TEST_HOOKS
http_handler test_hook_clock;  // {"offset_us": N}
http_handler test_hook_stop;   // {"point": "...", "act": "hold" | "release" | "waiting"}
http_handler test_hook_fault;  // {"kind": "memory" | ..., "nth": N, "sticky": bool}
http_handler test_hook_keys;   // the turn of the housekeeper that rotates keys
http_handler test_hook_mutant; // {"check": "..."}, "" restores all
#endif
