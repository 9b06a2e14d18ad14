// SPDX-License-Identifier: Apache-2.0
// Batches as data: the same for every back end.
#include <stdlib.h>

#include "base/fault.h"
#include "store/store.h"

#define BATCH_CAP ((size_t)4 * 1024 * 1024)

// What store_batch_add gives once memory is out: callers fill it in and submit refuses the batch.
// One per thread, so that two threads in need do not write into one another's.
static _Thread_local struct store_verb batch_spare;

struct store_batch *store_batch_create(int64_t now_us)
{
    struct store_batch *batch = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    arena_init(&batch->arena, NULL, BATCH_CAP);
    batch->tail = &batch->verbs;
    batch->now_us = now_us;
    return batch;
}

void store_batch_destroy(struct store_batch *batch)
{
    if (!batch)
        return;
    arena_finish(&batch->arena);
    free(batch);
}

struct store_verb *store_batch_add(struct store_batch *batch, enum store_verb_kind kind,
                                   uint64_t account)
{
    struct store_verb *verb = ARENA_NEW(&batch->arena, struct store_verb);
    if (!verb) {
        batch->no_memory = true;
        batch_spare = (struct store_verb){0};
        return &batch_spare;
    }
    verb->kind = kind;
    verb->account = account;
    *batch->tail = verb;
    batch->tail = &verb->next;
    return verb;
}

struct str store_batch_copy(struct store_batch *batch, struct str text)
{
    struct str copy = arena_copy(&batch->arena, text);
    if (!copy.ptr)
        batch->no_memory = true;
    return copy;
}

static bool store_verb_takes(const struct store_verb *verb)
{
    switch (verb->kind) {
    case VERB_TOKEN_REVOKE:
    case VERB_CREDENTIAL_REVOKE:
    case VERB_SECRET_REMOVE:
    case VERB_APPLICATION_DELETE:
    case VERB_SCOPE_REMOVE:
    case VERB_KEY_STATE:
    case VERB_USER_UPDATE:
    case VERB_USER_DELETE:
    case VERB_REFRESH_REVOKE:
        return true;
    case VERB_APPLICATION_UPDATE:
        return (verb->update.fields & (FIELD_STATUS | FIELD_GENERATION)) != 0;
    default:
        return false;
    }
}

bool store_batch_is_urgent(const struct store_batch *batch)
{
    // A token that takes the place of another one is no hurry: clients ask for those.
    bool takes = false;
    for (const struct store_verb *verb = batch->verbs; verb; verb = verb->next)
        takes = takes || store_verb_takes(verb);
    return takes;
}
