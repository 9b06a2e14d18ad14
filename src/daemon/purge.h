// SPDX-License-Identifier: Apache-2.0
// When revocations may be forgotten and expired logins removed, and rows of reference tokens, which
// is less delicate. An acknowledged revocation must not come to life again because the clock was
// wrong for a while, also across a restart, nor a login be lost by that, so the clock of one moment
// decides nothing: what had expired at a moment that is noted is forgotten a day of counted time
// later, if the wall clock has gone the same way since. The note is kept in the store, so that a
// server that never runs for a whole day comes there too; time between two lives is not counted.
#pragma once
#include "base/buf.h"
#include "base/env.h"

#define PURGE_TEXT_MAX 64

struct purge {
    int64_t pace_us; // 0: a day. Also how long ago what is forgotten had expired at the note
    bool noted;
    int64_t before_s; // what is to be forgotten: had expired that long before the note
    int64_t counted_us; // since the note, in earlier lives
    int64_t now_us, boot_us; // of the note, or of this life's beginning
};

// True once in that time: what expired before may be forgotten. Zeroed memory is a new one.
bool purge_due(struct purge *purge, const struct env *env, int64_t *ret_before_s);

// The note as it is now, for a later life; nothing is written while there is none.
void purge_write(const struct purge *purge, const struct env *env, struct buf *out);
// Goes on from a note; one from the future, or that is none, is as good as none.
void purge_read(struct purge *purge, const struct env *env, struct str text);
