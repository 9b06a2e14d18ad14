// SPDX-License-Identifier: Apache-2.0
// Prepared statements of one connection, with bound parameters only and a sticky error: bind, step,
// ask once at the end.
#pragma once
#include <sqlite3.h>

#include "base/error.h"
#include "base/str.h"
#include "model/application.h"

enum statement_id {
#define STATEMENT(name, sql) SQL_##name,
#include "store/sqlite/statements.def"
#undef STATEMENT
    STATEMENTS
};

// A connection belongs to one thread at a time.
struct database {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS]; // prepared when first used
};

struct statement {
    sqlite3_stmt *stmt;
    int code; // SQLITE_OK until something failed
    int bound;
};

struct statement statement_begin(struct database *database, enum statement_id id);
// Bind the next parameter. Text and bytes are not copied: they live until the end.
void statement_int(struct statement *statement, int64_t value);
void statement_number(struct statement *statement, uint64_t value); // as its signed bit pattern
void statement_text(struct statement *statement, struct str text);
void statement_text_copy(struct statement *statement, struct str text); // need not live
void statement_bytes(struct statement *statement, struct str bytes);
void statement_null(struct statement *statement);

bool statement_step(struct statement *statement); // true: a row is there
// Columns of the row, from 0; text lives until the next step.
int64_t statement_get_int(const struct statement *statement, int column);
uint64_t statement_get_number(const struct statement *statement, int column);
struct str statement_get_text(const struct statement *statement, int column);
struct str statement_get_bytes(const struct statement *statement, int column);
// A status that this release does not know lets nobody in: it reads as disabled.
enum entity_status statement_get_status(const struct statement *statement, int column);

enum twoleg_error statement_end(struct statement *statement);
// Steps to the end: for statements without rows.
enum twoleg_error statement_run(struct statement *statement);

// What SQLite's code means here. TWOLEG_CONFLICT: a unique name; TWOLEG_NOT_FOUND: what is referred
// to is not there; TWOLEG_RANGE: a value the schema refuses. TWOLEG_STORE_BUSY and
// TWOLEG_STORE_FAILED say that the transaction as a whole is lost.
enum twoleg_error statement_error(int code);
