// SPDX-License-Identifier: Apache-2.0
// When revocations may be forgotten. An acknowledged one must not come to life again because the
// clock was wrong for a while, also across a restart, so the clock of one moment decides nothing:
// what had expired at a moment that is noted is forgotten a day of counted time later, if the wall
// clock has gone the same way since.
#pragma once
#include "base/env.h"

struct purge {
    bool noted;
    int64_t before_s; // what is to be forgotten: had expired a day before the note
    int64_t now_us, boot_us; // of the note
};

// True once a day: what expired before may be forgotten. Zeroed memory is a new one.
bool purge_due(struct purge *purge, const struct env *env, int64_t *ret_before_s);
