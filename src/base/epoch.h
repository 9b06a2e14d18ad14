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

// The first member of every object that is retired: what the list needs is there from the object's
// beginning, so that nothing can be lost when memory is out.
struct epoch_note {
    struct epoch_note *next;
    void (*destroy)(void *object);
    uint64_t at;
};

struct epoch {
    _Atomic uint64_t now;
    struct {
        _Alignas(64) _Atomic uint64_t seen; // EPOCH_IDLE while the reader holds nothing
    } readers[EPOCH_READERS];
    atomic_uint reader_count;
    pthread_mutex_t lock; // of the list: writers of several tables share one epoch
    struct epoch_note *retired;
    size_t retired_count;
};

void epoch_init(struct epoch *epoch);
void epoch_finish(struct epoch *epoch); // no reader may be left; frees all that was retired

// Readers: one slot per thread. Between epoch_enter and epoch_leave pointers may be held; to enter
// once more forgets everything read before.
bool epoch_register(struct epoch *epoch, unsigned *ret_reader);
void epoch_enter(struct epoch *epoch, unsigned reader);
void epoch_leave(struct epoch *epoch, unsigned reader);

// Writers, any thread: takes ownership of the object that begins with the note, which no new reader
// can reach any more. Frees what has become unreachable on the way; destroy must not retire
// anything itself. NULL is fine.
void epoch_retire(struct epoch *epoch, struct epoch_note *note, void (*destroy)(void *object));
void epoch_collect(struct epoch *epoch);
