// SPDX-License-Identifier: Apache-2.0
// File descriptors: enough of them for the connections, and some that no connection can take; and
// locked memory.
#pragma once
#include "base/error.h"
#include "config/config.h"

// Raises the process's limits as far as the hard ones let it, since a server that is locked in can
// do so no more when a reload asks for more connections or keys; then as limits_fit.
enum twoleg_error limits_raise(struct config *config,
                               char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Where the limit is too low for max_connections, these become less, with a line in the log: store,
// log and listeners must not starve. TWOLEG_REFUSED, in words: it is too low to serve anybody.
enum twoleg_error limits_fit(struct config *config,
                             char ret_reason[static 512]) TWOLEG_MUST_CHECK;
