// SPDX-License-Identifier: Apache-2.0
// How many reference tokens there are. To count them takes as long as it takes to read them, so
// they are counted once, and then by what comes and goes.
#include <stdlib.h>

#include "base/fault.h"
#include "store/sqlite/state.h"

void figures_note(struct store *store, const struct store_batch *batches)
{
    struct figures *figures = &store->figures;
    for (const struct store_batch *batch = batches; batch; batch = batch->next) {
        if (batch->result)
            continue;
        for (const struct store_verb *verb = batch->verbs; verb; verb = verb->next)
            if (verb->kind == VERB_TOKEN_ADD || verb->kind == VERB_TOKEN_REPLACE)
                atomic_fetch_add_explicit(&figures->written, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&figures->purged, batch->purged.rows, memory_order_relaxed);
    }
}

struct figures_count {
    struct store_read read; // first
    struct store *store;
};

static void figures_run(struct store_read *read, struct store_reader *reader)
{
    struct figures *figures = &((struct figures_count *)read)->store->figures;
    // What is committed between these two and the look is counted twice: a handful.
    uint64_t written = atomic_load(&figures->written), purged = atomic_load(&figures->purged);
    struct statement count = statement_begin(&reader->database, SQL_TOKEN_COUNT);
    int64_t rows = statement_step(&count) ? statement_get_int(&count, 0) : -1;
    if (statement_end(&count) || rows < 0)
        return;
    atomic_store(&figures->before, rows - (int64_t)(written - purged));
    atomic_store(&figures->counted, true);
}

static void figures_done(struct store_read *read)
{
    free(read);
}

void store_count_tokens(struct store *store)
{
    struct figures_count *count = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *count);
    if (!count)
        return;
    count->read = (struct store_read){
        .run = figures_run, .done = figures_done, .lane = LANE_COPY};
    count->store = store;
    if (store_read(store, &count->read) != TWOLEG_NONE)
        free(count);
}

struct store_figures store_figures(const struct store *store)
{
    const struct figures *figures = &store->figures;
    struct store_figures found = {.tokens_written = atomic_load(&figures->written),
                                  .tokens_purged = atomic_load(&figures->purged),
                                  .tokens_counted = atomic_load(&figures->counted)};
    int64_t tokens = atomic_load(&figures->before) +
                     (int64_t)(found.tokens_written - found.tokens_purged);
    found.tokens = tokens > 0 ? (uint64_t)tokens : 0;
    return found;
}
