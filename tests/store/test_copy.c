// SPDX-License-Identifier: Apache-2.0
// Backups, and their way back.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "store_test.h"

static void set_setting(struct test_store *test, const char *name, const char *value)
{
    struct store_verb verb = {.setting = {str_from(name), str_from(value)}};
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static uint64_t get_epoch(struct test_store *test)
{
    struct str value;
    uint64_t epoch = 0;
    assert_int_equal(store_setting(test->reader, STR("epoch"), &test->arena, &value), TWOLEG_NONE);
    assert_true(str_to_u64(value, &epoch));
    return epoch;
}

// Beside the folder, so that the teardown removes it.
static void backup_path(struct test_store *test, const char *name, char ret_path[static 300])
{
    snprintf(ret_path, 300, "%.*s/%s", (int)(strrchr(test->folder, '/') - test->folder),
             test->folder, name);
}

static size_t count_files(const char *folder, const char *part)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += strstr(entry->d_name, part) != NULL;
    closedir(dir);
    return count;
}

static void fill(struct test_store *test)
{
    set_setting(test, "epoch", "1");
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
}

static void backup_is_one_file_for_us_alone(void **state)
{
    struct test_store *test = *state;
    char file[300];
    char beside[320];
    struct stat info;
    fill(test);
    backup_path(test, "copy", file);
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_NONE);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(info.st_size > 4096);
    snprintf(beside, sizeof beside, "%.*s", (int)(strrchr(file, '/') - file), file);
    assert_int_equal(count_files(beside, "copy"), 1); // no WAL, no temporary file
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_CONFLICT);
    assert_non_null(strstr(test->reason, file));
    snprintf(beside, sizeof beside, "%s.2.tmp", file);
    int fd = open(beside, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    snprintf(beside, sizeof beside, "%s.2", file);
    assert_int_equal(store_backup(test->reader, beside, test->reason), TWOLEG_CONFLICT);
    assert_non_null(strstr(test->reason, ".2.tmp"));
    assert_int_equal(store_backup(test->reader, "/nonexistent/x", test->reason),
                     TWOLEG_STORE_FAILED);
}

static void restore_brings_back_and_sets_a_new_epoch(void **state)
{
    struct test_store *test = *state;
    char file[300];
    fill(test);
    backup_path(test, "copy", file);
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "b"), TWOLEG_NONE);
    set_setting(test, "epoch", "4000000000"); // of a store that was restored before, later than now
    test_close(test);
    if (store_restore(test->folder, file, false, test->reason))
        fail_msg("%s", test->reason);
    test_open(test);
    assert_false(store_was_created(test->store));
    assert_non_null(test_load(test, 11));
    assert_null(test_load(test, 12));
    assert_int_equal(get_epoch(test), UINT64_C(4000000001));
    assert_int_equal(count_files(test->folder, "before-restore-"), 1);
    assert_int_equal(count_files(test->folder, "restore.tmp"), 0);
    test_close(test);
    // The same backup once more: an epoch of its own, though the backup knows only the first.
    assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_NONE);
    test_open(test);
    assert_int_equal(get_epoch(test), UINT64_C(4000000002));
    test_close(test);
    assert_int_equal(store_restore(test->folder, file, true, test->reason), TWOLEG_NONE);
    test_open(test);
    assert_int_equal(get_epoch(test), 1);
    assert_int_equal(count_files(test->folder, "before-restore-"), 3);
}

static void make_key(struct test_store *test, uint64_t id, const char *kid, const char *state)
{
    struct store_verb verb = {.key = {.id = id, .purpose = STR("sign"), .algorithm = STR("ES256"),
                                      .kid = str_from(kid), .state = str_from(state),
                                      .wrapped = STR("wrapped")}};
    assert_int_equal(test_one(test, VERB_KEY_CREATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static void give_up_key(struct test_store *test, uint64_t id)
{
    struct store_verb verb = {.key = {.id = id, .state = STR("gone")}};
    assert_int_equal(test_one(test, VERB_KEY_STATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
}

static const struct store_key *find_key(struct test_store *test, const char *kid)
{
    struct store_key *keys;
    size_t count;
    assert_int_equal(store_keys(test->reader, &test->arena, &keys, &count), TWOLEG_NONE);
    for (size_t i = 0; i < count; i++)
        if (str_equal(keys[i].kid, str_from(kid)))
            return &keys[i];
    return NULL;
}

static void D6_keys_given_up_since_the_copy_stay_gone(void **state)
{
    struct test_store *test = *state;
    char first[300], second[300];
    fill(test);
    make_key(test, 4, "lost", "signing");
    backup_path(test, "first", first);
    assert_int_equal(store_backup(test->reader, first, test->reason), TWOLEG_NONE);
    make_key(test, 5, "later", "signing");
    make_key(test, 6, "good", "announced");
    backup_path(test, "second", second);
    assert_int_equal(store_backup(test->reader, second, test->reason), TWOLEG_NONE);
    give_up_key(test, 4);
    give_up_key(test, 5);
    test_close(test);
    assert_int_equal(store_restore(test->folder, first, true, test->reason), TWOLEG_NONE);
    assert_string_equal(test->reason, "");
    test_open(test);
    test_assert_str(find_key(test, "lost")->state, "gone");
    assert_int_equal(find_key(test, "lost")->wrapped.len, 0);
    assert_null(find_key(test, "good"));
    test_close(test);
    // The copy restored first does not know of "later"; the store made from it does.
    assert_int_equal(store_restore(test->folder, second, false, test->reason), TWOLEG_NONE);
    assert_string_equal(test->reason, "");
    test_open(test);
    test_assert_str(find_key(test, "lost")->state, "gone");
    test_assert_str(find_key(test, "later")->state, "gone");
    assert_int_equal(find_key(test, "later")->wrapped.len, 0);
    test_assert_str(find_key(test, "good")->state, "announced");
}

static void D6_a_store_that_cannot_be_read_is_said(void **state)
{
    struct test_store *test = *state;
    char file[300], old[300];
    fill(test);
    make_key(test, 4, "lost", "signing");
    backup_path(test, "copy", file);
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_NONE);
    give_up_key(test, 4);
    test_close(test);
    snprintf(old, sizeof old, "%s/twoleg.db", test->folder);
    FILE *out = fopen(old, "w");
    assert_non_null(out);
    for (int line = 0; line < 200; line++)
        fprintf(out, "this was a store, and is none any more\n");
    fclose(out);
    assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_NONE);
    assert_non_null(strstr(test->reason, "key compromise"));
    test_open(test);
    test_assert_str(find_key(test, "lost")->state, "signing");
    test_close(test);
    assert_int_equal(unlink(old), 0);
    assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_NONE);
    assert_non_null(strstr(test->reason, "key compromise"));
    test_open(test);
}

static void restore_into_an_empty_folder_takes_the_time_as_epoch(void **state)
{
    struct test_store *test = *state;
    char file[300];
    fill(test);
    backup_path(test, "copy", file);
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_NONE);
    test_close(test);
    size_t end = strlen(test->folder);
    snprintf(test->folder + end, sizeof test->folder - end, "2");
    assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_NONE);
    test_open(test);
    assert_non_null(test_load(test, 11));
    assert_true(get_epoch(test) + 60 >= (uint64_t)time(NULL));
    assert_int_equal(count_files(test->folder, "before-restore-"), 0);
}

// What a killed server left in its WAL belongs to the old store: it is kept with it and never
// played into the restored one.
static void restore_leaves_no_old_wal(void **state)
{
    struct test_store *test = *state;
    char file[300];
    char from[300];
    char kept[320];
    fill(test);
    backup_path(test, "copy", file);
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "b"), TWOLEG_NONE);
    // As kill -9 leaves it: the files copied away under the running server, and put back.
    static const char *const names[] = {"twoleg.db", "twoleg.db-wal"};
    char command[700];
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", test->folder, names[i]);
        backup_path(test, names[i], kept);
        snprintf(command, sizeof command, "cp -p '%s' '%s'", from, kept);
        assert_int_equal(system(command), 0);
    }
    test_close(test);
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", test->folder, names[i]);
        backup_path(test, names[i], kept);
        assert_int_equal(rename(kept, from), 0);
    }
    assert_int_equal(store_restore(test->folder, file, true, test->reason), TWOLEG_NONE);
    test_open(test);
    assert_non_null(test_load(test, 11));
    assert_null(test_load(test, 12));
    test_close(test);
    // And the old one holds what was only in its WAL.
    DIR *dir = opendir(test->folder);
    char old[600] = "";
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (strncmp(entry->d_name, "before-restore-", 15) == 0)
            snprintf(old, sizeof old, "%s/%s", test->folder, entry->d_name);
    closedir(dir);
    assert_int_equal(store_restore(test->folder, old, true, test->reason), TWOLEG_NONE);
    test_open(test);
    assert_non_null(test_load(test, 12));
}

static void wrong_files_are_refused_and_change_nothing(void **state)
{
    struct test_store *test = *state;
    char file[300];
    fill(test);
    test_close(test);
    backup_path(test, "wrong", file);
    assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_NOT_FOUND);
    assert_non_null(strstr(test->reason, file));
    static const char *const texts[] = {"", "this is no database, only a text of some length",
                                        "SQLite format 3"};
    for (size_t i = 0; i < 3; i++) {
        FILE *out = fopen(file, "w");
        assert_non_null(out);
        for (int line = 0; line < 200 && *texts[i]; line++)
            fprintf(out, "%s\n", texts[i]);
        fclose(out);
        assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_REFUSED);
        assert_non_null(strstr(test->reason, file));
    }
    assert_int_equal(count_files(test->folder, "restore"), 0);
    test_open(test);
    assert_non_null(test_load(test, 11));
    assert_int_equal(get_epoch(test), 1);
}

static void damaged_backup_is_refused(void **state)
{
    struct test_store *test = *state;
    char file[300];
    fill(test);
    for (uint64_t i = 100; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof id, "id%d", (int)i);
        assert_int_equal(test_make_application(test, i, id), TWOLEG_NONE);
    }
    backup_path(test, "copy", file);
    assert_int_equal(store_backup(test->reader, file, test->reason), TWOLEG_NONE);
    test_close(test);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    static const char garbage[64] = "garbage";
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    for (off_t at = 8192; at < info.st_size; at += 4096)
        assert_int_equal(pwrite(fd, garbage, sizeof garbage, at), sizeof garbage);
    close(fd);
    assert_int_equal(store_restore(test->folder, file, false, test->reason), TWOLEG_REFUSED);
    assert_non_null(strstr(test->reason, "damaged"));
    test_open(test);
    assert_non_null(test_load(test, 11));
}

#define COPIES 20

struct writing {
    struct test_store *test;
    atomic_bool stop;
    atomic_uint written;
};

static void *writing_main(void *argument)
{
    struct writing *writing = argument;
    for (unsigned i = 1; !atomic_load(&writing->stop); i++) {
        char value[16];
        snprintf(value, sizeof value, "%u", i);
        struct store_batch *batch = store_batch_create(TEST_NOW);
        static const char *const names[] = {"left", "right"};
        for (size_t k = 0; k < 2; k++) {
            struct store_verb *verb = store_batch_add(batch, VERB_SETTING_SET, STORE_OPERATOR);
            verb->setting.name = str_from(names[k]);
            verb->setting.value = str_from(value);
        }
        if (!store_commit(writing->test->store, batch))
            atomic_store(&writing->written, i);
        store_batch_destroy(batch);
    }
    return NULL;
}

static void H17_backup_under_writes_is_consistent(void **state)
{
    struct test_store *test = *state;
    struct writing writing = {.test = test};
    pthread_t thread;
    fill(test);
    assert_int_equal(pthread_create(&thread, NULL, writing_main, &writing), 0);
    while (atomic_load(&writing.written) < 3)
        ;
    static char files[COPIES][300];
    unsigned written[COPIES];
    for (int i = 0; i < COPIES; i++) {
        char name[16];
        snprintf(name, sizeof name, "copy%d", i);
        backup_path(test, name, files[i]);
        written[i] = atomic_load(&writing.written);
        assert_int_equal(store_backup(test->reader, files[i], test->reason), TWOLEG_NONE);
    }
    atomic_store(&writing.stop, true);
    pthread_join(thread, NULL);
    test_close(test);
    for (int i = 0; i < COPIES; i++) {
        assert_int_equal(store_restore(test->folder, files[i], false, test->reason), TWOLEG_NONE);
        test_open(test);
        struct str left;
        struct str right;
        uint64_t value;
        assert_int_equal(store_setting(test->reader, STR("left"), &test->arena, &left),
                         TWOLEG_NONE);
        assert_int_equal(store_setting(test->reader, STR("right"), &test->arena, &right),
                         TWOLEG_NONE);
        assert_true(str_equal(left, right));
        assert_true(str_to_u64(left, &value) && value >= written[i]);
        test_close(test);
    }
    test_open(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(backup_is_one_file_for_us_alone),
        WITH_STORE(restore_brings_back_and_sets_a_new_epoch),
        WITH_STORE(D6_keys_given_up_since_the_copy_stay_gone),
        WITH_STORE(D6_a_store_that_cannot_be_read_is_said),
        WITH_STORE(restore_into_an_empty_folder_takes_the_time_as_epoch),
        WITH_STORE(restore_leaves_no_old_wal),
        WITH_STORE(wrong_files_are_refused_and_change_nothing),
        WITH_STORE(damaged_backup_is_refused),
        WITH_STORE(H17_backup_under_writes_is_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
