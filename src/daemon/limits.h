// SPDX-License-Identifier: Apache-2.0
// File descriptors: enough of them for the connections, and some that no connection can take.
#pragma once
#include "base/error.h"
#include "config/config.h"

// Raises the process's limit as far as max_connections needs and the hard limit lets it. Where that
// is too low, max_connections becomes less, with a line in the log: store, log and listeners must
// not starve. TWOLEG_REFUSED, in words: it is too low to serve anybody.
enum twoleg_error limits_raise(struct config *config,
                               char ret_reason[static 512]) TWOLEG_MUST_CHECK;
