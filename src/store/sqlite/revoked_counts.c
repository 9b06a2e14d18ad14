// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/revoked_counts.h"

#include <stdlib.h>

#include "base/fault.h"

#define REVOKED_COUNTS_FIRST ((size_t)64)

// Numbers are random, so their low bits spread by themselves. There is always a free place.
static struct revoked_count *counts_place(const struct revoked_counts *counts,
                                          uint64_t application)
{
    size_t at = application & (counts->size - 1);
    while (counts->items[at].application && counts->items[at].application != application)
        at = (at + 1) & (counts->size - 1);
    return &counts->items[at];
}

static bool counts_grow(struct revoked_counts *counts)
{
    struct revoked_counts wider = {.size = counts->size ? 2 * counts->size : REVOKED_COUNTS_FIRST,
                                   .used = counts->used};
    wider.items = fault_here(FAULT_MEMORY) ? NULL : calloc(wider.size, sizeof *wider.items);
    if (!wider.items)
        return false;
    for (size_t i = 0; i < counts->size; i++)
        if (counts->items[i].application)
            *counts_place(&wider, counts->items[i].application) = counts->items[i];
    free(counts->items);
    *counts = wider;
    return true;
}

struct revoked_count *revoked_counts_find(struct revoked_counts *counts, uint64_t application)
{
    const struct revoked_count fresh = {.application = application, .live = -1, .kept = -1};
    if (counts->single.application == application)
        return &counts->single;
    struct revoked_count *found = counts->items ? counts_place(counts, application) : NULL;
    if (found && found->application)
        return found;
    if (4 * (counts->used + 1) > 3 * counts->size) {
        if (counts->size == REVOKED_COUNTS_MAX)
            revoked_counts_clear(counts);
        if (!counts_grow(counts)) {
            counts->single = fresh;
            return &counts->single;
        }
        found = counts_place(counts, application);
    }
    counts->used++;
    *found = fresh;
    return found;
}

void revoked_counts_clear(struct revoked_counts *counts)
{
    free(counts->items);
    *counts = (struct revoked_counts){0};
}
