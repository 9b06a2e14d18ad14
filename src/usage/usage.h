// SPDX-License-Identifier: Apache-2.0
// Last-used time, address and count of secrets: noted by each worker in a table of its own, taken
// every few seconds by one thread and written in a batch. May lose seconds in a crash, never more.
#pragma once
#include "base/error.h"
#include "codec/address.h"
#include "store/store.h"

struct usage; // of one worker

struct usage *usage_create(void); // NULL without memory
void usage_destroy(struct usage *usage);
// On the worker's thread; never blocks, never allocates: a full table drops the newcomer's note.
void usage_note(struct usage *usage, uint64_t application, uint64_t secret, struct address client,
                int64_t now_us);
// On the flushing thread: takes what was noted since the last call and appends VERB_SECRET_USED
// verbs (account STORE_OPERATOR), at most 1000 in all batches of a call. False: there was nothing.
bool usage_flush(struct usage *const *workers, size_t count, struct store_batch *batch);
