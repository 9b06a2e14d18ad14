// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/checkpoint.h"

#include "base/priority.h"
#include <stdio.h>

#include "base/fault.h"

#define CHECKPOINT_FRAMES 1000 // of 4 KiB
// Under steady writes a passive checkpoint may never catch up, and the WAL grows; past this one
// that makes the writer wait starts the WAL again. The file is kept (journal_size_limit): a commit
// that makes it longer needs the file system's journal, one that writes over it does not.
#define CHECKPOINT_FRAMES_MAX (16 * CHECKPOINT_FRAMES)
// How long such a one waits for readers, and the writer for it: the next one may be luckier.
#define CHECKPOINT_BUSY_MS 100

static void checkpoint_find_damage(struct checkpoint *checkpoint)
{
    atomic_store(&checkpoint->damaged, true);
    atomic_store(checkpoint->stopped, true);
}

static void checkpoint_run(struct checkpoint *checkpoint, int frames)
{
    int mode = frames > CHECKPOINT_FRAMES_MAX ? SQLITE_CHECKPOINT_RESTART
                                              : SQLITE_CHECKPOINT_PASSIVE;
    int code = fault_here(FAULT_STORE)
                   ? SQLITE_IOERR_FSYNC
                   : sqlite3_wal_checkpoint_v2(checkpoint->database.db, NULL, mode, NULL, NULL);
    if ((code & 0xff) == SQLITE_CORRUPT)
        checkpoint_find_damage(checkpoint);
    else if (code == SQLITE_IOERR_FSYNC)
        atomic_store(checkpoint->stopped, true);
}

static void checkpoint_loop(struct checkpoint *checkpoint)
{
    pthread_mutex_lock(&checkpoint->lock);
    while (!checkpoint->closing) {
        int frames = checkpoint->frames;
        if (frames < CHECKPOINT_FRAMES) {
            pthread_cond_wait(&checkpoint->wanted, &checkpoint->lock);
            continue;
        }
        checkpoint->frames = 0;
        pthread_mutex_unlock(&checkpoint->lock);
        checkpoint_run(checkpoint, frames);
        pthread_mutex_lock(&checkpoint->lock);
    }
    pthread_mutex_unlock(&checkpoint->lock);
}

// Finds a damaged file before it is served from for days; the whole of a large one takes longer
// than a start may.
static void checkpoint_check(struct checkpoint *checkpoint)
{
    bool sound = database_answers(&checkpoint->database, "PRAGMA integrity_check(1)", "ok");
    pthread_mutex_lock(&checkpoint->lock);
    if (!sound && !checkpoint->closing) // closing cuts the check short
        checkpoint_find_damage(checkpoint);
    pthread_mutex_unlock(&checkpoint->lock);
}

static void *checkpoint_main(void *argument)
{
    struct checkpoint *checkpoint = argument;
    priority_lower(PRIORITY_FAR_BEHIND); // a start reads the same file, and is waited for
    if (checkpoint->check)
        checkpoint_check(checkpoint);
    checkpoint_loop(checkpoint);
    return NULL;
}

enum twoleg_error checkpoint_start(struct checkpoint *checkpoint, const char *file,
                                   atomic_bool *stopped, bool check_file,
                                   char ret_reason[static 256])
{
    enum twoleg_error error = database_open(&checkpoint->database, file, DATABASE_WRITER,
                                            CHECKPOINT_BUSY_MS, ret_reason);
    if (error)
        return error;
    // SQLite opens the WAL with the first read: now, and not when descriptors may be short.
    (void)database_ask(&checkpoint->database, "PRAGMA user_version");
    pthread_mutex_init(&checkpoint->lock, NULL);
    pthread_cond_init(&checkpoint->wanted, NULL);
    checkpoint->stopped = stopped;
    checkpoint->check = check_file;
    checkpoint->running =
        pthread_create(&checkpoint->thread, NULL, checkpoint_main, checkpoint) == 0;
    if (checkpoint->running)
        return TWOLEG_NONE;
    snprintf(ret_reason, 256, "no thread for checkpoints");
    database_close(&checkpoint->database);
    return TWOLEG_NO_MEMORY;
}

void checkpoint_tell(struct checkpoint *checkpoint, int frames)
{
    if (frames < CHECKPOINT_FRAMES)
        return;
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->frames = frames;
    pthread_cond_signal(&checkpoint->wanted);
    pthread_mutex_unlock(&checkpoint->lock);
}

void checkpoint_finish(struct checkpoint *checkpoint)
{
    if (!checkpoint->running)
        return;
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->closing = true;
    pthread_cond_signal(&checkpoint->wanted);
    pthread_mutex_unlock(&checkpoint->lock);
    sqlite3_interrupt(checkpoint->database.db); // a check that is under way
    pthread_join(checkpoint->thread, NULL);
    database_close(&checkpoint->database);
    pthread_cond_destroy(&checkpoint->wanted);
    pthread_mutex_destroy(&checkpoint->lock);
    checkpoint->running = false;
}
