// SPDX-License-Identifier: Apache-2.0
// Verbs on users, and what reads then say.
#include "user_test.h"

static struct user *find_user(struct test_store *test, const char *name)
{
    struct user *user = NULL;
    enum twoleg_error error =
        store_user(test->reader, ACCOUNT_DEFAULT, str_from(name), &test->arena, &user);
    assert_true(error == TWOLEG_NONE || error == TWOLEG_NOT_FOUND);
    return error ? NULL : user;
}

static void a_user_is_found_by_its_name_as_it_is(void **state)
{
    struct test_store *test = *state;
    size_t told = test->told.count;
    assert_int_equal(make_user(test, ANN, "Ann B\xc3\xb6"), TWOLEG_NONE);
    for (int life = 0; life < 2; life++) {
        struct user *user = find_user(test, "Ann B\xc3\xb6");
        assert_non_null(user);
        assert_true(user->number == ANN && user->account == ACCOUNT_DEFAULT);
        assert_int_equal(user->version, 1);
        test_assert_str(user->username, "Ann B\xc3\xb6");
        test_assert_str(user->password_hash, "$argon2id$of-the-word");
        assert_true(user->state.status == STATUS_ACTIVE && user->state.generation == 5);
        assert_int_equal(user->created_us, TEST_NOW);
        assert_int_equal(user->api_count, 1);
        assert_true(user->apis[0].api == TEST_API && user->apis[0].requests);
        assert_false(user->apis[0].serves);
        test_assert_str(user->apis[0].scopes, "groups sms");
        assert_null(find_user(test, "ann b\xc3\xb6")); // B8: exact bytes
        assert_null(find_user(test, "Ann B"));
        assert_null(find_user(test, ""));
        test_close(test);
        test_open(test);
    }
    struct user *user;
    assert_int_equal(store_user(test->reader, 2, STR("Ann B\xc3\xb6"), &test->arena, &user),
                     TWOLEG_NOT_FOUND);
    assert_int_equal(test->told.count, told + 1);
    assert_int_equal(test->told.changes[told].kind, CHANGE_USER);
    assert_true(test->told.changes[told].number == ANN);
    assert_string_equal(test->told.client_ids[told], "Ann B\xc3\xb6");
}

static void a_name_is_one_users_at_a_time(void **state)
{
    struct test_store *test = *state;
    struct store_verb gone = {.number = ANN};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(make_user(test, 22, "ann"), TWOLEG_CONFLICT);
    assert_int_equal(make_user(test, ANN, "bob"), TWOLEG_CONFLICT); // numbers are never used again
    assert_int_equal(test_one(test, VERB_USER_DELETE, 2, &gone), TWOLEG_NOT_FOUND);
    assert_int_equal(test_one(test, VERB_USER_DELETE, ACCOUNT_DEFAULT, &gone), TWOLEG_NONE);
    assert_null(find_user(test, "ann"));
    assert_int_equal(test->told.changes[test->told.count - 1].state.status, STATUS_DELETED);
    assert_string_equal(test->told.client_ids[test->told.count - 1], "");
    assert_int_equal(test_one(test, VERB_USER_DELETE, ACCOUNT_DEFAULT, &gone), TWOLEG_NOT_FOUND);
    assert_int_equal(update_user(test, ANN, FIELD_STATUS, STATUS_ACTIVE, 0), TWOLEG_NOT_FOUND);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_CONFLICT);
    assert_int_equal(make_user(test, 22, "ann"), TWOLEG_NONE);
    assert_true(find_user(test, "ann")->number == 22);
}

static void a_change_is_of_what_was_given(void **state)
{
    struct test_store *test = *state;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(update_user(test, ANN, FIELD_STATUS, STATUS_DISABLED, 99), TWOLEG_NONE);
    struct user *user = find_user(test, "ann");
    assert_true(user->state.status == STATUS_DISABLED && user->state.generation == 5);
    test_assert_str(user->password_hash, "$argon2id$of-the-word");
    assert_int_equal(user->version, 2);
    assert_int_equal(update_user(test, ANN, FIELD_PASSWORD | FIELD_GENERATION, STATUS_ACTIVE, 99),
                     TWOLEG_NONE);
    user = find_user(test, "ann");
    assert_true(user->state.status == STATUS_DISABLED && user->state.generation == 99);
    test_assert_str(user->password_hash, "another hash");
    // Never back, whatever the clock says.
    assert_int_equal(update_user(test, ANN, FIELD_GENERATION, STATUS_ACTIVE, 7), TWOLEG_NONE);
    assert_int_equal(find_user(test, "ann")->state.generation, 100);
    assert_int_equal(test->told.changes[test->told.count - 1].state.generation, 100);
    assert_int_equal(update_user(test, ANN, FIELD_STATUS, STATUS_DELETED, 0), TWOLEG_RANGE);
}

static void users_are_listed_page_after_page(void **state)
{
    struct test_store *test = *state;
    struct store_cursor *cursor;
    struct store_change change;
    struct user user;
    assert_int_equal(make_user(test, 1, "c"), TWOLEG_NONE);
    assert_int_equal(make_user(test, 2, "a"), TWOLEG_NONE);
    assert_int_equal(make_user(test, 3, "b"), TWOLEG_NONE);
    assert_int_equal(update_user(test, 2, FIELD_STATUS, STATUS_DISABLED, 0), TWOLEG_NONE);
    struct store_page page = {ACCOUNT_DEFAULT, STR("a"), 1};
    assert_int_equal(store_users_begin(test->reader, &page, &cursor), TWOLEG_NONE);
    assert_true(store_users_next(cursor, &user));
    test_assert_str(user.username, "b");
    assert_false(store_users_next(cursor, &user));
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    page = (struct store_page){2, STR(""), 10};
    assert_int_equal(store_users_begin(test->reader, &page, &cursor), TWOLEG_NONE);
    assert_false(store_users_next(cursor, &user)); // of another account
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    unsigned seen = 0;
    assert_int_equal(store_user_states_begin(test->reader, &cursor), TWOLEG_NONE);
    for (; store_user_states_next(cursor, &change); seen++) {
        assert_int_equal(change.kind, CHANGE_USER);
        assert_int_equal(change.state.status, change.number == 2);
    }
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    assert_int_equal(seen, 3);
}

static void a_removed_scope_leaves_users(void **state)
{
    struct test_store *test = *state;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    struct store_verb verb = {.scope = {.api = TEST_API, .name = STR("sms")}};
    assert_int_equal(test_one(test, VERB_SCOPE_REMOVE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    test_assert_str(find_user(test, "ann")->apis[0].scopes, "groups");
}

static void the_grants_of_an_application_are_kept(void **state)
{
    struct test_store *test = *state;
    struct store_verb verb = {.update = {.number = 11, .fields = FIELD_GRANTS,
                                         .grants = GRANT_BIT(GRANT_PASSWORD) |
                                                   GRANT_BIT(GRANT_REFRESH_TOKEN)}};
    assert_int_equal(test_load(test, 11)->grants, TEST_GRANTS);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test_load(test, 11)->grants, verb.update.grants);
    verb.update.fields = FIELD_NAME;
    verb.update.grants = GRANTS_DEFAULT; // not in fields
    verb.update.name = STR("b");
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(test_load(test, 11)->grants,
                     GRANT_BIT(GRANT_PASSWORD) | GRANT_BIT(GRANT_REFRESH_TOKEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_APPLICATIONS(a_user_is_found_by_its_name_as_it_is),
        WITH_APPLICATIONS(a_name_is_one_users_at_a_time),
        WITH_APPLICATIONS(a_change_is_of_what_was_given),
        WITH_APPLICATIONS(users_are_listed_page_after_page),
        WITH_APPLICATIONS(a_removed_scope_leaves_users),
        WITH_APPLICATIONS(the_grants_of_an_application_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
