// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

struct str event_word(enum event event)
{
    static const struct str words[] = {
#define EVENT(name, word) {word, sizeof word - 1},
#include "model/events.def"
#undef EVENT
    };
    return event < EVENTS ? words[event] : STR("unknown");
}
