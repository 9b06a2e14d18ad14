// SPDX-License-Identifier: Apache-2.0
// Secrets, revocations, keys, settings, audit.
#include "store_test.h"

static enum twoleg_error add_secret(struct test_store *test, uint64_t number, int64_t expires_us)
{
    struct store_verb verb = {.secret = {11, test_secret(number)}};
    verb.secret.secret.expires_us = expires_us;
    return test_one(test, VERB_SECRET_CREATE, STORE_OPERATOR, &verb);
}

static enum twoleg_error remove_secret(struct test_store *test, uint64_t number)
{
    struct store_verb verb = {.secret = {.application = 11, .secret = {.number = number}}};
    return test_one(test, VERB_SECRET_REMOVE, STORE_OPERATOR, &verb);
}

static void secrets_come_and_go(void **state)
{
    struct test_store *test = *state;
    struct store_verb verb = {.secret = {11, test_secret(50)}};
    verb.secret.secret.scheme = SECRET_ARGON2;
    verb.secret.secret.slow_hash = STR("$argon2id$v=19$...");
    verb.secret.secret.not_before_us = 5;
    assert_int_equal(test_one(test, VERB_SECRET_CREATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_int_equal(application->secret_count, 2);
    assert_int_equal(application->version, 2);
    size_t at = application->secrets[0].number == 50 ? 0 : 1; // in no particular order
    const struct secret *second = &application->secrets[at];
    assert_int_equal(second->scheme, SECRET_ARGON2);
    test_assert_str(second->slow_hash, "$argon2id$v=19$...");
    assert_int_equal(second->not_before_us, 5);
    assert_int_equal(second->created_us, TEST_NOW);
    assert_int_equal(test->told.changes[test->told.count - 1].kind, CHANGE_APPLICATION);
    assert_int_equal(add_secret(test, 50, TIME_NEVER), TWOLEG_CONFLICT);
    assert_int_equal(remove_secret(test, 50), TWOLEG_NONE);
    assert_int_equal(remove_secret(test, 50), TWOLEG_NOT_FOUND);
    assert_int_equal(remove_secret(test, 51), TWOLEG_NOT_FOUND);
    assert_int_equal(add_secret(test, 50, TIME_NEVER), TWOLEG_CONFLICT); // never again
    application = test_load(test, 11);
    assert_int_equal(application->secret_count, 1);
    assert_int_equal(application->secrets[0].number, 1011);
}

static void ten_live_secrets(void **state)
{
    struct test_store *test = *state;
    // One is there; an expired one does not count.
    assert_int_equal(add_secret(test, 100, TEST_NOW), TWOLEG_NONE);
    for (uint64_t i = 1; i < SECRETS_LIVE_MAX; i++)
        assert_int_equal(add_secret(test, 100 + i, TEST_NOW + 1), TWOLEG_NONE);
    assert_int_equal(add_secret(test, 200, TIME_NEVER), TWOLEG_LIMIT);
    assert_int_equal(remove_secret(test, 101), TWOLEG_NONE);
    assert_int_equal(add_secret(test, 200, TIME_NEVER), TWOLEG_NONE);
    assert_int_equal(test_load(test, 11)->secret_count, SECRETS_LIVE_MAX + 1);
}

static void used_is_added_up_and_never_goes_back(void **state)
{
    struct test_store *test = *state;
    size_t told = test->told.count;
    struct store_verb verb = {.used = {11, 1011, 700, 3, STR("192.0.2.1")}};
    assert_int_equal(test_one(test, VERB_SECRET_USED, STORE_OPERATOR, &verb), TWOLEG_NONE);
    verb.used.used_us = 600;
    verb.used.address = STR("192.0.2.2");
    assert_int_equal(test_one(test, VERB_SECRET_USED, STORE_OPERATOR, &verb), TWOLEG_NONE);
    verb.used.number = 4444; // gone meanwhile: no error
    assert_int_equal(test_one(test, VERB_SECRET_USED, STORE_OPERATOR, &verb), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_int_equal(application->secrets[0].used_us, 700);
    assert_int_equal(application->secrets[0].used_count, 6);
    test_assert_str(application->secrets[0].used_address, "192.0.2.1");
    assert_int_equal(application->version, 1);
    assert_int_equal(test->told.count, told);
}

static enum twoleg_error revoke_token(struct test_store *test, uint8_t id, int64_t expires_s)
{
    struct store_verb verb = {.revoke = {.application = 11, .expires_s = expires_s}};
    memset(verb.revoke.id.bytes, id, TOKEN_ID_LEN);
    return test_one(test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb);
}

static size_t count_revocations(struct test_store *test, enum store_change_kind kind)
{
    struct store_cursor *cursor;
    struct store_change change;
    size_t count = 0;
    assert_int_equal(store_revocations_begin(test->reader, &cursor), TWOLEG_NONE);
    while (store_revocations_next(cursor, &change))
        count += change.kind == kind;
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    return count;
}

// All slices; how many took something away.
static unsigned purge(struct test_store *test, int64_t before_s)
{
    unsigned slices = 1;
    while (test_purge_slice(test, VERB_REVOCATIONS_PURGE, before_s).more)
        slices++;
    return slices;
}

static void rfc7009_2_2_revoked_twice_is_revoked_once(void **state)
{
    struct test_store *test = *state;
    size_t told = test->told.count;
    assert_int_equal(revoke_token(test, 1, 5000), TWOLEG_NONE);
    assert_int_equal(test->told.count, told + 1);
    assert_int_equal(test->told.changes[told].kind, CHANGE_REVOCATION);
    assert_int_equal(test->told.changes[told].token.bytes[15], 1);
    assert_int_equal(test->told.changes[told].expires_s, 5000);
    assert_int_equal(revoke_token(test, 1, 5000), TWOLEG_NONE);
    assert_int_equal(test->told.count, told + 1);
    struct store_cursor *cursor;
    struct store_change change;
    assert_int_equal(store_revocations_begin(test->reader, &cursor), TWOLEG_NONE);
    assert_true(store_revocations_next(cursor, &change));
    assert_int_equal(change.kind, CHANGE_REVOCATION);
    assert_int_equal(change.token.bytes[0], 1);
    assert_int_equal(change.expires_s, 5000);
    assert_false(store_revocations_next(cursor, &change));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

static void purge_keeps_what_still_counts(void **state)
{
    struct test_store *test = *state;
    uint64_t before = store_sequence(test->reader);
    assert_int_equal(revoke_token(test, 1, 5000), TWOLEG_NONE);
    assert_int_equal(revoke_token(test, 2, 6000), TWOLEG_NONE);
    assert_int_equal(revoke_token(test, 3, 0), TWOLEG_NONE); // does not expire
    purge(test, 6000);
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), 2);
    purge(test, INT64_MAX / SECOND_US);
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), 1);
    // The feed is empty now; its sequence goes on all the same, also after a restart.
    assert_int_equal(store_sequence(test->reader), before + 3);
    test_close(test);
    test_open(test);
    assert_int_equal(store_sequence(test->reader), before + 3);
    assert_int_equal(revoke_token(test, 4, 0), TWOLEG_NONE);
    assert_int_equal(test->told.changes[test->told.count - 1].sequence, before + 4);
    struct store_verb verb = {.before_s = INT64_MAX};
    assert_int_equal(test_one(test, VERB_REVOCATIONS_PURGE, STORE_OPERATOR, &verb), TWOLEG_RANGE);
}

// One of each of so many applications, from 13 on.
static void revoke_of_others(struct test_store *test, unsigned count)
{
    for (uint64_t other = 13; other < 13 + count; other++) {
        struct store_verb verb = {.revoke = {.application = other}};
        char id[8];
        snprintf(id, sizeof id, "o%d", (int)other);
        assert_int_equal(test_make_application(test, other, id), TWOLEG_NONE);
        memcpy(verb.revoke.id.bytes, &other, sizeof other);
        assert_int_equal(test_one(test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    }
}

static void revocations_per_application_are_limited(void **state)
{
    struct test_store *test = *state;
    // One has expired already and is about to be purged: it does not count.
    test_revoke_many(test, 0, 1, TEST_NOW, 1);
    test_revoke_many(test, 1, REVOCATIONS_PER_APPLICATION - 1, TEST_NOW,
                     TEST_NOW / SECOND_US + 100);
    assert_int_equal(revoke_token(test, 0xee, 0), TWOLEG_NONE);
    assert_int_equal(revoke_token(test, 0xff, 0), TWOLEG_LIMIT);
    assert_int_equal(revoke_token(test, 0xee, 0), TWOLEG_NONE); // already revoked: still true
    struct store_verb verb = {.revoke = {.application = 12}};
    memset(verb.revoke.id.bytes, 0xdd, TOKEN_ID_LEN);
    assert_int_equal(test_one(test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    // However the store remembers how many there are: others do not change that.
    revoke_of_others(test, 600);
    assert_int_equal(revoke_token(test, 0xff, 0), TWOLEG_LIMIT);
}

// Rows stay for a day or two after their tokens: short lives must not be a way around the limit.
static void rfc7009_5_what_is_kept_of_expired_tokens_is_limited_too(void **state)
{
    struct test_store *test = *state;
    int64_t later = TEST_NOW / SECOND_US + 100;
    test_revoke_many(test, 0, REVOCATIONS_PER_APPLICATION, TEST_NOW, 1);
    assert_int_equal(revoke_token(test, 0xee, 1), TWOLEG_LIMIT);
    assert_int_equal(revoke_token(test, 0xee, later), TWOLEG_NONE);
    assert_int_equal(revoke_token(test, 0xee, 1), TWOLEG_NONE); // already revoked
    purge(test, 2);
    assert_int_equal(revoke_token(test, 0xef, 1), TWOLEG_NONE);
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), 2);
}

static void rfc7009_5_what_is_kept_of_tokens_that_lived_is_limited_too(void **state)
{
    struct test_store *test = *state;
    int64_t life = 1000, now_s = TEST_NOW / SECOND_US;
    uint32_t done = 0;
    for (; done < REVOCATIONS_KEPT; done += REVOCATIONS_PER_APPLICATION, now_s += life)
        test_revoke_many(test, done, REVOCATIONS_PER_APPLICATION, now_s * SECOND_US, now_s + life);
    struct store_batch *batch = store_batch_create(now_s * SECOND_US);
    struct store_verb *verb = store_batch_add(batch, VERB_TOKEN_REVOKE, STORE_OPERATOR);
    verb->revoke.application = 11;
    verb->revoke.expires_s = now_s + life;
    memset(verb->revoke.id.bytes, 0xee, TOKEN_ID_LEN);
    assert_int_equal(test_commit(test, batch), TWOLEG_LIMIT);
    purge(test, TEST_NOW / SECOND_US + life + 1);
    test_revoke_many(test, done, 1000, now_s * SECOND_US, now_s + life);
}

// As often as the store looks after a change, or its start.
static void sweep(struct test_store *test)
{
    for (unsigned i = 0; i < 3; i++)
        while (test_purge_slice(test, VERB_TOKENS_PURGE, 1).more)
            ;
}

// Else an application whose tokens never expire could revoke none any more, for ever.
static void rfc7009_5_a_new_generation_makes_room(void **state)
{
    struct test_store *test = *state;
    const uint32_t most = REVOCATIONS_PER_APPLICATION;
    const int64_t later = TEST_NOW / SECOND_US + 100;
    struct store_verb verb = {.update = {.number = 11, .fields = FIELD_GENERATION,
                                         .generation = TEST_NOW + 1}};
    test_revoke_many(test, 0, most - 1, TEST_NOW, 0);
    assert_int_equal(revoke_token(test, 0xed, later), TWOLEG_NONE);
    assert_int_equal(revoke_token(test, 0xee, 0), TWOLEG_LIMIT);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    // By a clock that is behind, which does not matter.
    test_revoke_many(test, most, most / 2, TEST_NOW - SECOND_US, 0);
    test_close(test);
    test_open(test);
    test_revoke_many(test, 2 * most, most / 2, TEST_NOW - SECOND_US, 0);
    assert_int_equal(revoke_token(test, 0xee, 0), TWOLEG_LIMIT);
    sweep(test);
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), most);
    assert_int_equal(revoke_token(test, 0xee, 0), TWOLEG_LIMIT);
    assert_int_equal(revoke_token(test, 0xee, 1), TWOLEG_LIMIT); // by what is kept in all
    verb.update.generation++;
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(revoke_token(test, 0xef, 1), TWOLEG_NONE); // at once
    sweep(test);
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), 1);
}

// Nobody waits for more of a purge than one slice, however many rows there are.
static void H18_what_expired_leaves_in_slices(void **state)
{
    enum { SLICE = 500, ROWS = 2 * SLICE + 100 };
    struct test_store *test = *state;
    test_revoke_many(test, 0, ROWS, TEST_NOW, 2);
    test_revoke_many(test, ROWS, SLICE + 1, TEST_NOW, 0); // those that never expire are passed over
    for (size_t left = ROWS; left; left = left > SLICE ? left - SLICE : 0) {
        assert_int_equal(count_revocations(test, CHANGE_REVOCATION), left + SLICE + 1);
        struct store_purged purged = test_purge_slice(test, VERB_REVOCATIONS_PURGE, 3);
        assert_int_equal(purged.rows, 0); // these are reference tokens
        assert_int_equal(purged.more, left > SLICE);
    }
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), SLICE + 1);
    uint64_t last = store_sequence(test->reader);
    assert_true(purge(test, INT64_MAX / SECOND_US) > (ROWS + SLICE) / SLICE); // of the feed
    assert_int_equal(store_sequence(test->reader), last);
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), SLICE + 1);
}

static void credential_revocation_outlives_its_secret(void **state)
{
    struct test_store *test = *state;
    struct store_verb verb = {.number = 1011};
    assert_int_equal(remove_secret(test, 1011), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_CREDENTIAL_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    const struct store_change *last = &test->told.changes[test->told.count - 1];
    assert_int_equal(last->kind, CHANGE_CREDENTIAL);
    assert_int_equal(last->number, 1011);
    assert_int_equal(count_revocations(test, CHANGE_CREDENTIAL), 1);
    size_t told = test->told.count;
    assert_int_equal(test_one(test, VERB_CREDENTIAL_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test->told.count, told);
    verb.number = 12345;
    assert_int_equal(test_one(test, VERB_CREDENTIAL_REVOKE, STORE_OPERATOR, &verb),
                     TWOLEG_NOT_FOUND);
    purge(test, TEST_NOW / SECOND_US);
    assert_int_equal(count_revocations(test, CHANGE_CREDENTIAL), 1);
    // Delete buries it: the number is dead anyway.
    verb.number = 11;
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(count_revocations(test, CHANGE_CREDENTIAL), 0);
}

// The number is dead anyway, and whoever deletes waits for none of them.
static void H18_a_deleted_applications_revocations_leave_in_slices(void **state)
{
    enum { SLICE = 500, ROWS = 2 * SLICE + 100 };
    struct test_store *test = *state;
    struct store_verb gone = {.number = 11}, other = {.revoke = {.application = 12}};
    test_revoke_many(test, 0, ROWS, TEST_NOW, 0);
    memset(other.revoke.id.bytes, 0xdd, TOKEN_ID_LEN);
    assert_int_equal(test_one(test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &other), TWOLEG_NONE);
    while (test_purge_slice(test, VERB_TOKENS_PURGE, 0).more)
        assert_int_equal(count_revocations(test, CHANGE_REVOCATION), ROWS + 1);
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &gone), TWOLEG_NONE);
    for (size_t left = ROWS; left; left = left > SLICE ? left - SLICE : 0) {
        assert_int_equal(count_revocations(test, CHANGE_REVOCATION), left + 1);
        struct store_purged purged = test_purge_slice(test, VERB_TOKENS_PURGE, 0);
        assert_true(purged.rows == 0 && purged.more);
    }
    while (test_purge_slice(test, VERB_TOKENS_PURGE, 0).more)
        ;
    assert_int_equal(count_revocations(test, CHANGE_REVOCATION), 1);
}

// However often a generation changes meanwhile: as long as it lasts nothing else is purged.
static void H18_a_sweep_under_way_comes_to_its_end(void **state)
{
    enum { SWEPT = 100, OTHERS = 2 * SWEPT + 50 }; // in one slice; in all
    struct test_store *test = *state;
    struct store_verb last = {.number = 12 + OTHERS};
    struct store_verb act = {.update = {.number = 11, .fields = FIELD_GENERATION}};
    revoke_of_others(test, OTHERS);
    sweep(test);
    for (unsigned sweeps = 0; sweeps < 2; sweeps++) {
        unsigned slices = 0;
        do {
            assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &act),
                             TWOLEG_NONE);
            assert_true(slices++ <= OTHERS / SWEPT + 1);
            if (sweeps && slices == 2)
                assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &last),
                                 TWOLEG_NONE);
        } while (test_purge_slice(test, VERB_TOKENS_PURGE, 0).more);
        assert_int_equal(count_revocations(test, CHANGE_REVOCATION), OTHERS - sweeps);
    }
}

static struct store_verb signing_key(uint64_t id, const char *kid)
{
    struct store_verb verb = {.key = {.id = id, .purpose = STR("sign"), .algorithm = STR("ES256"),
                                      .kid = str_from(kid), .state = STR("announced"),
                                      .wrapped = STR("\0\1sealed"), .public_jwk = STR("{}")}};
    return verb;
}

static enum twoleg_error move_key(struct test_store *test, uint64_t id, const char *from,
                                  const char *to)
{
    struct store_verb verb = {.key = {.id = id, .state = str_from(to), .last_expiry_us = 77},
                              .expected_state = str_from(from)};
    return test_one(test, VERB_KEY_STATE, STORE_OPERATOR, &verb);
}

static void keys_move_by_compare_and_set(void **state)
{
    struct test_store *test = *state;
    struct store_verb verb = signing_key(9, "kid-9");
    assert_int_equal(test_one(test, VERB_KEY_CREATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test->told.changes[test->told.count - 1].kind, CHANGE_KEY);
    verb = signing_key(9, "kid-10");
    assert_int_equal(test_one(test, VERB_KEY_CREATE, STORE_OPERATOR, &verb), TWOLEG_CONFLICT);
    verb = signing_key(10, "kid-9");
    assert_int_equal(test_one(test, VERB_KEY_CREATE, STORE_OPERATOR, &verb), TWOLEG_CONFLICT);
    assert_int_equal(move_key(test, 9, "announced", "signing"), TWOLEG_NONE);
    assert_int_equal(move_key(test, 9, "announced", "signing"), TWOLEG_VERSION_CONFLICT);
    assert_int_equal(move_key(test, 8, "announced", "signing"), TWOLEG_NOT_FOUND);
    assert_int_equal(move_key(test, 9, "signing", "nonsense"), TWOLEG_RANGE);
    struct store_key *keys;
    size_t count;
    assert_int_equal(store_keys(test->reader, &test->arena, &keys, &count), TWOLEG_NONE);
    assert_int_equal(count, 1);
    test_assert_str(keys[0].state, "signing");
    test_assert_str(keys[0].kid, "kid-9");
    test_assert_str(keys[0].purpose, "sign");
    assert_int_equal(keys[0].wrapped.len, 8);
    assert_memory_equal(keys[0].wrapped.ptr, "\0\1sealed", 8);
    assert_int_equal(keys[0].created_us, TEST_NOW);
    // Once gone, its private half is gone from the store too.
    assert_int_equal(move_key(test, 9, "", "gone"), TWOLEG_NONE);
    assert_int_equal(store_keys(test->reader, &test->arena, &keys, &count), TWOLEG_NONE);
    assert_int_equal(keys[0].wrapped.len, 0);
    assert_int_equal(keys[0].last_expiry_us, 77);
}

static void settings_are_set_and_created_once(void **state)
{
    struct test_store *test = *state;
    struct str value;
    assert_int_equal(store_setting(test->reader, STR("issuer"), &test->arena, &value),
                     TWOLEG_NOT_FOUND);
    struct store_verb verb = {.setting = {STR("issuer"), STR("https://a")}};
    assert_int_equal(test_one(test, VERB_SETTING_CREATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    verb.setting.value = STR("https://b");
    assert_int_equal(test_one(test, VERB_SETTING_CREATE, STORE_OPERATOR, &verb), TWOLEG_CONFLICT);
    assert_int_equal(store_setting(test->reader, STR("issuer"), &test->arena, &value), TWOLEG_NONE);
    test_assert_str(value, "https://a");
    assert_int_equal(test_one(test, VERB_SETTING_SET, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(store_setting(test->reader, STR("issuer"), &test->arena, &value), TWOLEG_NONE);
    test_assert_str(value, "https://b");
    assert_int_equal(test->told.changes[test->told.count - 1].kind, CHANGE_SETTING);
}

static void audit_is_listed_in_order(void **state)
{
    struct test_store *test = *state;
    for (int i = 0; i < 3; i++) {
        struct store_verb verb = {.audit = {STR("uid:0"), STR("app.create"), STR("app_x"),
                                            STR("{}"), i ? STR("r1") : STR_NONE}};
        assert_int_equal(test_one(test, VERB_AUDIT, STORE_OPERATOR, &verb), TWOLEG_NONE);
    }
    struct store_cursor *cursor;
    struct store_audit row;
    assert_int_equal(store_audit_begin(test->reader, 1, 10, &cursor), TWOLEG_NONE);
    assert_true(store_audit_next(cursor, &row));
    assert_int_equal(row.sequence, 2);
    assert_int_equal(row.at_us, TEST_NOW);
    test_assert_str(row.actor, "uid:0");
    test_assert_str(row.action, "app.create");
    test_assert_str(row.object, "app_x");
    test_assert_str(row.request_id, "r1");
    assert_true(store_audit_next(cursor, &row));
    assert_false(store_audit_next(cursor, &row));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

static void default_account_is_there(void **state)
{
    struct test_store *test = *state;
    struct store_cursor *cursor;
    struct store_change account;
    assert_int_equal(store_accounts_begin(test->reader, &cursor), TWOLEG_NONE);
    assert_true(store_accounts_next(cursor, &account));
    assert_int_equal(account.number, ACCOUNT_DEFAULT);
    assert_true(account.account_active);
    assert_false(store_accounts_next(cursor, &account));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_APPLICATIONS(secrets_come_and_go),
        WITH_APPLICATIONS(ten_live_secrets),
        WITH_APPLICATIONS(used_is_added_up_and_never_goes_back),
        WITH_APPLICATIONS(rfc7009_2_2_revoked_twice_is_revoked_once),
        WITH_APPLICATIONS(purge_keeps_what_still_counts),
        WITH_APPLICATIONS(revocations_per_application_are_limited),
        WITH_APPLICATIONS(rfc7009_5_what_is_kept_of_expired_tokens_is_limited_too),
        WITH_APPLICATIONS(rfc7009_5_what_is_kept_of_tokens_that_lived_is_limited_too),
        WITH_APPLICATIONS(rfc7009_5_a_new_generation_makes_room),
        WITH_APPLICATIONS(H18_what_expired_leaves_in_slices),
        WITH_APPLICATIONS(credential_revocation_outlives_its_secret),
        WITH_APPLICATIONS(H18_a_deleted_applications_revocations_leave_in_slices),
        WITH_APPLICATIONS(H18_a_sweep_under_way_comes_to_its_end),
        WITH_APPLICATIONS(keys_move_by_compare_and_set),
        WITH_APPLICATIONS(settings_are_set_and_created_once),
        WITH_APPLICATIONS(audit_is_listed_in_order),
        WITH_APPLICATIONS(default_account_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
