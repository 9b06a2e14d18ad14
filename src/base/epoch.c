// SPDX-License-Identifier: Apache-2.0
#include "base/epoch.h"

#include <string.h>

// ThreadSanitizer does not know fences and gcc refuses them under it; there x86 is enough.
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define EPOCH_FENCE() ((void)0)
#else
#define EPOCH_FENCE() atomic_thread_fence(memory_order_seq_cst)
#endif

void epoch_init(struct epoch *epoch)
{
    memset(epoch, 0, sizeof *epoch);
    pthread_mutex_init(&epoch->lock, NULL);
    atomic_store(&epoch->now, 1);
    for (unsigned i = 0; i < EPOCH_READERS; i++)
        atomic_store(&epoch->readers[i].seen, EPOCH_IDLE);
}

static void epoch_free(struct epoch_note *list)
{
    while (list) {
        struct epoch_note *each = list;
        list = each->next;
        each->destroy(each);
    }
}

void epoch_finish(struct epoch *epoch)
{
    epoch_free(epoch->retired);
    epoch->retired = NULL;
    epoch->retired_count = 0;
    pthread_mutex_destroy(&epoch->lock);
}

bool epoch_register(struct epoch *epoch, unsigned *ret_reader)
{
    unsigned reader = atomic_fetch_add(&epoch->reader_count, 1);
    if (reader >= EPOCH_READERS)
        return false;
    *ret_reader = reader;
    return true;
}

void epoch_enter(struct epoch *epoch, unsigned reader)
{
    // The announcement is visible before any pointer is read. The fence is what orders it before
    // plain acquire loads on processors weaker than x86.
    atomic_store(&epoch->readers[reader].seen, atomic_load(&epoch->now));
    EPOCH_FENCE();
}

void epoch_leave(struct epoch *epoch, unsigned reader)
{
    atomic_store_explicit(&epoch->readers[reader].seen, EPOCH_IDLE, memory_order_release);
}

static uint64_t epoch_oldest(struct epoch *epoch)
{
    uint64_t oldest = EPOCH_IDLE;
    unsigned count = atomic_load(&epoch->reader_count);
    for (unsigned i = 0; i < count && i < EPOCH_READERS; i++) {
        uint64_t seen = atomic_load(&epoch->readers[i].seen);
        oldest = seen < oldest ? seen : oldest;
    }
    return oldest;
}

// Under the lock: takes those out of the list that no reader can hold any more.
static struct epoch_note *epoch_unreachable(struct epoch *epoch)
{
    uint64_t oldest = epoch_oldest(epoch);
    struct epoch_note *unreachable = NULL;
    struct epoch_note **at = &epoch->retired;
    while (*at) {
        struct epoch_note *each = *at;
        if (each->at >= oldest) {
            at = &each->next;
            continue;
        }
        *at = each->next;
        epoch->retired_count--;
        each->next = unreachable;
        unreachable = each;
    }
    return unreachable;
}

void epoch_collect(struct epoch *epoch)
{
    pthread_mutex_lock(&epoch->lock);
    struct epoch_note *unreachable = epoch_unreachable(epoch);
    pthread_mutex_unlock(&epoch->lock);
    epoch_free(unreachable);
}

void epoch_retire(struct epoch *epoch, struct epoch_note *note, void (*destroy)(void *object))
{
    if (!note)
        return;
    // A reader that announces the new epoch started after the object was out of reach.
    uint64_t at = atomic_fetch_add(&epoch->now, 1);
    pthread_mutex_lock(&epoch->lock);
    *note = (struct epoch_note){epoch->retired, destroy, at};
    epoch->retired = note;
    epoch->retired_count++;
    // Amortised: a scan for every 32 retired keeps the list short without a scan for each.
    struct epoch_note *unreachable = NULL;
    if (epoch->retired_count % 32 == 0)
        unreachable = epoch_unreachable(epoch);
    pthread_mutex_unlock(&epoch->lock);
    epoch_free(unreachable);
}
