// SPDX-License-Identifier: Apache-2.0
// Reader threads, each with a connection that cannot write.
#include <stdlib.h>

#include "base/fault.h"
#include "store/sqlite/state.h"

enum twoleg_error store_reader_create(struct store *store, struct store_reader **ret_reader)
{
    struct store_reader *reader = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *reader);
    if (!reader)
        return TWOLEG_NO_MEMORY;
    char reason[256];
    enum twoleg_error error = database_open(&reader->database, store->file, DATABASE_READER,
                                              store->settings.busy_ms, reason);
    if (error) {
        free(reader);
        return error;
    }
    // SQLite opens the WAL with the first read: now, and not when descriptors may be short.
    (void)store_sequence(reader);
    *ret_reader = reader;
    return TWOLEG_NONE;
}

void store_reader_destroy(struct store_reader *reader)
{
    if (!reader)
        return;
    database_close(&reader->database);
    free(reader);
}

struct store_reader *store_reader_borrow(struct store *store)
{
    pthread_mutex_lock(&store->shared_lock);
    return store->shared;
}

void store_reader_return(struct store *store)
{
    pthread_mutex_unlock(&store->shared_lock);
}

enum twoleg_error store_read(struct store *store, struct store_read *read)
{
    read->result = TWOLEG_NONE;
    return queue_put(&store->reads[read->lane], QUEUE_SECOND, read, 0);
}

static void reader_give_up(const struct store *store, struct queue *reads)
{
    int64_t age_us = (int64_t)store->settings.queue_ms * 1000;
    for (struct store_read *read; (read = queue_try_old(reads, age_us));) {
        read->result = TWOLEG_STORE_BUSY;
        read->done(read);
    }
}

void store_give_up(struct store *store)
{
    for (size_t lane = 0; lane < STORE_LANES; lane++)
        reader_give_up(store, &store->reads[lane]);
    writer_give_up(store);
}

void *reader_main(void *argument)
{
    struct reader_thread *thread = argument;
    for (;;) {
        struct store_read *read = queue_take(thread->reads);
        if (!read)
            return NULL;
        read->run(read, thread->reader);
        read->done(read);
        // While that ran, others may have waited too long.
        reader_give_up(thread->store, thread->reads);
    }
}
