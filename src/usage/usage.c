// SPDX-License-Identifier: Apache-2.0
#include "usage/usage.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fault.h"

#define USAGE_ENTRIES 4096u // of one half, a power of two
#define USAGE_PROBES 16u    // looked at before a newcomer is dropped: two cache lines of keys
#define USAGE_VERBS_MAX 1000u

struct usage_entry {
    uint64_t application;
    uint64_t count;
    int64_t used_us;
    struct address client;
};

// The keys apart from what they lead to: a full table is searched for every newcomer.
struct usage_half {
    uint64_t secrets[USAGE_ENTRIES]; // 0 = empty
    struct usage_entry entries[USAGE_ENTRIES];
};

// The worker writes into one half; the flushing thread empties the other, and swaps them once it is
// empty. busy tells it whether the worker is still inside the half that it has just taken away.
struct usage {
    atomic_bool busy;
    _Atomic unsigned active; // the worker's half: 0 or 1
    char apart[64];          // the worker's cache line is not the flushing thread's
    unsigned at;             // entries of the other half that were looked at
    struct usage_half halves[2];
};

struct usage *usage_create(void)
{
    // From calloc: so large that its pages come zeroed from the system, and cost no memory until
    // they are used.
    struct usage *usage = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *usage);
    if (usage)
        usage->at = USAGE_ENTRIES;
    return usage;
}

void usage_destroy(struct usage *usage)
{
    free(usage);
}

// The secret's entry, which may be a new one; NULL when there is no room.
static struct usage_entry *usage_find(struct usage_half *half, uint64_t secret)
{
    uint64_t home = secret * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    for (uint64_t i = 0; i < USAGE_PROBES; i++) {
        size_t at = (home + i) & (USAGE_ENTRIES - 1);
        if (half->secrets[at] && half->secrets[at] != secret)
            continue;
        half->secrets[at] = secret;
        return &half->entries[at];
    }
    return NULL;
}

void usage_note(struct usage *usage, uint64_t application, uint64_t secret, struct address client,
                int64_t now_us)
{
    // Sequentially consistent: either the flushing thread sees busy, or we see its swap.
    atomic_store(&usage->busy, true);
    struct usage_entry *entry = usage_find(&usage->halves[atomic_load(&usage->active)], secret);
    if (entry) {
        entry->application = application;
        entry->client = client;
        entry->used_us = entry->used_us > now_us ? entry->used_us : now_us;
        entry->count++;
    }
    atomic_store_explicit(&usage->busy, false, memory_order_release);
}

static void usage_verb(uint64_t secret, const struct usage_entry *entry,
                       struct store_batch *batch)
{
    char text[ADDRESS_TEXT_MAX];
    struct buf address;
    buf_init(&address, text, sizeof text);
    address_format(&address, &entry->client);
    struct store_verb *verb = store_batch_add(batch, VERB_SECRET_USED, STORE_OPERATOR);
    verb->used.application = entry->application;
    verb->used.number = secret;
    verb->used.used_us = entry->used_us;
    verb->used.count = entry->count;
    verb->used.address = store_batch_copy(batch, buf_str(&address));
}

static void usage_take(struct usage *usage)
{
    unsigned fresh = 1 - atomic_load_explicit(&usage->active, memory_order_relaxed);
    atomic_store(&usage->active, fresh);
    // A note takes some nanoseconds; it is longer only when the worker was interrupted in one.
    while (atomic_load(&usage->busy))
        sched_yield();
    usage->at = 0;
}

// Goes on in the half that was taken last.
static size_t usage_empty(struct usage *usage, size_t room, struct store_batch *batch)
{
    size_t written = 0;
    struct usage_half *half =
        &usage->halves[1 - atomic_load_explicit(&usage->active, memory_order_relaxed)];
    for (; usage->at < USAGE_ENTRIES && written < room; usage->at++) {
        struct usage_entry *entry = &half->entries[usage->at];
        if (half->secrets[usage->at] == 0)
            continue;
        usage_verb(half->secrets[usage->at], entry, batch);
        half->secrets[usage->at] = 0;
        *entry = (struct usage_entry){0};
        written++;
    }
    return written;
}

static size_t usage_drain(struct usage *usage, size_t room, struct store_batch *batch)
{
    size_t written = usage_empty(usage, room, batch);
    if (usage->at < USAGE_ENTRIES)
        return written;
    usage_take(usage);
    return written + usage_empty(usage, room - written, batch);
}

bool usage_flush(struct usage *const *workers, size_t count, struct store_batch *batch)
{
    size_t written = 0;
    for (size_t i = 0; i < count && written < USAGE_VERBS_MAX; i++)
        written += usage_drain(workers[i], USAGE_VERBS_MAX - written, batch);
    return written > 0;
}
