// SPDX-License-Identifier: Apache-2.0
// A secret typed at a terminal.
#pragma once
#include <stddef.h>
#include <sys/types.h>

// Asks on standard error and reads one line from the terminal on standard input, without echo; the
// length, line end and all, or -1 with errno. However it ends, by a signal too, the terminal is as
// it was.
ssize_t secret_prompt(char *text, size_t size);
