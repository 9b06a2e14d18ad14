// SPDX-License-Identifier: Apache-2.0
#include "base/refusal.h"

#include <string.h>

static _Thread_local struct refusal refusal_last;

void refusal_note(enum twoleg_error error, const char *file, int line)
{
    refusal_last = (struct refusal){error, file, line, CAP_NONE};
}

void refusal_note_cap(enum cap cap, const char *file, int line)
{
    refusal_last = (struct refusal){TWOLEG_OVERLOADED, file, line, cap};
}

const char *cap_word(enum cap cap)
{
    static const char *const words[CAPS] = {
#define CAP(name, word) [CAP_##name] = word,
#include "base/caps.def"
#undef CAP
    };
    return words[cap];
}

struct refusal refusal_of(enum twoleg_error error)
{
    struct refusal refusal = refusal_last;
    if (refusal.error != error || !refusal.file)
        return (struct refusal){error, "", 0, CAP_NONE};
    const char *slash = strrchr(refusal.file, '/');
    refusal.file = slash ? slash + 1 : refusal.file;
    return refusal;
}
