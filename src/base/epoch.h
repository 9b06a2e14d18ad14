// SPDX-License-Identifier: Apache-2.0
// Reclamation without locks for readers: a reader announces a quiescent point each loop turn, and a
// replaced object is freed once every reader has passed one since it was replaced.
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EPOCH_READERS 64
#define EPOCH_IDLE UINT64_MAX

struct epoch_retired;

struct epoch {
    _Atomic uint64_t now;
    struct {
        _Alignas(64) _Atomic uint64_t seen; // EPOCH_IDLE while the reader holds nothing
    } readers[EPOCH_READERS];
    atomic_uint reader_count;
    pthread_mutex_t lock; // of the list: writers of several tables share one epoch
    struct epoch_retired *retired;
    size_t retired_count;
};

void epoch_init(struct epoch *epoch);
void epoch_finish(struct epoch *epoch); // no reader may be left; frees all that was retired

// Readers: one slot per thread. Between epoch_enter and epoch_leave pointers may be held;
// epoch_pass is leave + enter: everything read before is forgotten.
bool epoch_register(struct epoch *epoch, unsigned *ret_reader);
void epoch_enter(struct epoch *epoch, unsigned reader);
void epoch_pass(struct epoch *epoch, unsigned reader);
void epoch_leave(struct epoch *epoch, unsigned reader);

// Writers, any thread: takes ownership of object, which no new reader can reach any more. Frees
// what has become unreachable on the way; destroy must not retire anything itself. Without memory
// for the note the object is leaked: waiting for readers could wait for one that waits for our
// caller.
void epoch_retire(struct epoch *epoch, void *object, void (*destroy)(void *object));
void epoch_collect(struct epoch *epoch);
