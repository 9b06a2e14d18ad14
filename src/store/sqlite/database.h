// SPDX-License-Identifier: Apache-2.0
// Opening SQLite the careful way, and whole transactions on it.
#pragma once
#include "store/sqlite/statement.h"

// Tells a twoleg store from any other SQLite file ("twlg").
#define DATABASE_APPLICATION_ID 0x74776c67

enum database_kind {
    DATABASE_WRITER, // the one that changes the store
    DATABASE_READER, // cannot write: query_only, an authorizer, opened read-only
    DATABASE_SOURCE, // a file that came from outside: read-only, but may be checked
    DATABASE_COPY,   // of a file that no server uses: backup and restore
};

#define DATABASE_BUSY_MS 2000

// On an error the connection is closed, and ret_reason says why in SQLite's words. A NULL file name
// is refused. busy_ms bounds how long it waits for another process's lock.
enum twoleg_error database_open(struct database *database, const char *file,
                                  enum database_kind kind, unsigned busy_ms,
                                  char ret_reason[static 256]) TWOLEG_MUST_CHECK;
// What a failure to open or to read means, in words. TWOLEG_REFUSED: not a database, or damaged.
enum twoleg_error database_explain(const struct database *database, int code,
                                   char ret_reason[static 256]);
void database_close(struct database *database);

enum twoleg_error database_begin_read(struct database *database) TWOLEG_MUST_CHECK;
// Ends a transaction of any kind without keeping what it wrote; no transaction is fine too.
void database_rollback(struct database *database);
// The first column of the first row of a statement of ours; -1 on failure.
int64_t database_ask(struct database *database, const char *sql);
// For statements of ours without parameters: the schema, pragmas.
enum twoleg_error database_execute(struct database *database,
                                     const char *sql) TWOLEG_MUST_CHECK;
// Is the first column of the first row this text? For checks and pragmas.
bool database_answers(struct database *database, const char *sql, const char *expected);
