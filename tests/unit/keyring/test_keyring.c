// SPDX-License-Identifier: Apache-2.0
// Keys (design 3.6; threats D1, D3, D4).
#include "keyring_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sqlite3.h>

#include "crypto/compare.h"

static void keyring_refused(struct test_keyring *on, const char *file, const char *words)
{
    assert_int_equal(keyring_try(on, file), TWOLEG_REFUSED);
    assert_null(on->keyring);
    if (!strstr(on->reason, words))
        fail_msg("\"%s\" does not say \"%s\"", on->reason, words);
    if (!strstr(on->reason, file ? file : on->test->folder))
        fail_msg("\"%s\" does not name the file", on->reason);
    assert_string_equal(on->notice, "");
}

static void file_write(const char *path, const void *bytes, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static size_t file_read(const char *path, uint8_t bytes[static 64])
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t got = read(fd, bytes, 64);
    close(fd);
    return got < 0 ? 0 : (size_t)got;
}

static void a_new_store_gets_its_keys(void **state)
{
    struct test_keyring *on = *state;
    struct stat status;
    keyring_open(on);
    assert_non_null(strstr(on->notice, on->master));
    assert_int_equal(stat(on->master, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, 32);
    const struct keyring_set *set = keyring_current(on->keyring);
    assert_int_equal(set->data_count, 3);
    assert_int_equal(set->signing_count, 1);
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        const struct data_key *key = keyring_active(set, (enum key_purpose)i);
        assert_non_null(key);
        assert_ptr_equal(keyring_data(set, (enum key_purpose)i, key->id), key);
        // The same id under another purpose is another key, or none.
        assert_null(keyring_data(set, (enum key_purpose)((i + 1) % KEY_PURPOSES), key->id));
    }
    assert_false(secret_equal(set->data[0].raw, set->data[1].raw, 32));
    const struct signing_key *key = keyring_signing(set, STR("ES256"));
    assert_non_null(key);
    assert_int_equal(key->state, KEY_SIGNING);
    assert_int_equal(key->kid.len, JWK_KID_SIZE);
    assert_ptr_equal(keyring_find(set, key->kid), key);
    assert_null(keyring_signing(set, STR("RS256")));
    assert_null(keyring_find(set, STR("other")));
}

static void rfc7517_5_the_set_is_public_only(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    struct str jwks = keyring_current(on->keyring)->jwks;
    const struct signing_key *key = keyring_signing(keyring_current(on->keyring), STR("ES256"));
    assert_true(str_starts_with(jwks, STR("{\"keys\":[{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":")));
    assert_non_null(memmem(jwks.ptr, jwks.len, key->kid.ptr, key->kid.len));
    assert_null(memmem(jwks.ptr, jwks.len, "\"d\"", 3));
    struct jwk jwk;
    struct str one = str_slice(jwks, strlen("{\"keys\":["), jwks.len - 2);
    assert_int_equal(jwk_read(one, &on->test->arena, &jwk), TWOLEG_NONE);
    struct public_key point = *verify_key_public(key->public_key);
    assert_memory_equal(&jwk.key, &point, sizeof point);
}

static void a_restart_keeps_the_keys(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    const struct keyring_set *set = keyring_current(on->keyring);
    struct data_key before = *keyring_active(set, KEY_SEAL);
    char jwks[1024];
    size_t len = set->jwks.len;
    memcpy(jwks, set->jwks.ptr, len);
    keyring_close(on);
    test_close(on->test);
    test_open(on->test);
    keyring_open(on);
    assert_string_equal(on->notice, "");
    set = keyring_current(on->keyring);
    assert_int_equal(keyring_active(set, KEY_SEAL)->id, before.id);
    assert_memory_equal(keyring_active(set, KEY_SEAL)->raw, before.raw, 32);
    assert_true(str_equal(set->jwks, str_of(jwks, len)));
}

static void D1_the_store_holds_no_key_in_clear(void **state)
{
    struct test_keyring *on = *state;
    uint8_t master[64];
    struct store_key *keys;
    size_t count;
    keyring_open(on);
    assert_int_equal(file_read(on->master, master), 32);
    const struct keyring_set *set = keyring_current(on->keyring);
    assert_int_equal(store_keys(on->test->reader, &on->test->arena, &keys, &count), TWOLEG_NONE);
    assert_int_equal(count, 4);
    char der[SIGN_KEY_DER_MAX];
    struct buf out;
    buf_init(&out, der, sizeof der);
    assert_int_equal(sign_key_to_der(set->signing[0].private_key, &out), TWOLEG_NONE);
    for (size_t i = 0; i < count; i++) {
        struct str blob = keys[i].wrapped;
        assert_true(blob.len >= 32 + 24 + 16);
        assert_null(memmem(blob.ptr, blob.len, master, 32));
        for (size_t k = 0; k < set->data_count; k++)
            assert_null(memmem(blob.ptr, blob.len, set->data[k].raw, 32));
        assert_null(memmem(blob.ptr, blob.len, out.ptr, 16));
    }
}

static void D3_what_others_may_read_or_replace_is_refused(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    static const mode_t wide[] = {0644, 0640, 0604, 0660, 0610};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        assert_int_equal(chmod(on->master, wide[i]), 0);
        keyring_refused(on, NULL, "chmod 600 ");
    }
    assert_int_equal(chmod(on->master, 0400), 0);
    keyring_open(on);
    keyring_close(on);
    assert_int_equal(chmod(on->test->folder, 0770), 0);
    keyring_refused(on, NULL, "is writable by others: chmod go-w ");
    assert_int_equal(chmod(on->test->folder, 0700), 0);

    char other[310];
    snprintf(other, sizeof other, "%s/link", on->test->folder);
    assert_int_equal(symlink("master.key", other), 0);
    keyring_refused(on, other, "is a symbolic link");
    assert_int_equal(unlink(other), 0);
    keyring_refused(on, on->test->folder, "is not a regular file");
    assert_int_equal(mkfifo(other, 0600), 0);
    keyring_refused(on, other, "is not a regular file");
    assert_int_equal(unlink(other), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(on->master, 12345, 12345), 0);
        keyring_refused(on, NULL, "belongs to another user (uid 12345)");
        assert_int_equal(chown(on->master, 0, 0), 0);
    }
    keyring_open(on);
}

static void D4_a_wrong_or_truncated_master_key_changes_nothing(void **state)
{
    struct test_keyring *on = *state;
    uint8_t right[64];
    uint8_t wrong[33];
    keyring_open(on);
    keyring_close(on);
    assert_int_equal(file_read(on->master, right), 32);
    memset(wrong, 7, sizeof wrong);
    uint64_t sequence = store_sequence(on->test->reader);
    file_write(on->master, wrong, 32, 0600);
    keyring_refused(on, NULL, "is not the master key of this store");
    file_write(on->master, right, 31, 0600);
    keyring_refused(on, NULL, "has 31 bytes, not 32");
    file_write(on->master, wrong, 33, 0600);
    keyring_refused(on, NULL, "has 33 bytes, not 32");
    file_write(on->master, wrong, 0, 0600);
    keyring_refused(on, NULL, "has 0 bytes, not 32");
    assert_int_equal(unlink(on->master), 0);
    keyring_refused(on, NULL, "the store cannot be used without its own");
    assert_int_equal(access(on->master, F_OK), -1);
    char other[310];
    snprintf(other, sizeof other, "%s/other.key", on->test->folder);
    keyring_refused(on, other, "there is no master key ");
    assert_true(store_sequence(on->test->reader) == sequence);
    file_write(other, right, 32, 0600);
    assert_int_equal(keyring_try(on, other), TWOLEG_NONE);
}

// A copy of the store from before a change of the master key: the words name the file that fits.
static void D4_the_master_key_from_before_is_found_by_trying(void **state)
{
    struct test_keyring *on = *state;
    static const char *const stamps[] = {"20260101T000000Z", "20260102T000000Z"};
    uint8_t right[64], wrong[33];
    char files[2][320], words[340];
    keyring_open(on);
    keyring_close(on);
    assert_int_equal(file_read(on->master, right), 32);
    memset(wrong, 7, sizeof wrong);
    file_write(on->master, wrong, 32, 0600);
    for (size_t i = 0; i < 2; i++) {
        snprintf(files[i], sizeof files[i], "%s.before-%s", on->master, stamps[i]);
        wrong[0] = (uint8_t)i;
        file_write(files[i], wrong, 32, 0600);
    }
    // None fits, or it is not one that a master key could be.
    keyring_refused(on, NULL, "name the right one as master_key_file");
    file_write(files[1], right, 32, 0644);
    keyring_refused(on, NULL, "name the right one as master_key_file");
    file_write(files[1], right, 32, 0600);
    snprintf(words, sizeof words, "The one of then is %s, the present one ", files[1]);
    keyring_refused(on, NULL, words);
    // A key that lies elsewhere, as a credential does: those in the data folder are tried too.
    char other[310];
    snprintf(other, sizeof other, "%s/other.key", on->test->folder);
    file_write(other, wrong, 32, 0600);
    keyring_refused(on, other, words);
    // However long the paths are: what is to be done with the present one is not cut off.
    char far[512];
    int len = snprintf(far, sizeof far, "%s", on->test->folder);
    while (len < 480)
        len += snprintf(far + len, sizeof far - (size_t)len, "/.");
    snprintf(far + len, sizeof far - (size_t)len, "/master.key");
    assert_int_equal(keyring_try(on, far), TWOLEG_REFUSED);
    assert_non_null(strstr(on->reason, "and keep the present one"));
    assert_int_equal(keyring_try(on, files[1]), TWOLEG_NONE);
}

// Changes one row behind the store's back.
static void row_change(struct test_keyring *on, const char *sql)
{
    char path[300];
    sqlite3 *db;
    test_close(on->test);
    snprintf(path, sizeof path, "%s/twoleg.db", on->test->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_true(sqlite3_changes(db) > 0);
    sqlite3_close(db);
    test_open(on->test);
}

static void row_refused(struct test_keyring *on, const char *words)
{
    assert_int_equal(keyring_try(on, NULL), TWOLEG_REFUSED);
    if (!strstr(on->reason, words))
        fail_msg("\"%s\" does not say \"%s\"", on->reason, words);
}

// Changes the last byte of the blob.
#define FLIP(id) \
    "UPDATE keys SET wrapped = CAST(substr(wrapped, 1, length(wrapped) - 1) || " \
    "CASE WHEN hex(substr(wrapped, -1)) < '80' THEN x'ff' ELSE x'00' END AS BLOB) WHERE id = " #id

static void D4_a_flipped_bit_is_refused(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    row_change(on, FLIP(2));
    row_refused(on, "key 2 (seal) in the store is damaged");
}

static void D4_a_flipped_bit_of_the_signing_key_is_refused(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    row_change(on, FLIP(4));
    row_refused(on, "key 4 (sign) in the store is damaged");
}

static void D4_a_blob_in_another_row_is_refused(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    row_change(on, "UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE id = 1) "
                   "WHERE id = 2");
    row_refused(on, "key 2 (seal) in the store is damaged");
}

static void D4_a_blob_under_another_id_is_refused(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    row_change(on, "UPDATE keys SET id = 9 WHERE id = 2");
    row_refused(on, "key 9 (seal) in the store is damaged");
}

// Row D2: whoever writes rows but has no master key can neither put a sealed key into another row,
// the signing key among them, nor bring one of his own.
static void D2_sealed_keys_cannot_be_swapped_or_replaced_by_who_writes_rows(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    for (int a = 1; a <= 4; a++) {
        for (int b = a + 1; b <= 4; b++) {
            char sql[300], words[32];
            snprintf(sql, sizeof sql,
                     "CREATE TEMP TABLE kept AS SELECT id, wrapped FROM keys;"
                     "UPDATE keys SET wrapped = (SELECT wrapped FROM kept"
                     " WHERE kept.id = %d - keys.id) WHERE id IN (%d, %d)", a + b, a, b);
            snprintf(words, sizeof words, "key %d (", a);
            row_change(on, sql);
            row_refused(on, words);
            row_change(on, sql); // and back
        }
    }
    keyring_open(on);
    keyring_close(on);
    row_change(on, "UPDATE keys SET wrapped = randomblob(length(wrapped)) WHERE id = 4");
    row_refused(on, "key 4 (sign) in the store is damaged");
    row_change(on, "UPDATE keys SET wrapped = zeroblob(32) WHERE id = 2");
    row_refused(on, "key 2 (seal) in the store is damaged");
}

// Row D2: the public half that is published is made from the sealed one, in every state.
static void D2_a_retired_key_without_its_private_half_is_not_published(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    row_change(on, "UPDATE keys SET state = 'retired' WHERE id = 4");
    keyring_open(on);
    const struct signing_key *key = &keyring_current(on->keyring)->signing[0];
    assert_int_equal(key->state, KEY_RETIRED);
    assert_non_null(key->public_key);
    assert_null(key->private_key); // of no use any more
    keyring_close(on);
    row_change(on, "UPDATE keys SET public_jwk = '{}' WHERE id = 4"); // for people only
    keyring_open(on);
    keyring_close(on);
    row_change(on, "UPDATE keys SET wrapped = x'' WHERE id = 4");
    row_refused(on, "key 4 (sign) in the store is damaged");
}

static void rows_that_we_do_not_know_are_refused(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    keyring_close(on);
    row_change(on, "UPDATE keys SET purpose = 'future' WHERE id = 3");
    row_refused(on, "key 3 (future) in the store cannot be used");
    row_change(on, "UPDATE keys SET purpose = 'jti' WHERE id = 3");
    row_change(on, "UPDATE keys SET state = 'retired' WHERE id = 3");
    row_refused(on, "no active key for \"jti\"");
    row_change(on, "UPDATE keys SET state = 'active' WHERE id = 3");
    row_change(on, "UPDATE keys SET kid = CASE WHEN kid LIKE 'A%' THEN 'B' ELSE 'A' END "
                   "|| substr(kid, 2) WHERE id = 4");
    row_refused(on, "key 4 (sign) in the store");
}

static void a_changed_key_replaces_the_set(void **state)
{
    struct test_keyring *on = *state;
    unsigned reader;
    keyring_open(on);
    assert_true(epoch_register(&on->epoch, &reader));
    epoch_enter(&on->epoch, reader);
    const struct keyring_set *before = keyring_current(on->keyring);
    const struct signing_key *key = keyring_signing(before, STR("ES256"));
    struct keyring_worker *worker = keyring_worker_create(on->keyring);
    struct signer *signer = keyring_signer(worker, key);
    assert_non_null(signer);
    assert_ptr_equal(keyring_signer(worker, key), signer);
    struct signature signature;
    assert_int_equal(signer_sign(signer, STR("text"), &signature), TWOLEG_NONE);
    assert_int_equal(verifier_check(keyring_verifier(worker, key), STR("text"),
                                    str_of(signature.bytes, signature.len)),
                     TWOLEG_NONE);

    struct store_verb verb = {0};
    verb.key.id = key->id;
    verb.key.state = STR("retired");
    verb.expected_state = STR("signing");
    assert_int_equal(test_one(on->test, VERB_KEY_STATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    const struct keyring_set *after = keyring_current(on->keyring);
    assert_true(after->serial != before->serial);
    // Whoever holds the old set may go on with it until the turn ends.
    assert_int_equal(key->state, KEY_SIGNING);
    assert_null(keyring_signing(after, STR("ES256")));
    assert_int_equal(keyring_find(after, key->kid)->state, KEY_RETIRED);
    assert_true(str_equal(after->jwks, before->jwks));
    assert_non_null(keyring_verifier(worker, keyring_find(after, key->kid)));

    verb.key.state = STR("gone");
    verb.expected_state = STR("retired");
    assert_int_equal(test_one(on->test, VERB_KEY_STATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    after = keyring_current(on->keyring);
    assert_int_equal(after->signing_count, 0);
    test_assert_str(after->jwks, "{\"keys\":[]}");
    keyring_worker_destroy(worker);
    epoch_leave(&on->epoch, reader);
}

static void a_set_that_cannot_be_read_is_known_as_stale(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    uint64_t serial = keyring_current(on->keyring)->serial;
    const struct store_change change = {.kind = CHANGE_KEY, .number = 1};
    const struct store_change other = {.kind = CHANGE_SETTING};
    keyring_on_change(on->keyring, &other, 1);
    assert_true(keyring_current(on->keyring)->serial == serial);
    fault_arm(FAULT_MEMORY, 1, true);
    keyring_on_change(on->keyring, &change, 1);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(keyring_stale(on->keyring));
    assert_true(keyring_current(on->keyring)->serial == serial);
    keyring_on_change(on->keyring, &other, 1);
    assert_false(keyring_stale(on->keyring));
    assert_true(keyring_current(on->keyring)->serial != serial);
}

static void A14_a_change_is_read_when_no_descriptor_is_left(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    uint64_t serial = keyring_current(on->keyring)->serial;
    const struct store_change change = {.kind = CHANGE_KEY, .number = 1};
    struct rlimit before = test_descriptors_out();
    keyring_on_change(on->keyring, &change, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(keyring_stale(on->keyring));
    assert_true(keyring_current(on->keyring)->serial != serial);
}

static void H6_a_stale_set_is_mended_without_another_change(void **state)
{
    struct test_keyring *on = *state;
    keyring_open(on);
    uint64_t serial = keyring_current(on->keyring)->serial;
    const struct store_change change = {.kind = CHANGE_KEY, .number = 1};
    keyring_mend(on->keyring); // nothing to do
    assert_true(keyring_current(on->keyring)->serial == serial);
    fault_arm(FAULT_MEMORY, 1, true);
    keyring_on_change(on->keyring, &change, 1);
    keyring_mend(on->keyring);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(keyring_stale(on->keyring));
    keyring_mend(on->keyring);
    assert_false(keyring_stale(on->keyring));
    assert_true(keyring_current(on->keyring)->serial != serial);
}

// As a crash between link(2) and unlink(2) leaves it.
static void H1_a_second_name_of_the_master_key_goes_at_the_next_start(void **state)
{
    struct test_keyring *on = *state;
    char second[320];
    keyring_open(on);
    keyring_close(on);
    snprintf(second, sizeof second, "%s.new", on->master);
    assert_int_equal(link(on->master, second), 0);
    keyring_open(on);
    assert_int_equal(access(second, F_OK), -1);
    assert_int_equal(access(on->master, F_OK), 0);
}

static void a_systemd_credential_is_the_master_key(void **state)
{
    struct test_keyring *on = *state;
    char path[320];
    uint8_t bytes[32];
    memset(bytes, 9, sizeof bytes);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", on->test->folder, 1), 0);
    snprintf(path, sizeof path, "%s/twoleg-master-key", on->test->folder);
    // Its access list shows as group bits.
    file_write(path, bytes, sizeof bytes, 0440);
    assert_int_equal(keyring_try(on, NULL), TWOLEG_NONE);
    assert_string_equal(on->notice, "");
    assert_int_equal(access(on->master, F_OK), -1);
    keyring_close(on);
    file_write(path, bytes, sizeof bytes, 0444);
    keyring_refused(on, NULL, "chmod 600 ");
    assert_int_equal(unlink(path), 0);
    // Credentials of another kind only: DIR/master.key, which is not there.
    keyring_refused(on, NULL, "master.key");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_named_file_is_never_created(void **state)
{
    struct test_keyring *on = *state;
    char path[320];
    snprintf(path, sizeof path, "%s/named.key", on->test->folder);
    keyring_refused(on, path, "put 32 random bytes there, mode 0600");
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/nowhere/named.key", on->test->folder);
    keyring_refused(on, path, "there is no master key");
}

static void whatever_fails_at_first_start_can_be_repeated(void **state)
{
    struct test_keyring *on = *state;
    for (unsigned long nth = 1; nth < 8; nth++) {
        fault_arm(FAULT_IO, nth, false);
        enum twoleg_error error = keyring_try(on, NULL);
        fault_arm(FAULT_IO, 0, false);
        if (!error)
            break;
        assert_true(on->reason[0] != '\0');
        assert_null(on->keyring);
    }
    keyring_close(on);
    for (unsigned long nth = 1; nth < 40; nth++) {
        fault_arm(FAULT_MEMORY, nth, false);
        enum twoleg_error error = keyring_try(on, NULL);
        unsigned long calls = fault_count(FAULT_MEMORY);
        fault_arm(FAULT_MEMORY, 0, false);
        keyring_close(on);
        if (!error && calls < nth)
            break;
    }
    keyring_open(on);
    assert_int_equal(keyring_current(on->keyring)->data_count, 3);
}

#define unit(test) KEYRING(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(a_new_store_gets_its_keys),
        unit(rfc7517_5_the_set_is_public_only),
        unit(a_restart_keeps_the_keys),
        unit(D1_the_store_holds_no_key_in_clear),
        unit(D3_what_others_may_read_or_replace_is_refused),
        unit(D4_a_wrong_or_truncated_master_key_changes_nothing),
        unit(D4_the_master_key_from_before_is_found_by_trying),
        unit(D4_a_flipped_bit_is_refused),
        unit(D4_a_flipped_bit_of_the_signing_key_is_refused),
        unit(D4_a_blob_in_another_row_is_refused),
        unit(D4_a_blob_under_another_id_is_refused),
        unit(D2_sealed_keys_cannot_be_swapped_or_replaced_by_who_writes_rows),
        unit(D2_a_retired_key_without_its_private_half_is_not_published),
        unit(rows_that_we_do_not_know_are_refused),
        unit(a_changed_key_replaces_the_set),
        unit(a_set_that_cannot_be_read_is_known_as_stale),
        unit(A14_a_change_is_read_when_no_descriptor_is_left),
        unit(H6_a_stale_set_is_mended_without_another_change),
        unit(H1_a_second_name_of_the_master_key_goes_at_the_next_start),
        unit(a_systemd_credential_is_the_master_key),
        unit(a_named_file_is_never_created),
        unit(whatever_fails_at_first_start_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
