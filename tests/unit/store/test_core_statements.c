// SPDX-License-Identifier: Apache-2.0
// Row H16: the program of the first release runs on the store that this one has upgraded. Each
// statement that it knows is run on its own store and on the upgraded one, with the same values:
// the same rows come, the same rows are left, and this release goes on with them.
#include "../../store/core_test.h"

struct core_statement {
    const char *name;
    const char *sql;
    const char *values; // what is bound, as the columns of a SELECT
};

static const struct core_statement core_statements[] = {
#define CORE(name, sql, values) {#name, sql, values},
#include "../../store/core_statements.def"
#undef CORE
};

// The only value that is another one from second to second.
static void core_epoch(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    (void)values;
    sqlite3_result_int64(context, 1);
}

static sqlite3 *core_open(const struct test_store *test, const char *name)
{
    sqlite3 *db = raw_open(test, name);
    assert_int_equal(
        sqlite3_create_function(db, "unixepoch", 0, SQLITE_UTF8, NULL, core_epoch, NULL, NULL),
        SQLITE_OK);
    raw_run(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
    return db;
}

static void core_bind(sqlite3 *db, sqlite3_stmt *stmt, const struct core_statement *core)
{
    char sql[512];
    sqlite3_stmt *values;
    int wanted = sqlite3_bind_parameter_count(stmt);
    if (wanted == 0)
        return;
    snprintf(sql, sizeof sql, "SELECT %s", core->values);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &values, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(values), SQLITE_ROW);
    if (sqlite3_column_count(values) != wanted)
        fail_msg("%s wants %d values", core->name, wanted);
    for (int i = 0; i < wanted; i++)
        assert_int_equal(sqlite3_bind_value(stmt, i + 1, sqlite3_column_value(values, i)),
                         SQLITE_OK);
    sqlite3_finalize(values);
}

// What it gives, as text; then how it ended, and how many rows it changed.
static void core_run(sqlite3 *db, const struct core_statement *core, struct buf *out)
{
    sqlite3_stmt *stmt;
    int before = sqlite3_total_changes(db);
    int code = sqlite3_prepare_v2(db, core->sql, -1, &stmt, NULL);
    if (code != SQLITE_OK)
        fail_msg("%s: %s", core->name, sqlite3_errmsg(db));
    core_bind(db, stmt, core);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            buf_addf(out, "%d:", sqlite3_column_type(stmt, i));
            const void *bytes = sqlite3_column_blob(stmt, i);
            buf_add(out, str_of(bytes, bytes ? (size_t)sqlite3_column_bytes(stmt, i) : 0));
            buf_add_char(out, '|');
        }
        buf_add_char(out, '\n');
    }
    if (code != SQLITE_DONE)
        fail_msg("%s: %s", core->name, sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    buf_addf(out, "%d changes", sqlite3_total_changes(db) - before);
    assert_false(out->failed);
}

static bool core_is_transaction(const struct core_statement *core)
{
    return strncmp(core->name, "BEGIN_", 6) == 0 || strncmp(core->name, "BATCH_", 6) == 0;
}

static void core_run_both(sqlite3 *old, sqlite3 *new, const struct core_statement *core)
{
    static char memory[2][64 * 1024];
    sqlite3 *dbs[] = {old, new};
    struct buf outs[2];
    for (size_t i = 0; i < 2; i++) {
        buf_init(&outs[i], memory[i], sizeof memory[i]);
        if (strncmp(core->name, "BEGIN_", 6) == 0 && !sqlite3_get_autocommit(dbs[i]))
            raw_run(dbs[i], "COMMIT");
        core_run(dbs[i], core, &outs[i]);
    }
    if (!str_equal(buf_str(&outs[0]), buf_str(&outs[1])))
        fail_msg("%s: \"%.*s\" there and \"%.*s\" here", core->name, STR_ARG(buf_str(&outs[0])),
                 STR_ARG(buf_str(&outs[1])));
    // One that did nothing would show nothing.
    if (!core_is_transaction(core) && str_equal(buf_str(&outs[0]), STR("0 changes")))
        fail_msg("%s did nothing", core->name);
}

static void H16_every_statement_of_the_first_release_does_the_same(void **state)
{
    struct test_store *test = *state;
    test_open(test);
    test_close(test);
    raw_do(test, "UPDATE applications SET budget = '5/1m', budget_mode = 2"
                 " WHERE client_id = 'jwt'");
    sqlite3 *old = core_open(test, "core.db");
    sqlite3 *new = core_open(test, "twoleg.db");
    assert_int_equal(raw_ask(old, "PRAGMA user_version"), 0);
    assert_int_equal(raw_ask(new, "PRAGMA user_version"), LATEST);
    for (size_t i = 0; i < sizeof core_statements / sizeof *core_statements; i++)
        core_run_both(old, new, &core_statements[i]);
    raw_run(old, "COMMIT");
    raw_run(new, "COMMIT");
    sqlite3_close(old);
    sqlite3_close(new);
    assert_same_rows(test, "core.db", "twoleg.db");
}

static void H16_this_release_goes_on_after_the_first_one(void **state)
{
    struct test_store *test = *state;
    H16_every_statement_of_the_first_release_does_the_same(state);
    sqlite3 *db = raw_open(test, "twoleg.db");
    assert_int_equal(raw_ask(db, "SELECT max(version) FROM schema_version"), 1); // all it asks
    sqlite3_close(db);
    test_open(test);
    assert_string_equal(test->reason, "");
    struct application *made = test_load(test, 12);
    assert_non_null(made);
    assert_false(made->budget.own);
    assert_int_equal(made->budget.mode, BUDGET_MODE_DEFAULT);
    uint64_t number;
    assert_int_equal(store_application_find(test->reader, STORE_OPERATOR, STR("jwt"), &number),
                     TWOLEG_NONE);
    struct application *kept = test_load(test, number);
    test_assert_str(kept->name, "renamed");
    assert_true(kept->budget.own);
    assert_int_equal(kept->budget.rate.count, 5);
    assert_int_equal(kept->budget.mode, BUDGET_MODE_OBSERVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(H16_every_statement_of_the_first_release_does_the_same,
                                        core_setup, test_teardown),
        cmocka_unit_test_setup_teardown(H16_this_release_goes_on_after_the_first_one, core_setup,
                                        test_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
