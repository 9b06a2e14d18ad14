// SPDX-License-Identifier: Apache-2.0
// The thread that writes the log: each thread that logs often has a ring, and is never held up.
#pragma once
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"

// Writes to standard error from now on. One at a time in a process.
enum twoleg_error logger_start(void) TWOLEG_MUST_CHECK;
// Gives the calling thread a ring. Without one, its lines are written at once.
enum twoleg_error logger_join(void) TWOLEG_MUST_CHECK;
// Writes what is left; what nobody reads within a second is dropped and counted. No thread may log
// through a ring any more.
void logger_stop(void);
