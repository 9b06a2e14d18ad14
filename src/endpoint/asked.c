// SPDX-License-Identifier: Apache-2.0
#include "endpoint/asked.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/compare.h"

#define ASKED_PLACES 1024 // a power of two
#define ASKED_WAYS 4

// The latest stands first. Pages are touched as guesses come.
struct asked_table {
    _Atomic size_t kept; // places in which something is kept
    struct asked places[ASKED_PLACES][ASKED_WAYS];
};

struct asked_table *asked_table_create(void)
{
    return calloc(1, sizeof(struct asked_table));
}

void asked_table_destroy(struct asked_table *table)
{
    free(table);
}

// The digest is keyed, so nobody chooses the place of a guess.
static struct asked *asked_place(struct asked_table *table, const struct sha256 *digest)
{
    uint32_t word;
    memcpy(&word, digest->bytes, sizeof word);
    return table->places[word & (ASKED_PLACES - 1)];
}

static bool asked_keeps(const struct asked *asked)
{
    bool keeps = false;
    for (size_t i = 0; i < GUESS_ROWS; i++)
        keeps = keeps || asked->compared[i].table;
    return keeps;
}

struct asked *asked_table_find(struct asked_table *table, const struct sha256 *digest)
{
    struct asked *place = asked_place(table, digest);
    struct asked *found = NULL;
    for (size_t i = 0; i < ASKED_WAYS; i++)
        if (secret_equal(place[i].digest.bytes, digest->bytes, sizeof digest->bytes))
            found = &place[i];
    return found;
}

void asked_table_put(struct asked_table *table, const struct sha256 *digest,
                     const struct limit_taken taken[static GUESS_ROWS])
{
    struct asked *place = asked_place(table, digest);
    table->kept -= asked_keeps(&place[ASKED_WAYS - 1]);
    memmove(&place[1], &place[0], (ASKED_WAYS - 1) * sizeof *place);
    *place = (struct asked){.digest = *digest};
    memcpy(place->taken, taken, sizeof place->taken);
}

void asked_table_remove(struct asked_table *table, const struct sha256 *digest)
{
    struct asked *found = asked_table_find(table, digest);
    if (!found)
        return;
    table->kept -= asked_keeps(found);
    *found = (struct asked){.taken = {{.table = NULL}}};
}

void asked_table_keep(struct asked_table *table, const struct sha256 *digest,
                      const struct limit_taken compared[static GUESS_ROWS])
{
    struct asked *found = asked_table_find(table, digest);
    if (!found)
        return;
    table->kept -= asked_keeps(found);
    memcpy(found->compared, compared, sizeof found->compared);
    table->kept += asked_keeps(found);
}

bool asked_table_keeps(const struct asked_table *table)
{
    return atomic_load_explicit(&table->kept, memory_order_relaxed) > 0;
}
