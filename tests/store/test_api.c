// SPDX-License-Identifier: Apache-2.0
// APIs, their scopes, and what applications may do with them.
#include "store_test.h"

static const struct api *find_api(struct test_store *test, uint64_t number)
{
    struct api_set set;
    assert_int_equal(store_apis(test->reader, &test->arena, &set), TWOLEG_NONE);
    for (size_t i = 0; i < set.count; i++)
        if (set.apis[i].number == number)
            return &set.apis[i];
    return NULL;
}

static void apis_are_read_whole(void **state)
{
    struct test_store *test = *state;
    struct api_set set;
    assert_int_equal(store_apis(test->reader, &test->arena, &set), TWOLEG_NONE);
    assert_int_equal(set.count, 0);
    test_make_api(test);
    const struct api *api = find_api(test, TEST_API);
    assert_non_null(api);
    test_assert_str(api->identifier, "https://api.example");
    test_assert_str(api->algorithm, "ES256");
    test_assert_str(api->scopes, "groups sms");
    assert_true(api->is_default);
    assert_int_equal(api->account, ACCOUNT_DEFAULT);
    assert_int_equal(api->version, 1);
    assert_int_equal(api->created_us, TEST_NOW);
}

static enum twoleg_error make_api(struct test_store *test, uint64_t number, const char *identifier,
                                  bool is_default)
{
    const struct api api = {.number = number, .account = ACCOUNT_DEFAULT,
                            .identifier = str_from(identifier), .name = STR("n"),
                            .algorithm = STR("ES256"), .is_default = is_default};
    struct store_batch *batch = test_batch();
    test_add_api(batch, &api);
    return test_commit(test, batch);
}

static void identifier_and_default_are_unique(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(make_api(test, 8, "https://api.example", false), TWOLEG_CONFLICT);
    assert_int_equal(make_api(test, 8, "https://two.example", true), TWOLEG_CONFLICT);
    assert_int_equal(make_api(test, TEST_API, "https://two.example", false), TWOLEG_CONFLICT);
    assert_int_equal(make_api(test, 8, "https://two.example", false), TWOLEG_NONE);
    assert_non_null(find_api(test, 8));
    test_assert_str(find_api(test, 8)->scopes, "");
}

static void default_api_follows_the_issuer(void **state)
{
    struct test_store *test = *state;
    struct store_verb verb = {.identifier = STR("https://new.example")};
    assert_int_equal(test_one(test, VERB_API_RENAME_DEFAULT, STORE_OPERATOR, &verb),
                     TWOLEG_NOT_FOUND);
    test_make_api(test);
    assert_int_equal(make_api(test, 8, "https://two.example", false), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_API_RENAME_DEFAULT, STORE_OPERATOR, &verb), TWOLEG_NONE);
    test_assert_str(find_api(test, TEST_API)->identifier, "https://new.example");
    verb.identifier = STR("https://two.example");
    assert_int_equal(test_one(test, VERB_API_RENAME_DEFAULT, STORE_OPERATOR, &verb),
                     TWOLEG_CONFLICT);
    assert_int_equal(test_one(test, VERB_API_RENAME_DEFAULT, ACCOUNT_DEFAULT, &verb),
                     TWOLEG_NOT_FOUND);
}

static enum twoleg_error scope(struct test_store *test, enum store_verb_kind kind, const char *name)
{
    struct store_verb verb = {.scope = {TEST_API, str_from(name)}};
    return test_one(test, kind, STORE_OPERATOR, &verb);
}

static void scopes_are_sorted_and_unique(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(scope(test, VERB_SCOPE_CREATE, "all"), TWOLEG_NONE);
    assert_int_equal(scope(test, VERB_SCOPE_CREATE, "all"), TWOLEG_CONFLICT);
    assert_int_equal(scope(test, VERB_SCOPE_CREATE, "Zulu"), TWOLEG_NONE);
    test_assert_str(find_api(test, TEST_API)->scopes, "Zulu all groups sms");
    assert_int_equal(find_api(test, TEST_API)->version, 3);
    assert_int_equal(scope(test, VERB_SCOPE_REMOVE, "nothing"), TWOLEG_NOT_FOUND);
    assert_int_equal(scope(test, VERB_SCOPE_REMOVE, "groups"), TWOLEG_NONE);
    test_assert_str(find_api(test, TEST_API)->scopes, "Zulu all sms");
}

static enum twoleg_error link_api(struct test_store *test, uint64_t api, bool requests, bool serves,
                                  const char *scopes)
{
    struct store_verb verb = {.application_api = {11, api, requests, serves, str_from(scopes)}};
    return test_one(test, VERB_APPLICATION_API_SET, STORE_OPERATOR, &verb);
}

static void api_set_replaces_the_row(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(make_api(test, 3, "https://three.example", false), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(link_api(test, TEST_API, true, true, "sms"), TWOLEG_NONE);
    assert_int_equal(link_api(test, 3, false, true, ""), TWOLEG_NONE);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->api_count, 2);
    assert_int_equal(application->apis[0].api, 3);
    test_assert_str(application->apis[0].scopes, "");
    assert_false(application->apis[0].requests);
    assert_true(application->apis[1].serves);
    test_assert_str(application->apis[1].scopes, "sms");
    assert_int_equal(application->version, 3);
    assert_int_equal(test->told.changes[test->told.count - 1].kind, CHANGE_APPLICATION);
    assert_int_equal(link_api(test, TEST_API, false, false, ""), TWOLEG_NONE);
    application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->api_count, 1);
}

static void only_declared_scopes_of_existing_apis(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(link_api(test, TEST_API, true, false, "sms unknown"), TWOLEG_NOT_FOUND);
    assert_int_equal(link_api(test, 99, true, false, ""), TWOLEG_NOT_FOUND);
    struct application *application = test_load(test, 11);
    assert_non_null(application);
    assert_int_equal(application->version, 1);
    test_assert_str(application->apis[0].scopes, "groups sms");
    // Declared and given in one batch, in this order.
    struct store_batch *batch = test_batch();
    store_batch_add(batch, VERB_SCOPE_CREATE, STORE_OPERATOR)->scope.name = STR("new");
    batch->verbs->scope.api = TEST_API;
    struct store_verb *set = store_batch_add(batch, VERB_APPLICATION_API_SET, STORE_OPERATOR);
    set->application_api.application = 11;
    set->application_api.api = TEST_API;
    set->application_api.requests = true;
    set->application_api.scopes = STR("new sms");
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
    test_assert_str(test_load(test, 11)->apis[0].scopes, "new sms");
}

static void removed_scope_leaves_exactly_its_holders(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(scope(test, VERB_SCOPE_CREATE, "sms2"), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 12, "b"), TWOLEG_NONE);
    assert_int_equal(test_make_application(test, 13, "c"), TWOLEG_NONE);
    assert_int_equal(link_api(test, TEST_API, true, false, "groups sms2"), TWOLEG_NONE);
    size_t before = test->told.count;
    assert_int_equal(scope(test, VERB_SCOPE_REMOVE, "sms"), TWOLEG_NONE);
    test_assert_str(test_load(test, 11)->apis[0].scopes, "groups sms2");
    test_assert_str(test_load(test, 12)->apis[0].scopes, "groups");
    test_assert_str(test_load(test, 13)->apis[0].scopes, "groups");
    assert_int_equal(test_load(test, 12)->version, 2);
    assert_int_equal(test_load(test, 11)->version, 2);
    assert_int_equal(test->told.count - before, 3);
    assert_int_equal(test->told.changes[before].kind, CHANGE_API);
    uint64_t told = test->told.changes[before + 1].number + test->told.changes[before + 2].number;
    assert_int_equal(told, 12 + 13);
}

static void limits_of_apis_and_scope_texts(void **state)
{
    struct test_store *test = *state;
    test_make_api(test);
    assert_int_equal(test_make_application(test, 11, "a"), TWOLEG_NONE);
    struct store_batch *batch = test_batch();
    static struct api apis[APPLICATION_APIS_MAX];
    static char names[APPLICATION_APIS_MAX][32];
    for (uint64_t i = 0; i < APPLICATION_APIS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "https://%02u.example", (unsigned)i);
        apis[i] = (struct api){.number = 100 + i, .account = ACCOUNT_DEFAULT,
                               .identifier = str_from(names[i]), .name = STR("n"),
                               .algorithm = STR("ES256")};
        test_add_api(batch, &apis[i]);
    }
    assert_int_equal(test_commit(test, batch), TWOLEG_NONE);
    for (uint64_t i = 0; i + 1 < APPLICATION_APIS_MAX; i++)
        assert_int_equal(link_api(test, 100 + i, true, false, ""), TWOLEG_NONE);
    assert_int_equal(link_api(test, 100 + APPLICATION_APIS_MAX - 1, true, false, ""), TWOLEG_LIMIT);
    assert_int_equal(test_load(test, 11)->api_count, APPLICATION_APIS_MAX);
    static char long_text[SCOPE_TEXT_MAX + 2];
    memset(long_text, ' ', sizeof long_text - 1);
    memcpy(long_text, "sms", 3);
    assert_int_equal(link_api(test, TEST_API, true, false, long_text), TWOLEG_RANGE);
    char long_scope[SCOPE_NAME_MAX + 2];
    memset(long_scope, 's', sizeof long_scope);
    long_scope[SCOPE_NAME_MAX + 1] = '\0';
    assert_int_equal(scope(test, VERB_SCOPE_CREATE, long_scope), TWOLEG_RANGE);
    long_scope[SCOPE_NAME_MAX] = '\0';
    assert_int_equal(scope(test, VERB_SCOPE_CREATE, long_scope), TWOLEG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(apis_are_read_whole),
        WITH_STORE(identifier_and_default_are_unique),
        WITH_STORE(default_api_follows_the_issuer),
        WITH_STORE(scopes_are_sorted_and_unique),
        WITH_STORE(api_set_replaces_the_row),
        WITH_STORE(only_declared_scopes_of_existing_apis),
        WITH_STORE(removed_scope_leaves_exactly_its_holders),
        WITH_STORE(limits_of_apis_and_scope_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
