// SPDX-License-Identifier: Apache-2.0
// What guesses at slow hashes have taken from the limit on different ones: the same guess again
// tells nothing new and takes nothing more, and what a right one took is given back. A table of
// fixed size for the whole server; a guess that others have driven out of it takes one more.
#pragma once
#include "crypto/hash.h"
#include "limit/limit.h"

#define GUESS_ROWS 2 // of the application, of the user name; both from one address

struct asked {
    struct sha256 digest;                    // of zeros: nobody's
    struct limit_taken taken[GUESS_ROWS];    // from the limit on different ones
    struct limit_taken compared[GUESS_ROWS]; // from that on comparisons; see asked_table_keep
};

// Of one thread at a time, but for asked_table_keeps.
struct asked_table;

struct asked_table *asked_table_create(void); // NULL without memory
void asked_table_destroy(struct asked_table *table); // NULL is fine

// What the guess has taken, or NULL. Good until the next call.
struct asked *asked_table_find(struct asked_table *table, const struct sha256 *digest);
// It is not there yet.
void asked_table_put(struct asked_table *table, const struct sha256 *digest,
                     const struct limit_taken taken[static GUESS_ROWS]);
void asked_table_remove(struct asked_table *table, const struct sha256 *digest);
// It was compared and is right, but nobody was there any more to be let in: what the comparison
// took is kept for whoever comes with it next. Lost where the guess is not in the table.
void asked_table_keep(struct asked_table *table, const struct sha256 *digest,
                      const struct limit_taken compared[static GUESS_ROWS]);
bool asked_table_keeps(const struct asked_table *table); // of anybody. Any thread
