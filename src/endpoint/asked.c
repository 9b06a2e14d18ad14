// SPDX-License-Identifier: Apache-2.0
#include "endpoint/asked.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/compare.h"

#define ASKED_PLACES 1024 // a power of two
#define ASKED_WAYS 4

struct asked {
    struct sha256 digest; // of zeros: nobody's
    struct limit_taken taken[GUESS_ROWS];
};

// The latest stands first. Pages are touched as guesses come.
struct asked_table {
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

static struct asked *asked_find(struct asked_table *table, const struct sha256 *digest)
{
    struct asked *place = asked_place(table, digest);
    struct asked *found = NULL;
    for (size_t i = 0; i < ASKED_WAYS; i++)
        if (secret_equal(place[i].digest.bytes, digest->bytes, sizeof digest->bytes))
            found = &place[i];
    return found;
}

struct limit_taken *asked_table_find(struct asked_table *table, const struct sha256 *digest)
{
    struct asked *found = asked_find(table, digest);
    return found ? found->taken : NULL;
}

void asked_table_put(struct asked_table *table, const struct sha256 *digest,
                     const struct limit_taken taken[static GUESS_ROWS])
{
    struct asked *place = asked_place(table, digest);
    memmove(&place[1], &place[0], (ASKED_WAYS - 1) * sizeof *place);
    place->digest = *digest;
    memcpy(place->taken, taken, sizeof place->taken);
}

void asked_table_remove(struct asked_table *table, const struct sha256 *digest)
{
    struct asked *found = asked_find(table, digest);
    if (found)
        *found = (struct asked){.taken = {{.table = NULL}}};
}
