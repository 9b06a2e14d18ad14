// SPDX-License-Identifier: Apache-2.0
// Opening: what is kept, what is refused, and in which words.
#include <fcntl.h>
#include <sys/stat.h>

#include "store_test.h"

static void assert_reason(struct test_store *test, const char *part)
{
    if (!strstr(test->reason, test->folder) || !strstr(test->reason, part))
        fail_msg("\"%s\" does not say \"%s\" of %s", test->reason, part, test->folder);
}

static void path_in(struct test_store *test, const char *name, char ret_path[static 300])
{
    snprintf(ret_path, 300, "%s/%s", test->folder, name);
}

static void restart_keeps_all(void **state)
{
    struct test_store *test = *state;
    assert_true(store_was_created(test->store));
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    uint64_t sequence = store_sequence(test->reader);
    test_close(test);
    assert_int_equal(test_try_open(test, false), TWOLEG_NONE);
    assert_int_equal(store_reader_create(test->store, &test->reader), TWOLEG_NONE);
    assert_false(store_was_created(test->store));
    assert_int_equal(store_sequence(test->reader), sequence);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    test_assert_str(application->apis[0].scopes, "groups sms");
    assert_int_equal(application->secret_count, 1);
}

static void D3_modes_are_narrow_whatever_the_umask(void **state)
{
    struct test_store *test = *state;
    test_close(test);
    test_folder(test->folder, "a/b/data");
    mode_t before = umask(0);
    test_open(test);
    test_make_api(test);
    umask(before);
    static const char *const names[] = {"", "twoleg.db", "twoleg.db-wal", "twoleg.db-shm", "lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[300];
        struct stat info;
        path_in(test, names[i], path);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, i ? 0600 : 0700);
    }
}

static void D3_wide_modes_are_refused(void **state)
{
    struct test_store *test = *state;
    test_close(test);
    static const char *const names[] = {"", "twoleg.db"};
    for (size_t i = 0; i < 2; i++) {
        char path[300];
        path_in(test, names[i], path);
        assert_int_equal(chmod(path, i ? 0640 : 0710), 0);
        assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
        assert_reason(test, i ? "twoleg.db: is open to others (mode 0640): chmod 0600"
                              : ": is open to others (mode 0710): chmod 0700");
        assert_int_equal(chmod(path, i ? 0600 : 0700), 0);
    }
    test_open(test);
}

static void D3_symbolic_links_are_refused(void **state)
{
    struct test_store *test = *state;
    test_close(test);
    char there[256];
    char path[300];
    snprintf(there, sizeof there, "%s", test->folder);
    snprintf(path, sizeof path, "%s.link", test->folder);
    assert_int_equal(symlink(there, path), 0);
    snprintf(test->folder, sizeof test->folder, "%.250s", path);
    assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
    assert_reason(test, "is a symbolic link");
    snprintf(test->folder, sizeof test->folder, "%s", there);
    char moved[300];
    path_in(test, "twoleg.db", path);
    path_in(test, "moved.db", moved);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
    assert_reason(test, "twoleg.db: is a symbolic link");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
    assert_reason(test, "twoleg.db: is not a file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rename(moved, path), 0);
    test_open(test);
}

static void D3_foreign_owner_is_refused(void **state)
{
    struct test_store *test = *state;
    if (geteuid() != 0)
        skip();
    test_close(test);
    assert_int_equal(chown(test->folder, 65534, 65534), 0);
    assert_int_equal(test_try_open(test, true), TWOLEG_REFUSED);
    assert_reason(test, "belongs to uid 65534, but this process runs as uid 0");
    assert_int_equal(chown(test->folder, 0, 0), 0);
    test_open(test);
}

static void second_server_is_refused_with_the_pid_of_the_first(void **state)
{
    struct test_store *test = *state;
    struct test_store second = {0};
    char words[64];
    snprintf(second.folder, sizeof second.folder, "%s", test->folder);
    assert_int_equal(test_try_open(&second, true), TWOLEG_CONFLICT);
    snprintf(words, sizeof words, "in use by another server (pid %ld)", (long)getpid());
    assert_reason(&second, words);
    assert_int_equal(store_restore(test->folder, "/nonexistent", false, second.reason),
                     TWOLEG_CONFLICT);
    assert_reason(&second, words);
}

static void nothing_is_made_where_nothing_was_asked_for(void **state)
{
    struct test_store *test = *state;
    test_close(test);
    char there[256];
    snprintf(there, sizeof there, "%s", test->folder);
    snprintf(test->folder, sizeof test->folder, "%.240s/no", there);
    assert_int_equal(test_try_open(test, false), TWOLEG_NOT_FOUND);
    assert_reason(test, "No such file");
    assert_int_equal(access(test->folder, F_OK), -1);
    assert_int_equal(mkdir(test->folder, 0700), 0);
    assert_int_equal(test_try_open(test, false), TWOLEG_NOT_FOUND);
    assert_reason(test, "there is no store");
    char path[300];
    path_in(test, "twoleg.db", path);
    assert_int_equal(access(path, F_OK), -1);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600); // a start that was cut short
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(test_try_open(test, false), TWOLEG_NOT_FOUND);
    assert_int_equal(test_try_open(test, true), TWOLEG_NONE);
    assert_true(store_was_created(test->store));
    assert_int_equal(store_reader_create(test->store, &test->reader), TWOLEG_NONE);
    snprintf(test->folder, sizeof test->folder, "%s", there);
}

static void folder_that_is_a_file_is_refused(void **state)
{
    struct test_store *test = *state;
    test_close(test);
    char there[256];
    snprintf(there, sizeof there, "%s", test->folder);
    snprintf(test->folder, sizeof test->folder, "%.240s/lock", there);
    assert_int_not_equal(test_try_open(test, true), TWOLEG_NONE);
    assert_reason(test, "Not a directory");
    snprintf(test->folder, sizeof test->folder, "%s", there);
    test_open(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(restart_keeps_all),
        WITH_STORE(D3_modes_are_narrow_whatever_the_umask),
        WITH_STORE(D3_wide_modes_are_refused),
        WITH_STORE(D3_symbolic_links_are_refused),
        WITH_STORE(D3_foreign_owner_is_refused),
        WITH_STORE(second_server_is_refused_with_the_pid_of_the_first),
        WITH_STORE(nothing_is_made_where_nothing_was_asked_for),
        WITH_STORE(folder_that_is_a_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
