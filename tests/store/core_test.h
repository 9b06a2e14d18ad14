// SPDX-License-Identifier: Apache-2.0
// The store that the first release left itself, tests/store/core.sql, for those who upgrade it.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "store_test.h"

#define LATEST 8 // schema
#define LATEST_TEXT_(number) #number
#define LATEST_TEXT(number) LATEST_TEXT_(number)

static inline void path_in(const struct test_store *test, const char *name,
                           char ret_path[static 300])
{
    assert_true(snprintf(ret_path, 300, "%s/%s", test->folder, name) < 300);
}

static inline bool is_there(const struct test_store *test, const char *name)
{
    char path[300];
    path_in(test, name, path);
    return access(path, F_OK) == 0;
}

static inline sqlite3 *raw_open(const struct test_store *test, const char *name)
{
    char path[300];
    sqlite3 *db;
    path_in(test, name, path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
                     SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    return db;
}

static inline void raw_run(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

static inline int64_t raw_ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t answer = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return answer;
}

static inline void raw_do(const struct test_store *test, const char *sql)
{
    sqlite3 *db = raw_open(test, "twoleg.db");
    raw_run(db, sql);
    sqlite3_close(db);
}

// The first release's store, as the file core.db, which stays as it is.
static inline void core_make(const struct test_store *test)
{
    char command[700];
    snprintf(command, sizeof command,
             "umask 077; sqlite3 '%s/core.db' <'" TWOLEG_SOURCE_DIR "/tests/store/core.sql'",
             test->folder);
    assert_int_equal(system(command), 0);
}

// It is the store of the folder now, and there is no trace of a later one.
static inline void core_folder(struct test_store *test)
{
    static const char *const leftovers[] = {"before-002.db", "before-002.db.tmp", "before-003.db",
                                            "before-004.db", "before-005.db", "before-006.db",
                                            "before-007.db", "before-008.db", "twoleg.db",
                                            "twoleg.db-wal", "twoleg.db-shm"};
    static char content[1024 * 1024];
    char path[300];
    test_close(test);
    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
        path_in(test, leftovers[i], path);
        assert_true(unlink(path) == 0 || errno == ENOENT);
    }
    path_in(test, "core.db", path);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    path_in(test, "twoleg.db", path);
    int to = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    ssize_t size = read(from, content, sizeof content);
    assert_true(size > 0 && size < (ssize_t)sizeof content);
    assert_true(write(to, content, (size_t)size) == size);
    close(from);
    close(to);
}

// All rows of all tables of the first file, by the columns that it has, are in the second, and no
// others.
static inline void assert_same_rows(const struct test_store *test, const char *first,
                                    const char *second)
{
    char sql[2400];
    sqlite3_stmt *tables;
    sqlite3 *db = raw_open(test, first);
    snprintf(sql, sizeof sql, "ATTACH '%s/%s' AS other", test->folder, second);
    raw_run(db, sql);
    static const char columns_of[] =
        "SELECT name, (SELECT group_concat(name) FROM pragma_table_info(t.name))"
        " FROM main.sqlite_schema t WHERE type = 'table'";
    assert_int_equal(sqlite3_prepare_v2(db, columns_of, -1, &tables, NULL), SQLITE_OK);
    int count = 0;
    for (; sqlite3_step(tables) == SQLITE_ROW; count++) {
        const unsigned char *table = sqlite3_column_text(tables, 0);
        const unsigned char *columns = sqlite3_column_text(tables, 1);
        snprintf(sql, sizeof sql,
                 "SELECT (SELECT count(*) FROM main.%s) = (SELECT count(*) FROM other.%s) AND NOT"
                 " EXISTS (SELECT %s FROM main.%s EXCEPT SELECT %s FROM other.%s)",
                 table, table, columns, table, columns, table);
        if (raw_ask(db, sql) != 1)
            fail_msg("the rows of %s differ between %s and %s", table, first, second);
    }
    assert_int_equal(count, 20);
    sqlite3_finalize(tables);
    sqlite3_close(db);
}

static inline int core_setup(void **state)
{
    if (test_setup(state))
        return -1;
    core_make(*state);
    core_folder(*state);
    return 0;
}
