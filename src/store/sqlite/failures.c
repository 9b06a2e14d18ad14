// SPDX-License-Identifier: Apache-2.0
// What the store keeps of commits that failed.
#include <errno.h>
#include <stdio.h>

#include "store/sqlite/state.h"

// A shared memory that cannot grow is a full disk, too: it is a file beside the store.
static enum store_failure failure_of_io(int code, int number)
{
    if (code == SQLITE_IOERR_NOMEM)
        return FAILURE_NO_MEMORY;
    if (code == SQLITE_IOERR_SHMSIZE || number == ENOSPC || number == EDQUOT)
        return FAILURE_FULL;
    return number == EROFS ? FAILURE_READ_ONLY : FAILURE_IO;
}

// Not sqlite3_system_errno, which knows nothing of a commit that failed.
enum store_failure failure_of(const struct database *database)
{
    int number = errno;
    int code = sqlite3_extended_errcode(database->db);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return FAILURE_FULL;
    case SQLITE_READONLY:
        return FAILURE_READ_ONLY;
    case SQLITE_IOERR:
        return failure_of_io(code, number);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FAILURE_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return FAILURE_DAMAGED;
    case SQLITE_NOMEM:
        return FAILURE_NO_MEMORY;
    default:
        return FAILURE_OTHER;
    }
}

void failures_note(struct failures *failures, enum store_failure failure, int64_t now_us)
{
    // Who finds it counted finds its cause, too.
    atomic_store(&failures->last_us, now_us);
    atomic_store(&failures->last, failure);
    atomic_fetch_add(&failures->counts[failure], 1);
}

struct store_failures store_failures(const struct store *store)
{
    const struct failures *failures = &store->failures;
    struct store_failures found = {.last = FAILURE_NONE};
    for (size_t i = 0; i < STORE_FAILURES; i++)
        found.counts[i] = atomic_load(&failures->counts[i]);
    found.last = atomic_load(&failures->last);
    found.last_us = atomic_load(&failures->last_us);
    return found;
}

bool store_explain(const struct store *store, enum twoleg_error error, enum store_failure failure,
                   char ret_words[static STORE_WORDS])
{
    bool stopped = error == TWOLEG_STORE_STOPPED || (failure && store_stopped(store));
    if (error == TWOLEG_STORE_STOPPED)
        failure = store_damaged(store) ? FAILURE_DAMAGED : atomic_load(&store->failures.last);
    if (stopped)
        snprintf(ret_words, STORE_WORDS, "the store takes no more changes until the server is "
                 "restarted%s%s%s", failure ? ": " : "", store_failure_text(failure),
                 error == TWOLEG_STORE_STOPPED ? "" : "; whether this one is stored is not known");
    else if (failure)
        snprintf(ret_words, STORE_WORDS, "the change cannot be stored: %s",
                 store_failure_text(failure));
    return stopped || failure;
}
