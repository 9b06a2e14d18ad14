// SPDX-License-Identifier: Apache-2.0
// Row H16: from the schema of the first release to the latest, cut short anywhere, and back. The
// store that is upgraded is one that the first release left itself: tests/store/core.sql.
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../store/core_test.h"
#include "store/sqlite/migration.h"
#include "store/sqlite/state.h"

// One schema and nothing in between, with all rows.
static unsigned assert_whole(const struct test_store *test)
{
    sqlite3 *db = raw_open(test, "twoleg.db");
    int64_t reached = raw_ask(db, "PRAGMA user_version");
    int64_t columns = raw_ask(db, "SELECT count(*) FROM pragma_table_info('applications')"
                                  " WHERE name IN ('budget', 'budget_mode')");
    assert_int_equal(raw_ask(db, "SELECT max(version) FROM schema_version"), 1);
    assert_int_equal(columns, reached >= 2 ? 2 : 0);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM sqlite_schema"
                                 " WHERE name LIKE 'reference_tokens%'"),
                     reached >= 8 ? 3 : reached >= 3 ? 2 : 0);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM pragma_table_info('applications')"
                                 " WHERE name = 'dialects'"), reached >= 5);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'user_apis%'"
                                 " OR name LIKE 'user_scopes%' OR name LIKE 'refresh_tokens%'"),
                     reached >= 4 ? 6 : 0);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM pragma_table_info('applications')"
                                 " WHERE name = 'grants'"), reached >= 4 ? 1 : 0);
    assert_int_equal(raw_ask(db, "SELECT (SELECT count(*) FROM pragma_table_info('refresh_tokens')"
                                 " WHERE name = 'tokens_until_s') + (SELECT count(*) FROM"
                                 " pragma_table_info('reference_tokens') WHERE name = 'family')"),
                     reached >= 6 ? 2 : 0);
    assert_int_equal(raw_ask(db, "SELECT (SELECT count(*) FROM pragma_table_info('refresh_tokens')"
                                 " WHERE name = 'term') + (SELECT count(*) FROM"
                                 " pragma_table_info('applications') WHERE name = 'refresh_term')"
                                 " + (SELECT count(*) FROM pragma_table_info('revoked_tokens')"
                                 " WHERE name = 'generation')"),
                     reached >= 7 ? 3 : 0);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM pragma_table_info('refresh_tokens')"
                                 " WHERE name = 'credential'"), reached >= 8);
    sqlite3_close(db);
    assert_same_rows(test, "core.db", "twoleg.db");
    return reached ? (unsigned)reached : 1;
}

// ---------------------------------------------------------------------------------- the way up
static void H16_an_upgrade_keeps_every_row_and_a_copy_from_before(void **state)
{
    struct test_store *test = *state;
    assert_int_equal(test_try_open(test, false), TWOLEG_NONE);
    assert_int_equal(store_reader_create(test->store, &test->reader), TWOLEG_NONE);
    assert_non_null(strstr(test->reason, "was brought from schema 1 to " LATEST_TEXT(LATEST)));
    assert_non_null(strstr(test->reason, "before-002.db"));
    assert_int_equal(assert_whole(test), LATEST);
    uint64_t number;
    assert_int_equal(store_application_find(test->reader, STORE_OPERATOR, STR("jwt"), &number),
                     TWOLEG_NONE);
    struct application *application = test_load(test, number);
    assert_non_null(application);
    assert_false(application->budget.own);
    assert_int_equal(application->budget.mode, BUDGET_MODE_DEFAULT);
    assert_int_equal(application->grants, GRANTS_DEFAULT);
    struct stat info;
    char path[300];
    path_in(test, "before-002.db", path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_same_rows(test, "core.db", "before-002.db");
    test_close(test);
    // The copy is a store that opens.
    assert_int_equal(store_restore(test->folder, path, true, test->reason), TWOLEG_NONE);
    assert_int_equal(assert_whole(test), 1);
    test_open(test);
    assert_int_equal(assert_whole(test), LATEST);
}

static void H16_a_second_start_does_nothing(void **state)
{
    struct test_store *test = *state;
    test_open(test);
    char path[300];
    struct stat before, after;
    path_in(test, "before-002.db", path);
    assert_int_equal(stat(path, &before), 0);
    test_close(test);
    test_open(test);
    assert_string_equal(test->reason, "");
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    assert_int_equal(assert_whole(test), LATEST);
}

static void H16_a_new_store_has_the_schema_of_an_upgraded_one(void **state)
{
    struct test_store *test = *state;
    struct test_store fresh = {0};
    test_open(test);
    test_folder(fresh.folder, "data");
    arena_init(&fresh.arena, NULL, 1024 * 1024);
    test_open(&fresh);
    assert_true(store_was_created(fresh.store));
    assert_string_equal(fresh.reason, "");
    char sql[400];
    snprintf(sql, sizeof sql, "ATTACH '%s/twoleg.db' AS fresh", fresh.folder);
    sqlite3 *db = raw_open(test, "twoleg.db");
    raw_run(db, sql);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM (SELECT name, sql FROM main.sqlite_schema"
                                 " EXCEPT SELECT name, sql FROM fresh.sqlite_schema)"), 0);
    assert_int_equal(raw_ask(db, "SELECT (SELECT count(*) FROM main.sqlite_schema) ="
                                 " (SELECT count(*) FROM fresh.sqlite_schema)"), 1);
    assert_int_equal(raw_ask(db, "PRAGMA fresh.user_version"), LATEST);
    sqlite3_close(db);
    test_close(&fresh);
    arena_finish(&fresh.arena);
}

static void H16_steps_run_in_order_and_stop_at_an_error(void **state)
{
    struct test_store *test = *state;
    static const struct migration_step steps[] = {
        {1, ""}, {2, ""}, {3, "CREATE TABLE third (x INTEGER) STRICT;"},
        {4, "CREATE TABLE fourth (x INTEGER) STRICT; CREATE TABLE fourth (x INTEGER) STRICT;"}};
    struct migration_plan plan = {steps, 4};
    char reason[256];
    unsigned version;
    test_open(test);
    struct database *writer = &test->store->writer;
    struct folder *folder = &test->store->folder;
    assert_int_not_equal(migration_run(writer, folder, &plan, 2, reason), TWOLEG_NONE);
    assert_non_null(strstr(reason, "schema 4"));
    assert_true(is_there(test, "before-003.db"));
    assert_int_equal(migration_check(writer, &plan, &version, reason), TWOLEG_NONE);
    assert_int_equal(version, 3); // the step that failed left nothing
    assert_int_equal(
        database_ask(writer, "SELECT count(*) FROM sqlite_schema WHERE name = 'fourth'"), 0);
}

// ---------------------------------------------------------------------------------- cut short
struct cut {
    int left;   // instructions of SQLite's machine until then
    bool killed; // as kill -9, or with an error that is dealt with
};

static int cut_here(void *context)
{
    struct cut *cut = context;
    if (cut->left-- > 0)
        return 0;
    if (cut->killed)
        _exit(9);
    return 1;
}

// True: it went through before it was to be cut short.
static bool cut_run(struct test_store *test, struct cut *cut)
{
    char path[300];
    char reason[256];
    struct database writer;
    struct folder folder;
    char words[512];
    path_in(test, "twoleg.db", path);
    assert_int_equal(folder_open(&folder, test->folder, false, words), TWOLEG_NONE);
    assert_int_equal(database_open(&writer, path, DATABASE_WRITER, 50, reason), TWOLEG_NONE);
    assert_true(database_answers(&writer, "PRAGMA journal_mode = WAL", "wal"));
    sqlite3_progress_handler(writer.db, 1, cut_here, cut);
    enum twoleg_error error = migration_run(&writer, &folder, &migration_plan, 1, reason);
    sqlite3_progress_handler(writer.db, 0, NULL, NULL);
    database_close(&writer);
    folder_close(&folder);
    return error == TWOLEG_NONE;
}

static bool cut_run_child(struct test_store *test, struct cut *cut)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(cut_run(test, cut) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
    return WEXITSTATUS(status) == 0;
}

// At so many places, evenly from the first instruction to beyond the last.
#define CUTS 30

static void cut_everywhere(struct test_store *test, bool killed)
{
    struct cut all = {INT_MAX, false};
    core_folder(test);
    assert_true(cut_run(test, &all));
    int count = INT_MAX - all.left;
    bool through = false;
    unsigned copied = 0; // and then cut short in the step itself
    for (int at = 0; !through; at += count / CUTS + 1) {
        struct cut cut = {at, killed};
        core_folder(test);
        through = killed ? cut_run_child(test, &cut) : cut_run(test, &cut);
        unsigned reached = assert_whole(test);
        bool copy = is_there(test, "before-002.db");
        assert_true(through ? reached == LATEST : copy || reached == 1);
        copied += copy && reached < LATEST;
        if (copy)
            assert_same_rows(test, "core.db", "before-002.db");
        // Whatever it has left is no hindrance.
        assert_int_equal(test_try_open(test, false), TWOLEG_NONE);
        assert_int_equal(assert_whole(test), LATEST);
    }
    assert_true(copied > CUTS / 4);
}

static void H16_an_error_at_any_instruction_leaves_either_schema_whole(void **state)
{
    cut_everywhere(*state, false);
}

static void H16_kill_9_at_any_instruction_leaves_either_schema_whole(void **state)
{
    cut_everywhere(*state, true);
}

static void H16_a_fault_at_any_call_leaves_either_schema_whole(void **state)
{
    struct test_store *test = *state;
    static const enum fault_kind kinds[] = {FAULT_STORE, FAULT_IO, FAULT_MEMORY};
    unsigned refused = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool met = true;
        for (unsigned long nth = 1; met; nth++) {
            core_folder(test);
            fault_arm(kinds[i], nth, false);
            enum twoleg_error error = test_try_open(test, false);
            met = fault_count(kinds[i]) >= nth;
            fault_arm(kinds[i], 0, false);
            if (error && !strstr(test->reason, test->folder))
                fail_msg("\"%s\" names no folder", test->reason);
            refused += error != TWOLEG_NONE;
            test_close(test);
            assert_true(assert_whole(test) == LATEST || error);
            if (!error)
                continue;
            // The fault has passed: the next start gets there.
            assert_int_equal(test_try_open(test, false), TWOLEG_NONE);
            assert_int_equal(assert_whole(test), LATEST);
        }
    }
    assert_true(refused > 10);
}

static void H16_what_an_earlier_attempt_left_is_no_hindrance(void **state)
{
    struct test_store *test = *state;
    raw_do(test, "UPDATE applications SET name = 'of the first try'");
    char command[700];
    snprintf(command, sizeof command, "cp -p '%s/core.db' '%s/before-002.db' && "
             "echo half >'%s/before-002.db.tmp'", test->folder, test->folder, test->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(test_try_open(test, false), TWOLEG_NONE);
    assert_false(is_there(test, "before-002.db.tmp"));
    sqlite3 *db = raw_open(test, "before-002.db");
    assert_int_equal(
        raw_ask(db, "SELECT count(*) FROM applications WHERE name <> 'of the first try'"), 0);
    sqlite3_close(db);
}

static void H16_another_process_in_the_store_delays_or_refuses_in_words(void **state)
{
    struct test_store *test = *state;
    sqlite3 *db = raw_open(test, "twoleg.db");
    raw_run(db, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    assert_int_equal(test_try_open(test, false), TWOLEG_STORE_BUSY);
    assert_non_null(strstr(test->reason, "cannot take schema 2: database is locked"));
    raw_run(db, "ROLLBACK");
    assert_int_equal(assert_whole(test), 1);
    // One that only reads is in nobody's way.
    raw_run(db, "BEGIN; SELECT count(*) FROM applications");
    assert_int_equal(test_try_open(test, false), TWOLEG_NONE);
    assert_int_equal(raw_ask(db, "SELECT count(*) FROM applications"), 7);
    raw_run(db, "ROLLBACK");
    sqlite3_close(db);
    assert_int_equal(assert_whole(test), LATEST);
}

// ---------------------------------------------------------------------------------- newer, older
static int64_t core_content(const struct test_store *test)
{
    char command[400];
    char line[64] = "";
    snprintf(command, sizeof command, "cd '%s' && cksum twoleg.db && ls", test->folder);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    uint64_t sum = 5381;
    while (fgets(line, sizeof line, pipe))
        for (const char *at = line; *at; at++)
            sum = sum * 33 + (unsigned char)*at;
    assert_int_equal(pclose(pipe), 0);
    return (int64_t)(sum >> 1);
}

static void H16_a_newer_schema_is_refused_in_words_and_left_alone(void **state)
{
    struct test_store *test = *state;
    raw_do(test, "INSERT INTO schema_version VALUES (1000, 0); PRAGMA user_version = 1000");
    int64_t before = core_content(test);
    assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
    assert_non_null(strstr(test->reason, "twoleg.db: was written by a newer twoleg (schema 1000; "
                                         "this one knows schema " LATEST_TEXT(LATEST) ")"));
    test_close(test);
    assert_true(core_content(test) == before);
    char path[300];
    path_in(test, "twoleg.db", path);
    assert_int_equal(rename(path, strcat(strcpy((char[310]){0}, path), ".newer")), 0);
}

static void H16_a_newer_schema_that_only_adds_is_served(void **state)
{
    struct test_store *test = *state;
    test_open(test);
    test_close(test);
    raw_do(test, "ALTER TABLE applications ADD COLUMN later TEXT NOT NULL DEFAULT 'x';"
                 "CREATE TABLE later (x INTEGER) STRICT; PRAGMA user_version = 1000");
    test_open(test);
    assert_string_equal(test->reason, "");
    struct store_batch *batch = test_batch();
    struct store_verb *verb = store_batch_add(batch, VERB_APPLICATION_UPDATE, STORE_OPERATOR);
    verb->update.fields = FIELD_BUDGET_MODE;
    verb->update.budget.mode = BUDGET_MODE_ENFORCE;
    assert_int_equal(store_application_find(test->reader, STORE_OPERATOR, STR("jwt"),
                                            &verb->update.number), TWOLEG_NONE);
    uint64_t number = verb->update.number;
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
    assert_int_equal(test_load(test, number)->budget.mode, BUDGET_MODE_ENFORCE);
    assert_int_equal(database_ask(&test->store->writer, "PRAGMA user_version"), 1000);
    assert_false(is_there(test, "before-1000.db"));
    assert_false(is_there(test, "before-009.db"));
}

// The release before deletes an application and leaves rows alone that it does not know.
static void H16_what_the_release_before_leaves_is_taken_away(void **state)
{
    struct test_store *test = *state;
    test_open(test);
    test_close(test);
    raw_do(test,
           "INSERT INTO reference_tokens (place, hash, account, application, generation,"
           " credential, epoch, api, scope, issued_s, expires_s) SELECT number & 1023,"
           " zeroblob(32), 1, number, generation, 1, 1, 1, '', 1, 0 FROM applications"
           " WHERE client_id IN ('jwt', 'sealed')");
    raw_do(test, "UPDATE applications SET status = 2, deleted_us = 3 WHERE client_id = 'jwt'");
    test_open(test);
    struct store_batch *batch = test_batch();
    store_batch_add(batch, VERB_TOKENS_PURGE, STORE_OPERATOR);
    assert_int_equal(store_commit(test->store, batch), TWOLEG_NONE);
    assert_int_equal(batch->purged.rows, 1);
    store_batch_destroy(batch);
    assert_int_equal(
        database_ask(&test->store->writer, "SELECT count(*) FROM reference_tokens AS t JOIN"
                     " applications AS a ON a.number = t.application AND a.status = 0"), 1);
}

static int64_t sweep_revocations(struct test_store *test)
{
    for (unsigned sweeps = 0; sweeps < 3; sweeps++)
        while (test_purge_slice(test, VERB_TOKENS_PURGE, 1).more)
            ;
    return database_ask(&test->store->writer, "SELECT count(*) FROM revoked_tokens");
}

// Its time says nothing of the generation that its token is of: a clock may have stepped back.
static void H16_what_the_release_before_has_revoked_stays_revoked(void **state)
{
    struct test_store *test = *state;
    struct store_verb act = {.update = {.fields = FIELD_GENERATION}};
    raw_do(test, "UPDATE revoked_tokens SET revoked_us = 1");
    test_open(test);
    assert_int_equal(sweep_revocations(test), 1);
    act.update.number = (uint64_t)database_ask(&test->store->writer,
                                               "SELECT application FROM revoked_tokens");
    test_close(test);
    raw_do(test, "INSERT INTO revoked_tokens (id, account, application, expires_s, revoked_us)"
                 " SELECT zeroblob(16), account, application, 0, 1 FROM revoked_tokens");
    test_open(test);
    assert_int_equal(sweep_revocations(test), 2);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &act), TWOLEG_NONE);
    assert_int_equal(sweep_revocations(test), 1); // of which generation that is nobody knows
    act.number = act.update.number;
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &act), TWOLEG_NONE);
    assert_int_equal(sweep_revocations(test), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, core_setup, test_teardown)
        TEST(H16_an_upgrade_keeps_every_row_and_a_copy_from_before),
        TEST(H16_a_second_start_does_nothing),
        TEST(H16_a_new_store_has_the_schema_of_an_upgraded_one),
        TEST(H16_steps_run_in_order_and_stop_at_an_error),
        TEST(H16_an_error_at_any_instruction_leaves_either_schema_whole),
        TEST(H16_kill_9_at_any_instruction_leaves_either_schema_whole),
        TEST(H16_a_fault_at_any_call_leaves_either_schema_whole),
        TEST(H16_what_an_earlier_attempt_left_is_no_hindrance),
        TEST(H16_another_process_in_the_store_delays_or_refuses_in_words),
        TEST(H16_a_newer_schema_is_refused_in_words_and_left_alone),
        TEST(H16_a_newer_schema_that_only_adds_is_served),
        TEST(H16_what_the_release_before_leaves_is_taken_away),
        TEST(H16_what_the_release_before_has_revoked_stays_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
