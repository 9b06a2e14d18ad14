// SPDX-License-Identifier: Apache-2.0
// Which line of the source refused: for the log alone, never for the client. A refusal is written
// `return REFUSE(TWOLEG_...)`; whoever logs it asks for the place of the last one on this thread.
#pragma once
#include "base/error.h"

struct refusal {
    enum twoleg_error error;
    const char *file; // without its folders
    int line;
};

void refusal_note(enum twoleg_error error, const char *file, int line);
#define REFUSE(error) (refusal_note((error), __FILE__, __LINE__), (enum twoleg_error)(error))

// The place where this error was last decided on this thread; file "" when the last
// refusal was another one (it came from below, where errors are only passed on).
struct refusal refusal_of(enum twoleg_error error);
