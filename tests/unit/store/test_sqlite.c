// SPDX-License-Identifier: Apache-2.0
// What only SQLite can do to us: foreign files, other processes' locks, damage, a full disk; and
// the pragmas that a promise hangs on.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../../store/store_test.h"
#include "store/sqlite/state.h"

static sqlite3 *raw_open(struct test_store *test)
{
    char path[300];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/twoleg.db", test->folder);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
                     SQLITE_OK);
    return db;
}

static void raw_do(struct test_store *test, const char *sql)
{
    sqlite3 *db = raw_open(test);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void assert_refused(struct test_store *test, const char *words)
{
    assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
    if (!strstr(test->reason, words) || !strstr(test->reason, test->folder))
        fail_msg("\"%s\" does not say \"%s\"", test->reason, words);
}

// Leaves the folder as kill -9 does, with application 12 in the WAL only; the copy is from before.
static void leave_wal(struct test_store *test, const char *copy_as)
{
    char copy[400], command[1400];
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    snprintf(copy, sizeof copy, "%s.copy", test->folder);
    assert_int_equal(store_backup(test->reader, copy, test->reason), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "b"), TWOLEG_NONE);
    snprintf(command, sizeof command, "mkdir '%s.kept' && cp -p '%s/twoleg.db' "
             "'%s/twoleg.db-wal' '%s.kept'", test->folder, test->folder, test->folder,
             test->folder);
    assert_int_equal(system(command), 0);
    test_close(test);
    snprintf(command, sizeof command, "mv '%s.kept'/* '%s' && mv '%s' '%s/%s'", test->folder,
             test->folder, copy, test->folder, copy_as);
    assert_int_equal(system(command), 0);
}

static void H1_a_restore_cut_short_leaves_the_old_store_whole(void **state)
{
    struct test_store *test = *state;
    leave_wal(test, "restore.tmp");
    test_open(test);
    assert_non_null(test_load(test, 11));
    assert_non_null(test_load(test, 12));
}

static void H1_a_restore_cut_short_leaves_the_new_store_whole(void **state)
{
    struct test_store *test = *state;
    char path[300];
    leave_wal(test, "restore.ready");
    test_open(test);
    assert_non_null(test_load(test, 11));
    assert_null(test_load(test, 12));
    snprintf(path, sizeof path, "%s/restore.ready", test->folder);
    assert_int_equal(access(path, F_OK), -1);
}

// A store that cannot be opened, so that its WAL is not brought in, keeps both until the new one is
// whole, and after it under other names.
static void H9_an_unreadable_store_keeps_its_wal_until_it_is_replaced(void **state)
{
    struct test_store *test = *state;
    char path[300], copy[400], command[1400];
    leave_wal(test, "copy");
    snprintf(copy, sizeof copy, "%s/copy", test->folder);
    snprintf(path, sizeof path, "%s/twoleg.db", test->folder);
    // Until the new one is in its place, which no other name has, it is there with its WAL.
    for (unsigned long k = 1; k < 20; k++) {
        fault_arm(FAULT_IO, k, true);
        fault_arm(FAULT_STORE, 1, false); // the old store cannot be opened
        enum twoleg_error error = store_restore(test->folder, copy, true, test->reason);
        fault_arm(FAULT_IO, 0, false);
        fault_arm(FAULT_STORE, 0, false);
        snprintf(command, sizeof command, "test -s '%s-wal' || test -s '%s/restore.ready'", path,
                 test->folder);
        if (!error || system(command) != 0)
            break;
    }
    snprintf(command, sizeof command, "test $(stat -c %%h '%s') = 1", path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "test -n \"$(ls '%s' | grep 'before-restore-.*-wal$')\"",
             test->folder);
    assert_int_equal(system(command), 0);
    test_open(test);
    assert_non_null(test_load(test, 11));
    assert_null(test_load(test, 12));
}

static void H9_a_wal_without_its_store_is_refused_in_words(void **state)
{
    struct test_store *test = *state;
    char path[300];
    leave_wal(test, "copy");
    snprintf(path, sizeof path, "%s/twoleg.db", test->folder);
    assert_int_equal(unlink(path), 0);
    assert_refused(test, "is missing, but twoleg.db-wal, which belongs to it, is there");
    snprintf(path, sizeof path, "%s/twoleg.db-wal", test->folder);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    test_open(test);
}

static void foreign_files_are_refused_and_left_alone(void **state)
{
    struct test_store *test = *state;
    char path[300];
    struct stat before;
    struct stat after;
    test_close(test);
    snprintf(path, sizeof path, "%s/twoleg.db", test->folder);
    assert_int_equal(unlink(path), 0);
    raw_do(test, "CREATE TABLE other (x)");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_refused(test, "is not a twoleg store");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    FILE *out = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("no database\n", out);
    fclose(out);
    assert_refused(test, "is not a twoleg store");
    assert_int_equal(unlink(path), 0);
    test_open(test);
}

static void damaged_pages_are_found_at_start(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    for (uint64_t i = 100; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof id, "id%d", (int)i);
        assert_int_equal(test_make_application(test, i, id), TWOLEG_NONE);
    }
    test_close(test);
    sqlite3 *db = raw_open(test);
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name ="
                                            " 'applications_client_id'", -1, &stmt, NULL), 0);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    off_t page = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    char path[300];
    snprintf(path, sizeof path, "%s/twoleg.db", test->folder);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    static const char garbage[256] = {1, 2, 3};
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, (page - 1) * 4096), sizeof garbage);
    close(fd);
    assert_int_not_equal(test_try_open(test, true), TWOLEG_NONE);
    assert_non_null(strstr(test->reason, "damaged"));
    assert_int_equal(unlink(path), 0);
    test_open(test);
}

// Somebody has written into the file: to go on without the budget would lift it.
static void a_budget_that_is_none_fails_the_row(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    raw_do(test, "UPDATE applications SET budget = 'much'");
    struct application *application;
    assert_int_equal(store_application(test->reader, STORE_OPERATOR, 11, &test->arena,
                                       &application), TWOLEG_STORE_FAILED);
    struct store_page page = {STORE_OPERATOR, STR_NONE, 10};
    struct store_cursor *cursor;
    struct application listed;
    assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_NONE);
    assert_false(store_applications_next(cursor, &listed));
    assert_int_equal(store_end(cursor), TWOLEG_STORE_FAILED);
}

// A blob comes after every text, itself too: whoever pages on gets an end, not the same page for
// ever.
static void a_client_id_that_is_none_ends_the_list(void **state)
{
    struct test_store *test = *state;
    struct store_page page = {STORE_OPERATOR, STR_NONE, 10};
    struct store_cursor *cursor;
    struct application listed;
    char after[64];
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    raw_do(test, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, "
                 "'STRICT', '') WHERE name = 'applications'");
    raw_do(test, "UPDATE applications SET client_id = CAST(client_id AS BLOB)");
    test_close(test);
    test_open(test);
    enum twoleg_error error = TWOLEG_NONE;
    int pages = 0;
    for (bool more = true; more && !error; pages++) {
        assert_true(pages < 10);
        assert_int_equal(store_applications_begin(test->reader, &page, &cursor), TWOLEG_NONE);
        more = false;
        while (store_applications_next(cursor, &listed)) {
            more = true;
            snprintf(after, sizeof after, "%.*s", STR_ARG(listed.client_id));
            page.after = str_from(after);
        }
        error = store_end(cursor);
    }
    assert_int_equal(error, TWOLEG_STORE_FAILED);
}

static void lock_of_another_process_is_busy_and_passes(void **state)
{
    struct test_store *test = *state;
    sqlite3 *db = raw_open(test);
    struct store_verb verb = {.setting = {STR("a"), STR("1")}};
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_STORE_BUSY);
    assert_false(store_stopped(test->store));
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test->told.count, 1);
}

static void connections_are_set_up_carefully(void **state)
{
    struct test_store *test = *state;
    struct database *writer = &test->store->writer;
    assert_true(database_answers(writer, "PRAGMA journal_mode", "wal"));
    static const struct {
        const char *pragma;
        int64_t value;
    } pragmas[] = {{"PRAGMA synchronous", 2},    {"PRAGMA wal_autocheckpoint", 0},
                   {"PRAGMA foreign_keys", 1},   {"PRAGMA trusted_schema", 0},
                   {"PRAGMA cell_size_check", 1}, {"PRAGMA cache_size", -1024}};
    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++)
        assert_int_equal(database_ask(writer, pragmas[i].pragma), pragmas[i].value);
    int on = 0;
    sqlite3_db_config(writer->db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on);
    assert_int_equal(on, 1);
    sqlite3_db_config(writer->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, -1, &on);
    assert_int_equal(on, 0);
    assert_int_equal(database_execute(writer, "SELECT load_extension('x')"), TWOLEG_STORE_FAILED);
}

static void readers_cannot_write(void **state)
{
    struct test_store *test = *state;
    static const char *const attempts[] = {
        "DELETE FROM accounts", "INSERT INTO accounts VALUES (9, 'x', 0, 1, 0, 0)",
        "CREATE TABLE x (y)",   "ATTACH ':memory:' AS other",
        "DROP TABLE accounts",  "PRAGMA query_only = OFF",
        "VACUUM",               "UPDATE settings SET value = 'x'"};
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        assert_int_not_equal(database_execute(&test->reader->database, attempts[i]), TWOLEG_NONE);
    assert_int_equal(database_ask(&test->store->writer, "SELECT count(*) FROM accounts"), 1);
}

static void wal_is_moved_into_the_file_behind_the_commits(void **state)
{
    struct test_store *test = *state;
    char path[300];
    struct stat before;
    struct stat info;
    static char big[200 * 1024];
    memset(big, 'x', sizeof big - 1);
    snprintf(path, sizeof path, "%s/twoleg.db", test->folder);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < 40; i++) { // 8 MB, past the first checkpoint
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        struct store_verb verb = {.setting = {str_from(name), str_from(big)}};
        assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
    }
    do { // the thread has been told; it gets there
        sched_yield();
        assert_int_equal(stat(path, &info), 0);
    } while (info.st_size < before.st_size + 1000 * 4096);
    test_close(test);
    snprintf(path, sizeof path, "%s/twoleg.db-wal", test->folder);
    assert_true(stat(path, &info) != 0 || info.st_size == 0); // TRUNCATE at the end
    test_open(test);
    struct str value;
    assert_int_equal(store_setting(test->reader, STR("s39"), &test->arena, &value), TWOLEG_NONE);
    assert_int_equal(value.len, sizeof big - 1);
}

static void full_disk_fails_the_round_and_recovers(void **state)
{
    struct test_store *test = *state;
    char mount_at[256];
    char fill[300];
    test_folder(mount_at, "small");
    test_close(test);
    if (mkdir(mount_at, 0700) || mount("tmpfs", mount_at, "tmpfs", 0, "size=2m,mode=0700")) {
        test_open(test);
        skip(); // needs the right to mount
    }
    struct test_store small = {0};
    arena_init(&small.arena, NULL, 1024 * 1024);
    snprintf(small.folder, sizeof small.folder, "%s", mount_at);
    test_open(&small);
    test_make_api(&small);
    snprintf(fill, sizeof fill, "%s/fill", mount_at);
    int fd = open(fill, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    static const char zeros[4096];
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    close(fd);
    static char big[64 * 1024];
    memset(big, 'x', sizeof big - 1);
    struct store_verb verb = {.setting = {STR("big"), str_from(big)}};
    size_t told = small.told.count;
    assert_int_equal(test_one(&small, VERB_SETTING_SET, STORE_OPERATOR, &verb),
                     TWOLEG_STORE_FAILED);
    assert_int_equal(small.told.count, told);
    assert_false(store_stopped(small.store));
    assert_int_equal(unlink(fill), 0);
    assert_int_equal(test_one(&small, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(small.told.count, told + 1);
    test_close(&small);
    arena_finish(&small.arena);
    assert_int_equal(umount(mount_at), 0);
    test_open(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(H1_a_restore_cut_short_leaves_the_old_store_whole),
        WITH_STORE(H1_a_restore_cut_short_leaves_the_new_store_whole),
        WITH_STORE(H9_an_unreadable_store_keeps_its_wal_until_it_is_replaced),
        WITH_STORE(H9_a_wal_without_its_store_is_refused_in_words),
        WITH_STORE(foreign_files_are_refused_and_left_alone),
        WITH_STORE(damaged_pages_are_found_at_start),
        WITH_STORE(a_budget_that_is_none_fails_the_row),
        WITH_STORE(a_client_id_that_is_none_ends_the_list),
        WITH_STORE(lock_of_another_process_is_busy_and_passes),
        WITH_STORE(connections_are_set_up_carefully),
        WITH_STORE(readers_cannot_write),
        WITH_STORE(wal_is_moved_into_the_file_behind_the_commits),
        WITH_STORE(full_disk_fails_the_round_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
