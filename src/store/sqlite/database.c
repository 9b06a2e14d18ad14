// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/database.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"

// Of every connection: what is deleted is overwritten whatever the library's default is, also in
// the copy that a restore drops keys from.
#define DATABASE_PRAGMAS                                                                           \
    "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"          \
    "PRAGMA mmap_size = 0;"

static const char *const database_pragmas[] = {
    // synchronous=FULL: in WAL mode anything less may lose acknowledged commits at a power loss.
    // The checkpoint thread moves the WAL into the file, never a commit.
    [DATABASE_WRITER] = DATABASE_PRAGMAS "PRAGMA synchronous = FULL; PRAGMA cache_size = -1024;"
                        "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;",
    [DATABASE_READER] = DATABASE_PRAGMAS "PRAGMA query_only = ON; PRAGMA cache_size = -512;",
    [DATABASE_SOURCE] = DATABASE_PRAGMAS "PRAGMA query_only = ON; PRAGMA cache_size = -512;",
    [DATABASE_COPY] = DATABASE_PRAGMAS "PRAGMA synchronous = FULL; PRAGMA cache_size = -512;",
};

// Readers read: nothing else is even prepared.
static int database_authorize(void *context, int action, const char *first, const char *second,
                                const char *database, const char *trigger)
{
    (void)context, (void)first, (void)second, (void)database, (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_TRANSACTION:
        return SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

static void database_configure_library(void)
{
    // Memory statistics cost a lock shared by all threads at each allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    // No pages ahead of need: each connection would touch twenty of them at once.
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_initialize();
}

static int database_harden(sqlite3 *db)
{
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        int code = sqlite3_db_config(db, options[i].option, options[i].value, NULL);
        if (code)
            return code;
    }
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 8 * 1024 * 1024);
    return SQLITE_OK;
}

static int database_prepare(sqlite3 *db, enum database_kind kind, unsigned busy_ms)
{
    int code = database_harden(db);
    if (!code)
        code = sqlite3_busy_timeout(db, (int)busy_ms);
    if (!code)
        code = sqlite3_exec(db, database_pragmas[kind], NULL, NULL, NULL);
    if (!code && kind == DATABASE_READER)
        code = sqlite3_set_authorizer(db, database_authorize, NULL);
    return code;
}

enum twoleg_error database_explain(const struct database *database, int code,
                                   char ret_reason[static 256])
{
    int primary = code & 0xff;
    if (primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT) {
        snprintf(ret_reason, 256, "%s", primary == SQLITE_NOTADB ? "is not a twoleg store"
                                                                 : "is damaged");
        return TWOLEG_REFUSED;
    }
    snprintf(ret_reason, 256, "cannot be read: %s",
             database->db ? sqlite3_errmsg(database->db) : sqlite3_errstr(code));
    enum twoleg_error error = statement_error(code);
    return error ? error : TWOLEG_STORE_FAILED;
}

enum twoleg_error database_open(struct database *database, const char *file,
                                  enum database_kind kind, unsigned busy_ms,
                                  char ret_reason[static 256])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, database_configure_library);
    memset(database, 0, sizeof *database);
    // No CREATE: the file was made before, with its mode, so that SQLite never chooses one.
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE |
                (kind == DATABASE_READER || kind == DATABASE_SOURCE ? SQLITE_OPEN_READONLY
                                                                   : SQLITE_OPEN_READWRITE);
    int code = fault_here(FAULT_STORE)
                   ? SQLITE_CANTOPEN
                   : sqlite3_open_v2(file, &database->db, flags, NULL);
    if (!code)
        code = database_prepare(database->db, kind, busy_ms);
    if (!code)
        return TWOLEG_NONE;
    enum twoleg_error error = database_explain(database, code, ret_reason);
    database_close(database);
    return error;
}

void database_close(struct database *database)
{
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(database->statements[i]);
    sqlite3_close(database->db);
    memset(database, 0, sizeof *database);
}

enum twoleg_error database_begin_read(struct database *database)
{
    struct statement begin = statement_begin(database, SQL_BEGIN_READ);
    return statement_run(&begin);
}

void database_rollback(struct database *database)
{
    if (database->db && !sqlite3_get_autocommit(database->db))
        sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
}

int64_t database_ask(struct database *database, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t answer = -1;
    if (!fault_here(FAULT_STORE) &&
        sqlite3_prepare_v2(database->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        answer = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return answer;
}

enum twoleg_error database_execute(struct database *database, const char *sql)
{
    int code = fault_here(FAULT_STORE) ? SQLITE_IOERR
                                       : sqlite3_exec(database->db, sql, NULL, NULL, NULL);
    return statement_error(code);
}

bool database_answers(struct database *database, const char *sql, const char *expected)
{
    sqlite3_stmt *stmt = NULL;
    bool same = false;
    if (!fault_here(FAULT_STORE) &&
        sqlite3_prepare_v2(database->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        const unsigned char *answer = sqlite3_column_text(stmt, 0);
        same = answer && strcmp((const char *)answer, expected) == 0;
    }
    sqlite3_finalize(stmt);
    return same;
}
