// SPDX-License-Identifier: Apache-2.0
// Which line of the source refused: for the log alone, never for the client. A refusal is written
// `return REFUSE(TWOLEG_...)`; whoever logs it asks for the place of the last one on this thread.
#pragma once
#include "base/error.h"

enum cap {
    CAP_NONE,
#define CAP(name, word) CAP_##name,
#include "base/caps.def"
#undef CAP
    CAPS
};
const char *cap_word(enum cap cap); // static; not of CAP_NONE

struct refusal {
    enum twoleg_error error;
    const char *file; // without its folders
    int line;
    enum cap cap; // which one was reached, when the error is OVERLOADED
};

void refusal_note(enum twoleg_error error, const char *file, int line);
#define REFUSE(error) (refusal_note((error), __FILE__, __LINE__), (enum twoleg_error)(error))
void refusal_note_cap(enum cap cap, const char *file, int line);
#define REFUSE_FULL(cap)                                                                          \
    (refusal_note_cap((cap), __FILE__, __LINE__), (enum twoleg_error)TWOLEG_OVERLOADED)
// An error that came from another thread, or from below: OVERLOADED is that cap's.
static inline enum twoleg_error refusal_of_cap(enum twoleg_error error, enum cap cap,
                                               const char *file, int line)
{
    if (error == TWOLEG_OVERLOADED)
        refusal_note_cap(cap, file, line);
    return error;
}
#define REFUSED_BY(error, cap) refusal_of_cap((error), (cap), __FILE__, __LINE__)

// The place where this error was last decided on this thread; file "" when the last
// refusal was another one (it came from below, where errors are only passed on).
struct refusal refusal_of(enum twoleg_error error);
