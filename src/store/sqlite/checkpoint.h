// SPDX-License-Identifier: Apache-2.0
// The checkpoint thread: moves the WAL into the file behind the commits, so that none waits for it.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "store/sqlite/database.h"

struct checkpoint {
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    bool closing;
    bool check; // the whole file first
    int frames; // of the WAL, as the last commit left it
    struct database database;
    // Set when an fsync failed: what was said to be durable may not be (the kernel drops what it
    // could not write), so that nothing more may be acknowledged.
    atomic_bool *stopped;
    atomic_bool damaged; // then it is stopped, too
};

// The check of a large file goes on behind the start, on this thread.
enum twoleg_error checkpoint_start(struct checkpoint *checkpoint, const char *file,
                                   atomic_bool *stopped, bool check_file,
                                   char ret_reason[static 256]) TWOLEG_MUST_CHECK;
// From the writer after a commit, which left this many frames in the WAL.
void checkpoint_tell(struct checkpoint *checkpoint, int frames);
void checkpoint_finish(struct checkpoint *checkpoint); // a zeroed one is fine
