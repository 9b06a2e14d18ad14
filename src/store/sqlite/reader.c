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

enum twoleg_error store_read(struct store *store, struct store_read *read)
{
    return queue_put(&store->reads, read, 0);
}

void *reader_main(void *argument)
{
    struct reader_thread *thread = argument;
    for (;;) {
        struct store_read *read = queue_take(&thread->store->reads);
        if (!read)
            return NULL;
        read->run(read, thread->reader);
        read->done(read);
    }
}
