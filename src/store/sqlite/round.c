// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/round.h"

#include <stdlib.h>

#include "base/fault.h"

#define ROUND_ARENA_CAP ((size_t)64 * 1024 * 1024)
#define ROUND_CHANGES_KEPT 1024 // room that is not given back after a round

void round_init(struct round *round, struct database *database)
{
    *round = (struct round){.database = database,
                            .tokens = {ROUND_SWEEPS, INT64_MIN},
                            .revocations = {ROUND_SWEEPS, INT64_MIN}};
    arena_init(&round->arena, NULL, ROUND_ARENA_CAP);
}

void round_clear(struct round *round)
{
    arena_finish(&round->arena);
    round->change_count = 0;
    round->touched = NULL;
    if (round->change_cap > ROUND_CHANGES_KEPT) {
        free(round->changes);
        round->changes = NULL;
        round->change_cap = 0;
    }
}

void round_finish(struct round *round)
{
    arena_finish(&round->arena);
    free(round->changes);
    revoked_counts_clear(&round->revoked);
    *round = (struct round){0};
}

static bool round_grow(struct round *round)
{
    if (round->change_count < round->change_cap)
        return true;
    size_t cap = round->change_cap ? round->change_cap * 2 : 64;
    struct store_change *grown =
        fault_here(FAULT_MEMORY) ? NULL : realloc(round->changes, cap * sizeof *grown);
    if (!grown)
        return false;
    round->changes = grown;
    round->change_cap = cap;
    return true;
}

static void round_bind_key(struct statement *add, const struct store_change *change)
{
    if (change->kind == CHANGE_REVOCATION)
        statement_bytes(add, str_of(change->token.bytes, sizeof change->token.bytes));
    else if (change->kind == CHANGE_SETTING)
        statement_bytes(add, change->setting);
    else
        statement_null(add);
}

enum twoleg_error round_change(struct round *round, const struct store_change *change)
{
    if (!round_grow(round))
        return TWOLEG_NO_MEMORY;
    struct store_change *kept = &round->changes[round->change_count];
    *kept = *change;
    kept->client_id = change->client_id.ptr ? arena_copy(&round->arena, change->client_id)
                                            : STR_NONE;
    kept->setting = change->setting.ptr ? arena_copy(&round->arena, change->setting) : STR_NONE;
    if ((change->client_id.ptr && !kept->client_id.ptr) ||
        (change->setting.ptr && !kept->setting.ptr))
        return TWOLEG_NO_MEMORY;
    struct statement add = statement_begin(round->database, SQL_FEED_ADD);
    statement_int(&add, round->now_us);
    statement_int(&add, change->kind);
    statement_number(&add, change->account);
    statement_number(&add, change->number);
    round_bind_key(&add, change);
    enum twoleg_error error = statement_run(&add);
    if (error)
        return error;
    kept->sequence = (uint64_t)sqlite3_last_insert_rowid(round->database->db);
    round->sequence = kept->sequence;
    round->change_count++;
    return TWOLEG_NONE;
}

void round_undo(struct round *round, size_t change_count)
{
    round->change_count = change_count;
    round->touched = NULL;
}

enum twoleg_error round_touch(struct round *round, uint64_t number, uint64_t version,
                              uint64_t expected, bool *ret_first)
{
    struct round_touched *touched = round->touched;
    while (touched && touched->number != number)
        touched = touched->next;
    uint64_t seen = touched ? touched->version : version;
    if (expected && expected != seen)
        return TWOLEG_VERSION_CONFLICT;
    *ret_first = !touched;
    if (touched)
        return TWOLEG_NONE;
    touched = ARENA_NEW(&round->arena, struct round_touched);
    if (!touched)
        return TWOLEG_NO_MEMORY;
    *touched = (struct round_touched){round->touched, number, version};
    round->touched = touched;
    return TWOLEG_NONE;
}
