// SPDX-License-Identifier: Apache-2.0
// Opening and closing the store.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/sqlite/migration.h"
#include "store/sqlite/restore.h"
#include "store/sqlite/state.h"

#define STORE_QUEUE_MS 5000
#define STORE_READS 4096
#define STORE_SLOW_READS 64
#define STORE_NEW "new.tmp"
// A file up to this size is checked whole before the start (2 ms); a larger one behind it.
#define STORE_CHECK_BYTES (256 * 1024)

static enum twoleg_error store_refuse(const struct store *store, enum twoleg_error error,
                                      const char *why, char ret_reason[static 512])
{
    snprintf(ret_reason, 512, "%.240s/" FOLDER_STORE ": %.240s", store->folder.path, why);
    return error;
}

// The files are ours and closed to others, those that SQLite puts beside it too.
static enum twoleg_error store_check_files(struct store *store, int64_t *ret_size,
                                           char ret_reason[static 512])
{
    static const char *const names[] = {FOLDER_STORE "-wal", FOLDER_STORE "-shm",
                                        FOLDER_STORE "-journal", FOLDER_STORE};
    enum twoleg_error error = TWOLEG_NONE;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !error; i++)
        error = folder_check_file(&store->folder, names[i], ret_size, ret_reason);
    return error;
}

// There is no store, but its last changes are there: somebody has taken the file away. A new one
// must not be made, and they would be played into it.
static enum twoleg_error store_check_left(struct store *store, char ret_reason[static 512])
{
    static const char *const names[] = {FOLDER_STORE "-wal", FOLDER_STORE "-journal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t size;
        enum twoleg_error error =
            folder_check_file(&store->folder, names[i], &size, ret_reason);
        if (error)
            return error;
        if (size <= 0)
            continue;
        char why[200];
        snprintf(why, sizeof why, "is missing, but %s, which belongs to it, is there: put the "
                 "file back, or restore a backup", names[i]);
        return store_refuse(store, TWOLEG_REFUSED, why, ret_reason);
    }
    return TWOLEG_NONE;
}

static enum twoleg_error store_fill_new(struct store *store, char ret_why[static 256])
{
    char path[PATH_MAX];
    struct database database;
    if (!folder_join(&store->folder, STORE_NEW, path))
        return TWOLEG_TOO_LONG;
    enum twoleg_error error =
        database_open(&database, path, DATABASE_COPY, store->settings.busy_ms, ret_why);
    if (error)
        return error;
    error = database_execute(&database, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
    if (!error)
        error = migration_run(&database, &store->folder, &migration_plan, 0, ret_why);
    if (!error && !database_answers(&database, "PRAGMA journal_mode = WAL", "wal"))
        error = TWOLEG_STORE_FAILED;
    database_close(&database);
    return error;
}

// Made under another name, without a sync for each step, then made durable and named in one: a
// start that is cut short leaves no half store.
static enum twoleg_error store_make(struct store *store, char ret_reason[static 512])
{
    char why[256] = "cannot be made";
    unlinkat(store->folder.fd, STORE_NEW, 0); // of a start that was cut short
    enum twoleg_error error = folder_make_file(&store->folder, STORE_NEW, ret_reason);
    if (error)
        return error;
    error = store_fill_new(store, why);
    if (!error)
        error = folder_publish(&store->folder, STORE_NEW, FOLDER_STORE);
    if (error)
        return store_refuse(store, error, why, ret_reason);
    store->created = true;
    return TWOLEG_NONE;
}

static enum twoleg_error store_open_folder(struct store *store, const char *path,
                                           char ret_reason[static 512])
{
    int64_t size;
    enum twoleg_error error =
        folder_open(&store->folder, path, store->settings.create, ret_reason);
    if (error)
        return error;
    if (!folder_join(&store->folder, FOLDER_STORE, store->file))
        return store_refuse(store, TWOLEG_TOO_LONG, "the name is too long", ret_reason);
    error = restore_resume(&store->folder);
    if (error)
        return store_refuse(store, error, "a restore that was cut short could not be ended",
                            ret_reason);
    error = store_check_files(store, &size, ret_reason);
    if (error || size > 0)
        return error;
    error = store_check_left(store, ret_reason);
    if (error)
        return error;
    if (!store->settings.create)
        return store_refuse(store, TWOLEG_NOT_FOUND, "there is no store", ret_reason);
    return store_make(store, ret_reason);
}

static enum twoleg_error store_open_schema(struct store *store, char ret_reason[static 512])
{
    char why[256];
    unsigned version = 0;
    enum twoleg_error error = migration_check(&store->writer, &migration_plan, &version, why);
    if (error)
        return store_refuse(store, error, why, ret_reason);
    if (version == 0)
        return store_refuse(store, TWOLEG_REFUSED, "is not a twoleg store", ret_reason);
    // Only now: a file that is not ours has been left as it was. A restored one has no WAL yet.
    if (!database_answers(&store->writer, "PRAGMA journal_mode = WAL", "wal"))
        return store_refuse(store, TWOLEG_STORE_FAILED, "cannot use a write-ahead log", ret_reason);
    why[0] = '\0';
    error = migration_run(&store->writer, &store->folder, &migration_plan, version, why);
    if (why[0])
        store_refuse(store, error, why, ret_reason); // or a notice, when all is well
    return error;
}

// Not the quick check, which compares no index with its table: where two pages have changed places,
// revocations may be missing without it.
// ret_large: the check is left to the checkpoint thread.
static enum twoleg_error store_check_content(struct store *store, bool *ret_large,
                                             char ret_reason[static 512])
{
    int64_t pages = database_ask(&store->writer, "PRAGMA page_count");
    *ret_large = pages > STORE_CHECK_BYTES / 4096;
    if (*ret_large || database_answers(&store->writer, "PRAGMA integrity_check(1)", "ok"))
        return TWOLEG_NONE;
    return store_refuse(store, TWOLEG_STORE_FAILED, "is damaged: restore a backup", ret_reason);
}

static int store_note_frames(void *context, sqlite3 *db, const char *name, int frames)
{
    (void)db, (void)name;
    struct store *store = context;
    atomic_store(&store->frames, frames);
    return SQLITE_OK;
}

static enum twoleg_error store_start_readers(struct store *store)
{
    unsigned shared = store->settings.readers ? store->settings.readers : 1;
    unsigned count = shared + STORE_LANES - 1;
    store->readers = fault_here(FAULT_MEMORY) ? NULL : calloc(count, sizeof *store->readers);
    if (!store->readers)
        return TWOLEG_NO_MEMORY;
    for (unsigned i = 0; i < count; i++) {
        struct reader_thread *thread = &store->readers[i];
        thread->store = store;
        thread->reads = &store->reads[i < shared ? LANE_SHORT : LANE_SHORT + 1 + i - shared];
        enum twoleg_error error = store_reader_create(store, &thread->reader);
        if (!error && pthread_create(&thread->thread, NULL, reader_main, thread)) {
            store_reader_destroy(thread->reader);
            error = TWOLEG_NO_MEMORY;
        }
        if (error)
            return error;
        store->reader_count++;
    }
    return TWOLEG_NONE;
}

static enum twoleg_error store_start(struct store *store, bool large, char ret_reason[static 512])
{
    char why[256] = "cannot start its threads";
    enum twoleg_error error =
        queue_init(&store->batches, store->settings.queue_batches, store->settings.queue_bytes);
    for (size_t lane = 0; lane < STORE_LANES && !error; lane++)
        error = queue_init(&store->reads[lane],
                           lane == LANE_SHORT ? STORE_READS : STORE_SLOW_READS, 0);
    if (!error)
        error = store_reader_create(store, &store->shared);
    if (!error)
        error = checkpoint_start(&store->checkpoint, store->file, &store->stopped, large, why);
    if (!error)
        error = store_start_readers(store);
    if (!error && pthread_create(&store->writer_thread, NULL, writer_main, store))
        error = TWOLEG_NO_MEMORY;
    store->writer_running = !error;
    return error ? store_refuse(store, error, why, ret_reason) : TWOLEG_NONE;
}

static enum twoleg_error store_open_steps(struct store *store, const char *folder,
                                          char ret_reason[static 512])
{
    char why[256];
    bool large = false;
    enum twoleg_error error = store_open_folder(store, folder, ret_reason);
    if (error)
        return error;
    error = database_open(&store->writer, store->file, DATABASE_WRITER,
                            store->settings.busy_ms, why);
    if (error)
        return store_refuse(store, error, why, ret_reason);
    error = store_open_schema(store, ret_reason);
    if (!error)
        error = store_check_content(store, &large, ret_reason);
    if (error)
        return error;
    sqlite3_wal_hook(store->writer.db, store_note_frames, store);
    return store_start(store, large, ret_reason);
}

enum twoleg_error store_make_folder(const char *folder, char ret_reason[static 512])
{
    return folder_make(folder, ret_reason);
}

enum twoleg_error store_open(const struct store_settings *settings, struct store **ret_store,
                             char ret_reason[static 512])
{
    ret_reason[0] = '\0';
    struct store *store = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *store);
    if (!store) {
        snprintf(ret_reason, 512, "%.400s: out of memory", settings->folder);
        return TWOLEG_NO_MEMORY;
    }
    store->settings = *settings;
    store->settings.folder = NULL;
    if (!store->settings.queue_ms)
        store->settings.queue_ms = STORE_QUEUE_MS;
    if (!store->settings.busy_ms)
        store->settings.busy_ms = DATABASE_BUSY_MS;
    store->folder = (struct folder){.fd = -1, .lock = -1};
    pthread_mutex_init(&store->publish_lock, NULL);
    pthread_mutex_init(&store->shared_lock, NULL);
    enum twoleg_error error = store_open_steps(store, settings->folder, ret_reason);
    if (error) {
        store_close(store);
        return error;
    }
    *ret_store = store;
    return TWOLEG_NONE;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->writer_running) {
        queue_close(&store->batches);
        pthread_join(store->writer_thread, NULL);
    }
    for (size_t lane = 0; lane < STORE_LANES && store->reader_count; lane++)
        queue_close(&store->reads[lane]);
    for (unsigned i = 0; i < store->reader_count; i++) {
        pthread_join(store->readers[i].thread, NULL);
        store_reader_destroy(store->readers[i].reader);
    }
    free(store->readers);
    store_reader_destroy(store->shared);
    checkpoint_finish(&store->checkpoint);
    if (store->writer_running && !atomic_load(&store->stopped))
        sqlite3_wal_checkpoint_v2(store->writer.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    database_close(&store->writer);
    queue_finish(&store->batches);
    for (size_t lane = 0; lane < STORE_LANES; lane++)
        queue_finish(&store->reads[lane]);
    folder_close(&store->folder);
    pthread_mutex_destroy(&store->publish_lock);
    pthread_mutex_destroy(&store->shared_lock);
    free(store);
}

bool store_was_created(const struct store *store)
{
    return store->created;
}

void store_set_on_change(struct store *store, store_on_change *on_change, void *context)
{
    pthread_mutex_lock(&store->publish_lock);
    store->settings.on_change = on_change;
    store->settings.on_change_context = context;
    pthread_mutex_unlock(&store->publish_lock);
}

bool store_damaged(const struct store *store)
{
    return atomic_load(&store->checkpoint.damaged);
}

bool store_stopped(const struct store *store)
{
    return atomic_load(&store->stopped);
}
