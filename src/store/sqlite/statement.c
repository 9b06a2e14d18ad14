// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/statement.h"

#include <string.h>

#include "base/fault.h"

static const char *const statement_sql[] = {
#define STATEMENT(name, sql) [SQL_##name] = sql,
#include "store/sqlite/statements.def"
#undef STATEMENT
};

enum twoleg_error statement_error(int code)
{
    switch (code) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return TWOLEG_NONE;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return TWOLEG_CONFLICT;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return TWOLEG_NOT_FOUND;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
        return TWOLEG_RANGE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return TWOLEG_STORE_BUSY;
    default:
        return TWOLEG_STORE_FAILED;
    }
}

struct statement statement_begin(struct database *database, enum statement_id id)
{
    struct statement statement = {.code = SQLITE_OK};
    sqlite3_stmt **cached = &database->statements[id];
    if (fault_here(FAULT_STORE))
        statement.code = SQLITE_IOERR;
    else if (!*cached)
        statement.code = sqlite3_prepare_v3(database->db, statement_sql[id], -1,
                                            SQLITE_PREPARE_PERSISTENT, cached, NULL);
    // One that is still being stepped has another user on this very thread: a bug, not a wait.
    if (!statement.code && sqlite3_stmt_busy(*cached))
        statement.code = SQLITE_MISUSE;
    if (!statement.code)
        statement.stmt = *cached;
    return statement;
}

static void statement_note(struct statement *statement, int code)
{
    if (!statement->code && code)
        statement->code = code;
}

void statement_int(struct statement *statement, int64_t value)
{
    if (!statement->code)
        statement_note(statement, sqlite3_bind_int64(statement->stmt, ++statement->bound, value));
}

void statement_number(struct statement *statement, uint64_t value)
{
    int64_t pattern;
    memcpy(&pattern, &value, sizeof pattern);
    statement_int(statement, pattern);
}

static void statement_bind_text(struct statement *statement, struct str text,
                                sqlite3_destructor_type kept)
{
    if (!statement->code)
        statement_note(statement,
                       sqlite3_bind_text64(statement->stmt, ++statement->bound,
                                           text.ptr ? text.ptr : "", text.len, kept, SQLITE_UTF8));
}

void statement_text(struct statement *statement, struct str text)
{
    statement_bind_text(statement, text, SQLITE_STATIC);
}

void statement_text_copy(struct statement *statement, struct str text)
{
    statement_bind_text(statement, text, SQLITE_TRANSIENT);
}

void statement_bytes(struct statement *statement, struct str bytes)
{
    if (!statement->code)
        statement_note(statement,
                       sqlite3_bind_blob64(statement->stmt, ++statement->bound,
                                           bytes.ptr ? bytes.ptr : "", bytes.len, SQLITE_STATIC));
}

void statement_null(struct statement *statement)
{
    if (!statement->code)
        statement_note(statement, sqlite3_bind_null(statement->stmt, ++statement->bound));
}

bool statement_step(struct statement *statement)
{
    if (statement->code)
        return false;
    int code = fault_here(FAULT_STORE) ? SQLITE_IOERR : sqlite3_step(statement->stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        statement->code = code;
    return code == SQLITE_ROW;
}

int64_t statement_get_int(const struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->stmt, column);
}

uint64_t statement_get_number(const struct statement *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement->stmt, column);
}

struct str statement_get_text(const struct statement *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement->stmt, column);
    return str_of(text, text ? (size_t)sqlite3_column_bytes(statement->stmt, column) : 0);
}

struct str statement_get_bytes(const struct statement *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement->stmt, column);
    return str_of(bytes, bytes ? (size_t)sqlite3_column_bytes(statement->stmt, column) : 0);
}

enum entity_status statement_get_status(const struct statement *statement, int column)
{
    int64_t status = statement_get_int(statement, column);
    return status == STATUS_ACTIVE    ? STATUS_ACTIVE
           : status == STATUS_DELETED ? STATUS_DELETED
                                      : STATUS_DISABLED;
}

enum twoleg_error statement_end(struct statement *statement)
{
    if (statement->stmt) {
        sqlite3_reset(statement->stmt);
        sqlite3_clear_bindings(statement->stmt);
        statement->stmt = NULL;
    }
    return statement_error(statement->code);
}

enum twoleg_error statement_run(struct statement *statement)
{
    while (statement_step(statement))
        ;
    return statement_end(statement);
}
