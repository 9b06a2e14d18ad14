// SPDX-License-Identifier: Apache-2.0
// The writer thread: takes what is queued, runs it in one transaction with a savepoint per batch,
// commits, publishes, answers. No timer: while one commit waits for the disk, the next group
// gathers. What takes something away goes first, and soon: it is taken into the transaction that is
// being written, which ends then.

#include <errno.h>

#include "base/env.h"
#include "base/priority.h"
#include "base/fault.h"
#include "store/sqlite/state.h"
#include "store/sqlite/verb.h"

#define WRITER_BATCHES 256u // of a round, at most

// A round under way: what is in it, in the order in which it was run.
struct writing {
    struct store_batch *batches, **tail;
    unsigned count, others; // others: those that were not urgent
    bool urgent;            // there is one that is
    enum store_failure failure; // why it was lost
};

static bool writer_lost(enum twoleg_error error)
{
    return error == TWOLEG_STORE_FAILED || error == TWOLEG_STORE_BUSY;
}

static enum twoleg_error writer_simple(struct round *round, enum statement_id id)
{
    struct statement statement = statement_begin(round->database, id);
    return statement_run(&statement);
}

static enum twoleg_error writer_verbs(struct round *round, struct store_batch *batch)
{
    for (const struct store_verb *verb = batch->verbs; verb; verb = verb->next) {
        enum twoleg_error error = verb_run(round, verb);
        if (error) {
            batch->refused = verb;
            return error;
        }
    }
    return TWOLEG_NONE;
}

// One statement changes all that it should or nothing, so a batch of one needs no savepoint.
static bool writer_is_one(const struct store_batch *batch)
{
    return batch->verbs && !batch->verbs->next && batch->verbs->kind == VERB_TOKEN_ADD;
}

// TWOLEG_NONE also when the batch was refused, which its result says; an error loses the round.
static enum twoleg_error writer_batch(struct round *round, struct store_batch *batch)
{
    size_t changes = round->change_count;
    bool one = writer_is_one(batch);
    round->now_us = batch->now_us;
    round->sequence = 0;
    round->touched = NULL;
    round->purged = (struct store_purged){0};
    enum twoleg_error error = one ? TWOLEG_NONE : writer_simple(round, SQL_BATCH_BEGIN);
    if (error)
        return error;
    batch->result = writer_verbs(round, batch);
    bool lost = writer_lost(batch->result) || (one && batch->result == TWOLEG_NO_MEMORY);
    if (one || lost)
        return lost ? batch->result : TWOLEG_NONE;
    if (batch->result) {
        round_undo(round, changes);
        error = writer_simple(round, SQL_BATCH_UNDO);
    } else {
        batch->sequence = round->sequence;
        batch->purged = round->purged;
    }
    return error ? error : writer_simple(round, SQL_BATCH_END);
}

// After a failed fsync nobody knows what is on the disk, and a second try would lie ("fsyncgate"):
// no commit is acknowledged any more. A full disk is told by its own code and may get better.
static enum twoleg_error writer_commit(struct store *store, struct round *round)
{
    stop_point("store.before_commit");
    int code = SQLITE_IOERR_FSYNC;
    if (!fault_here(FAULT_STORE))
        code = sqlite3_exec(round->database->db, "COMMIT", NULL, NULL, NULL);
    stop_point("store.after_commit");
    if ((code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_SHMSIZE)
        atomic_store(&store->stopped, true);
    return statement_error(code);
}

static void writer_publish(struct store *store, const struct round *round)
{
    stop_point("store.before_publish");
    pthread_mutex_lock(&store->publish_lock);
    store_on_change *on_change = store->settings.on_change;
    void *context = store->settings.on_change_context;
    pthread_mutex_unlock(&store->publish_lock);
    if (on_change && round->change_count)
        on_change(context, round->changes, round->change_count);
}

// Every batch of a lost round gets the same answer: also a refusal was against rows that are gone.
static void writer_answer(struct store_batch *batches, enum twoleg_error lost,
                          enum store_failure failure)
{
    while (batches) {
        struct store_batch *batch = batches;
        batches = batch->next; // once done is called the batch is its owner's
        batch->next = NULL;
        if (lost) {
            batch->result = lost;
            batch->failure = failure;
            batch->refused = NULL;
            batch->sequence = 0;
            batch->purged = (struct store_purged){0};
        }
        if (batch->done)
            batch->done(batch);
    }
}

static void writing_add(struct writing *writing, struct store_batch *batch)
{
    batch->next = NULL;
    *writing->tail = batch;
    writing->tail = &batch->next;
    writing->count++;
    writing->others += !batch->urgent;
    writing->urgent = writing->urgent || batch->urgent;
}

// What waited too long is answered here, since whoever asked has given up by now.
static bool writer_is_late(const struct store *store, struct store_batch *batch)
{
    if (batch->queued_us >= env_mono() - (int64_t)store->settings.queue_ms * 1000)
        return false;
    batch->next = NULL;
    writer_answer(batch, TWOLEG_STORE_BUSY, FAILURE_NONE);
    return true;
}

// The next batch of the round, or NULL: it ends. With something urgent in it there is at most one
// other, so that neither line waits for all of the other.
static struct store_batch *writer_next(struct store *store, const struct writing *writing)
{
    struct store_batch *batch = NULL;
    stop_point("store.next");
    do {
        if (writing->count == WRITER_BATCHES)
            return NULL;
        batch = queue_try(&store->batches, QUEUE_FIRST);
        if (!batch && !(writing->urgent && writing->others))
            batch = queue_try(&store->batches, QUEUE_SECOND);
    } while (batch && writer_is_late(store, batch));
    return batch;
}

static enum twoleg_error writer_transaction(struct store *store, struct round *round,
                                            struct store_batch *first, struct writing *writing)
{
    errno = 0; // for failure_of
    enum twoleg_error error = writer_simple(round, SQL_BEGIN_WRITE);
    for (struct store_batch *batch = first; batch;
         batch = error ? NULL : writer_next(store, writing)) {
        writing_add(writing, batch);
        if (!error)
            error = writer_batch(round, batch);
    }
    if (!error)
        error = writer_commit(store, round);
    if (error)
        writing->failure = failure_of(round->database);
    if (error)
        database_rollback(round->database);
    return error;
}

static void writer_tell(struct store *store, const struct writing *writing, enum twoleg_error lost)
{
    store_on_answers *on_answers = store->settings.on_answers;
    if (on_answers)
        on_answers(true);
    writer_answer(writing->batches, lost, writing->failure);
    if (on_answers)
        on_answers(false);
}

static void writer_round(struct store *store, struct round *round, struct store_batch *first)
{
    first->next = NULL;
    if (atomic_load(&store->stopped)) {
        writer_answer(first, TWOLEG_STORE_STOPPED, FAILURE_NONE);
        return;
    }
    struct writing writing = {.tail = &writing.batches};
    enum twoleg_error error = writer_transaction(store, round, first, &writing);
    if (!error)
        writer_publish(store, round);
    if (!error)
        figures_note(store, writing.batches);
    else
        failures_note(&store->failures, writing.failure, first->now_us);
    writer_tell(store, &writing, error);
    if (!error)
        checkpoint_tell(&store->checkpoint, (int)atomic_load(&store->frames));
    round_clear(round);
}

void writer_give_up(struct store *store)
{
    int64_t age_us = (int64_t)store->settings.queue_ms * 1000;
    for (struct store_batch *batch; (batch = queue_try_old(&store->batches, age_us));) {
        batch->next = NULL;
        writer_answer(batch, TWOLEG_STORE_BUSY, FAILURE_NONE);
    }
}

void *writer_main(void *argument)
{
    struct store *store = argument;
    // Behind the workers when there is much to write; but a single commit waits for no one's turn.
    priority_lower(PRIORITY_BEHIND);
    priority_prompt();
    struct round round;
    round_init(&round, &store->writer);
    for (;;) {
        struct store_batch *batch = queue_take(&store->batches);
        if (batch && !writer_is_late(store, batch))
            writer_round(store, &round, batch);
        else if (!batch && queue_done(&store->batches))
            break;
    }
    round_finish(&round);
    return NULL;
}

enum twoleg_error store_submit(struct store *store, struct store_batch *batch)
{
    if (batch->no_memory)
        return TWOLEG_NO_MEMORY;
    if (atomic_load(&store->stopped))
        return TWOLEG_STORE_STOPPED;
    batch->result = TWOLEG_NONE;
    batch->failure = FAILURE_NONE;
    batch->refused = NULL;
    batch->sequence = 0;
    batch->queued_us = env_mono();
    batch->urgent = store_batch_is_urgent(batch);
    return queue_put(&store->batches, batch->urgent ? QUEUE_FIRST : QUEUE_SECOND, batch,
                     sizeof *batch + batch->arena.total);
}

struct writer_wait {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static void writer_wait_done(struct store_batch *batch)
{
    struct writer_wait *wait = batch->context;
    pthread_mutex_lock(&wait->lock);
    wait->done = true;
    pthread_cond_signal(&wait->ended);
    pthread_mutex_unlock(&wait->lock);
}

enum twoleg_error store_commit(struct store *store, struct store_batch *batch)
{
    struct writer_wait wait = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    void (*done)(struct store_batch *) = batch->done;
    void *context = batch->context;
    batch->done = writer_wait_done;
    batch->context = &wait;
    enum twoleg_error error = store_submit(store, batch);
    if (!error) {
        pthread_mutex_lock(&wait.lock);
        while (!wait.done)
            pthread_cond_wait(&wait.ended, &wait.lock);
        pthread_mutex_unlock(&wait.lock);
        error = batch->result;
    }
    batch->done = done;
    batch->context = context;
    return error;
}
