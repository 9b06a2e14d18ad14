// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/str.h"

enum event {
#define EVENT(name, word) EVENT_##name,
#include "model/events.def"
#undef EVENT
    EVENTS
};

struct str event_word(enum event event);
