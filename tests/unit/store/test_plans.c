// SPDX-License-Identifier: Apache-2.0
// Row H18: no statement that a request or the writer waits for reads a table through, however large
// it has grown.
#include "../../store/core_test.h"
#include "../../store/user_test.h"
#include "store/sqlite/state.h"

static const struct {
    const char *name, *sql;
} statements[] = {
#define STATEMENT(name, sql) {#name, sql},
#include "store/sqlite/statements.def"
#undef STATEMENT
};

// Those that may, and why nobody waits for them.
static const char *const scans[] = {
    "FEED_LAST",                                              // a table of a handful of rows
    "ACCOUNT_LIST", "API_LIST", "API_COUNT",                  // likewise
    "KEY_LIST", "KEY_GONE_LIST", "KEY_HAS_WRAPPED",           // likewise: a row for each rotation
    "APPLICATION_STATES", "USER_STATES", "REVOCATION_LIST",   // at the start, on a reader
    "REVOKED_COUNT_ALL",                                      // likewise
    "APPLICATION_TIES",                                       // of those that are tied, on a reader
    "TOKEN_COUNT",                                            // in the lane of backups
    "REVOKED_COUNT",                                          // of as many as LIMIT lets through
};

static bool may_scan(const char *name)
{
    for (size_t i = 0; i < sizeof scans / sizeof *scans; i++)
        if (strcmp(scans[i], name) == 0)
            return true;
    return false;
}

static sqlite3_stmt *plan_begin(sqlite3 *db, const char *sql)
{
    char explain[2048];
    sqlite3_stmt *plan;
    assert_true(snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql) <
                (int)sizeof explain);
    if (sqlite3_prepare_v2(db, explain, -1, &plan, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return plan;
}

// A line of the plan that reads all of something.
static bool plan_scans(sqlite3 *db, const char *sql, char ret_line[static 200])
{
    sqlite3_stmt *plan = plan_begin(db, sql);
    bool found = false;
    while (!found && sqlite3_step(plan) == SQLITE_ROW) {
        snprintf(ret_line, 200, "%s", (const char *)sqlite3_column_text(plan, 3));
        found = strncmp(ret_line, "SCAN", 4) == 0;
    }
    sqlite3_finalize(plan);
    return found;
}

static void H18_no_statement_reads_a_table_through(void **state)
{
    struct test_store *test = *state;
    sqlite3 *db = raw_open(test, "twoleg.db");
    char line[200];
    size_t scanning = 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        bool scanned = plan_scans(db, statements[i].sql, line);
        if (scanned && !may_scan(statements[i].name))
            fail_msg("%s: %s", statements[i].name, line);
        scanning += scanned;
    }
    assert_int_equal(scanning, sizeof scans / sizeof *scans); // none is in the list without need
    sqlite3_close(db);
}

// What is revoked must not depend on an index that was damaged.
static void H9_what_is_revoked_is_read_from_the_table(void **state)
{
    struct test_store *test = *state;
    sqlite3 *db = raw_open(test, "twoleg.db");
    unsigned scanned = 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (strcmp(statements[i].name, "REVOCATION_LIST") != 0)
            continue;
        sqlite3_stmt *plan = plan_begin(db, statements[i].sql);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(plan, 3);
            assert_null(strstr(line, "INDEX"));
            scanned += strncmp(line, "SCAN", 4) == 0;
        }
        sqlite3_finalize(plan);
    }
    assert_int_equal(scanned, 2);
    sqlite3_close(db);
}

static enum twoleg_error revoke_at(struct test_store *test, int64_t now_us, uint8_t id)
{
    struct store_batch *batch = store_batch_create(now_us);
    assert_non_null(batch);
    struct store_verb *verb = store_batch_add(batch, VERB_TOKEN_REVOKE, STORE_OPERATOR);
    verb->revoke.application = 11;
    memset(verb->revoke.id.bytes, id, sizeof verb->revoke.id.bytes);
    return test_commit(test, batch);
}

// Whoever may revoke no more costs the others little, however much is kept and however often it is
// asked for.
static void H18_at_the_limit_few_rows_are_counted_and_once_a_second(void **state)
{
    enum { MOST = REVOCATIONS_PER_APPLICATION };
    struct test_store *test = *state;
    const char *generations[] = {"2, 1800000000", "5, 0", "5, 1"}; // earlier ones, living, expired
    for (size_t i = 0; i < sizeof generations / sizeof *generations; i++) {
        char sql[500];
        snprintf(sql, sizeof sql,
                 "INSERT INTO revoked_tokens (id, account, application, revoked_us, generation,"
                 " expires_s) WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT %d)"
                 " SELECT CAST(printf('%zu%%15d', i) AS BLOB), 1, 11, 1, %s FROM n",
                 i == 1 ? MOST : 4 * MOST, i, generations[i]);
        raw_do(test, sql);
    }
    assert_int_equal(revoke_at(test, TEST_NOW, 1), TWOLEG_LIMIT);
    sqlite3_stmt *count = test->store->writer.statements[SQL_REVOKED_COUNT];
    assert_int_equal(sqlite3_stmt_status(count, SQLITE_STMTSTATUS_RUN, 1), 2); // of both kinds
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(revoke_at(test, TEST_NOW - i, 1), TWOLEG_LIMIT);
    assert_int_equal(sqlite3_stmt_status(count, SQLITE_STMTSTATUS_RUN, 1), 0);
    sqlite3_stmt_status(count, SQLITE_STMTSTATUS_VM_STEP, 1);
    assert_int_equal(revoke_at(test, TEST_NOW + SECOND_US, 1), TWOLEG_LIMIT);
    assert_int_equal(sqlite3_stmt_status(count, SQLITE_STMTSTATUS_RUN, 1), 1);
    assert_in_range(sqlite3_stmt_status(count, SQLITE_STMTSTATUS_VM_STEP, 1), MOST, 10 * MOST);
}

// They are dead without it, and leave in their time.
static void H18_of_a_users_logins_a_part_leaves_with_the_password(void **state)
{
    enum { MANY = 3000 };
    struct test_store *test = *state;
    char sql[700];
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(make_user(test, ANN + 1, "bob"), TWOLEG_NONE);
    snprintf(sql, sizeof sql,
             "INSERT INTO refresh_tokens (family, account, application, generation, user,"
             " user_generation, epoch, api, scope, key, current, rotated_us, idle_us, expires_us)"
             " WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT %d)"
             " SELECT i, 1, 11, 5, (SELECT number FROM users WHERE username ="
             " iif(i %% 2, 'ann', 'bob')), 5, 1, 7, '', 1, zeroblob(32), i, i, i FROM n",
             2 * MANY);
    raw_do(test, sql);
    assert_int_equal(update_user(test, ANN, FIELD_GENERATION, STATUS_ACTIVE, 6), TWOLEG_NONE);
    assert_in_range(database_ask(&test->store->writer, "SELECT count(*) FROM refresh_tokens"),
                    MANY + 1, 2 * MANY - 1);
    assert_int_equal(update_user(test, ANN, FIELD_GENERATION, STATUS_ACTIVE, 7), TWOLEG_NONE);
    assert_int_equal(database_ask(&test->store->writer, "SELECT count(*) FROM refresh_tokens"),
                     MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(H18_no_statement_reads_a_table_through),
        WITH_STORE(H9_what_is_revoked_is_read_from_the_table),
        WITH_APPLICATIONS(H18_at_the_limit_few_rows_are_counted_and_once_a_second),
        WITH_APPLICATIONS(H18_of_a_users_logins_a_part_leaves_with_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
