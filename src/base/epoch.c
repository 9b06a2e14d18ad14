// SPDX-License-Identifier: Apache-2.0
#include "base/epoch.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct epoch_retired {
    struct epoch_retired *next;
    void *object;
    void (*destroy)(void *object);
    uint64_t at;
};

void epoch_init(struct epoch *epoch)
{
    memset(epoch, 0, sizeof *epoch);
    atomic_store(&epoch->now, 1);
    for (unsigned i = 0; i < EPOCH_READERS; i++)
        atomic_store(&epoch->readers[i].seen, EPOCH_IDLE);
}

void epoch_finish(struct epoch *epoch)
{
    while (epoch->retired) {
        struct epoch_retired *each = epoch->retired;
        epoch->retired = each->next;
        each->destroy(each->object);
        free(each);
    }
    epoch->retired_count = 0;
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
    // Sequentially consistent: the announcement is visible before any pointer is read.
    atomic_store(&epoch->readers[reader].seen, atomic_load(&epoch->now));
}

void epoch_pass(struct epoch *epoch, unsigned reader)
{
    // Same epoch as announced: nothing was retired since, so there is nothing to let go of. It
    // spares the fence on most loop turns.
    uint64_t seen = atomic_load_explicit(&epoch->readers[reader].seen, memory_order_relaxed);
    if (seen != atomic_load_explicit(&epoch->now, memory_order_acquire))
        epoch_enter(epoch, reader);
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

void epoch_collect(struct epoch *epoch)
{
    uint64_t oldest = epoch_oldest(epoch);
    struct epoch_retired **at = &epoch->retired;
    while (*at) {
        struct epoch_retired *each = *at;
        if (each->at >= oldest) {
            at = &each->next;
            continue;
        }
        *at = each->next;
        epoch->retired_count--;
        each->destroy(each->object);
        free(each);
    }
}

void epoch_retire(struct epoch *epoch, void *object, void (*destroy)(void *object))
{
    if (!object)
        return;
    // A reader that announces the new epoch started after the object was out of reach.
    uint64_t at = atomic_fetch_add(&epoch->now, 1);
    struct epoch_retired *each = malloc(sizeof *each);
    if (!each) {
        while (epoch_oldest(epoch) <= at)
            sched_yield();
        destroy(object);
        return;
    }
    *each = (struct epoch_retired){epoch->retired, object, destroy, at};
    epoch->retired = each;
    epoch->retired_count++;
    // Amortised: a scan for every 32 retired keeps the list short without a scan for each.
    if (epoch->retired_count % 32 == 0)
        epoch_collect(epoch);
}
