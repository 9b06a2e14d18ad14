// SPDX-License-Identifier: Apache-2.0
// What an open store consists of; the bodies of the types that store.h names.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "store/queue.h"
#include "store/sqlite/checkpoint.h"
#include "store/sqlite/folder.h"
#include "store/sqlite/round.h"
#include "store/store.h"

struct reader_thread {
    pthread_t thread;
    struct store *store;
    struct queue *reads; // that it serves
    struct store_reader *reader;
};

// Of reference tokens; see figures.c.
struct figures {
    _Atomic uint64_t written, purged; // in this life
    _Atomic int64_t before;           // rows when it began
    atomic_bool counted;
};

struct failures {
    _Atomic uint64_t counts[STORE_FAILURES];
    _Atomic(enum store_failure) last;
    _Atomic int64_t last_us;
};

struct store {
    struct store_settings settings; // without folder, which was the caller's
    struct folder folder;
    char file[PATH_MAX];
    bool created;
    atomic_bool stopped;

    struct queue batches;
    struct database writer; // the writer thread's, once that runs
    pthread_t writer_thread;
    bool writer_running;
    _Atomic int64_t frames; // of the WAL after the last commit

    struct queue reads[STORE_LANES]; // the slow lanes have one of the readers each: the last ones
    struct reader_thread *readers;
    unsigned reader_count; // that run

    struct store_reader *shared; // store_reader_borrow
    pthread_mutex_t shared_lock;

    struct figures figures;
    struct failures failures;
    struct checkpoint checkpoint;
    pthread_mutex_t publish_lock; // on_change may be set while the writer runs
};

struct store_reader {
    struct database database;
};

// A text that outlives the row; false when the arena is full.
bool read_text(struct arena *arena, const struct statement *row, int column,
               struct str *ret_text) TWOLEG_MUST_CHECK;
// A row of USER_COLUMNS; its text lives until the next step.
void read_user_row(const struct statement *row, struct user *ret_user);
// A row of APPLICATION_COLUMNS; its text lives until the next step. A budget that no release wrote
// fails the statement: to go on without it would lift it.
void read_application_row(struct statement *row, struct application *ret_application);

// After the commit, before the batches are given back.
void figures_note(struct store *store, const struct store_batch *batches);
// Of the connection's last call, which failed just now. It goes by errno, too: whoever asks has set
// that to 0 before.
enum store_failure failure_of(const struct database *database);
void failures_note(struct failures *failures, enum store_failure failure, int64_t now_us);
void *writer_main(void *store);
void writer_give_up(struct store *store);
void *reader_main(void *reader_thread);
