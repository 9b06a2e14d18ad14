// SPDX-License-Identifier: Apache-2.0
// What requests read (design 3.3), on a real store.
#include "registry_test.h"

static void an_unknown_client_never_reaches_the_store(void **state)
{
    struct test_registry *on = *state;
    struct registry_view view;
    assert_int_equal(registry_client(on->registry, STR("nobody"), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_client(on->registry, STR(""), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_application(on->registry, 1, &view), TWOLEG_NOT_FOUND);
    struct test_job job = {.done = false};
    assert_int_equal(registry_load(on->registry, 1, &job.job), TWOLEG_NOT_FOUND);
    assert_false(job.done);
    assert_int_equal(registry_figures(on->registry).loads, 0);
}

static void a_client_is_known_at_once_and_loaded_once(void **state)
{
    struct test_registry *on = *state;
    struct registry_view view;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_WAIT);
    assert_int_equal(view.number, 11);
    assert_null(view.body);
    assert_int_equal(registry_test_load(on, 11), TWOLEG_NONE);
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_NONE);
    assert_int_equal(view.state.status, STATUS_ACTIVE);
    assert_int_equal(view.state.generation, 5);
    assert_true(view.account_active);
    test_assert_str(view.body->client_id, "billing");
    test_assert_str(view.body->name, "An application");
    assert_int_equal(view.body->api_count, 1);
    test_assert_str(view.body->apis[0].scopes, "groups sms");
    assert_int_equal(view.body->secret_count, 1);
    assert_int_equal(view.body->secrets[0].number, 1011);
    test_assert_str(view.body->secrets[0].label, "first");
    // A load of what is there ends at once.
    assert_int_equal(registry_test_load(on, 11), TWOLEG_NONE);
    assert_int_equal(registry_figures(on->registry).loads, 1);
    assert_int_equal(registry_figures(on->registry).bodies, 1);
    // Another client_id, also one that begins alike, is another client.
    assert_int_equal(registry_client(on->registry, STR("billin"), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_client(on->registry, STR("Billing"), &view), TWOLEG_CLIENT_UNKNOWN);
}

static void what_was_acknowledged_is_visible(void **state)
{
    struct test_registry *on = *state;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    test_assert_str(registry_test_view(on, 11).body->name, "An application");
    assert_int_equal(registry_test_rename(on->test, 11, "Other"), TWOLEG_NONE);
    struct registry_view view;
    assert_int_equal(registry_application(on->registry, 11, &view), TWOLEG_WAIT);
    test_assert_str(registry_test_view(on, 11).body->name, "Other");

    struct store_verb verb = {0};
    verb.update.number = 11;
    verb.update.fields = FIELD_STATUS | FIELD_GENERATION;
    verb.update.status = STATUS_DISABLED;
    verb.update.generation = 99;
    assert_int_equal(test_one(on->test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    view = registry_test_view(on, 11);
    assert_int_equal(view.state.status, STATUS_DISABLED);
    assert_int_equal(view.state.generation, 99);
}

static void what_is_spent_outlives_changes_and_evictions(void **state)
{
    struct test_registry *on = *state;
    static const struct limit_rate once = {86400 * SECOND_US, 1};
    registry_close(on);
    registry_open(on, 1);
    for (uint64_t number = 11; number <= 13; number++) {
        char name[8];
        snprintf(name, sizeof name, "app%d", (int)number);
        assert_int_equal(test_make_application(on->test, number, name), TWOLEG_NONE);
    }
    registry_test_view(on, 11);
    assert_true(limit_bucket_take(&registry_spent(on->registry, 11)->bucket, &once, 0) == 0);
    assert_int_equal(registry_test_rename(on->test, 11, "Other"), TWOLEG_NONE);
    registry_test_view(on, 12); // its body is out
    registry_test_view(on, 11);
    assert_true(limit_bucket_take(&registry_spent(on->registry, 11)->bucket, &once, 0) > 0);
    // Nobody else's is touched.
    assert_true(limit_bucket_take(&registry_spent(on->registry, 12)->bucket, &once, 0) == 0);
    struct store_verb verb = {.number = 11};
    assert_int_equal(test_one(on->test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    assert_null(registry_spent(on->registry, 11));
}

static void a_removed_scope_or_secret_is_gone_from_the_body(void **state)
{
    struct test_registry *on = *state;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    registry_test_view(on, 11);
    struct store_verb verb = {0};
    verb.scope.api = TEST_API;
    verb.scope.name = STR("sms");
    assert_int_equal(test_one(on->test, VERB_SCOPE_REMOVE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    test_assert_str(registry_test_view(on, 11).body->apis[0].scopes, "groups");
    test_assert_str(api_set_find(registry_apis(on->registry), TEST_API)->scopes, "groups");
    verb = (struct store_verb){0};
    verb.secret.application = 11;
    verb.secret.secret.number = 1011;
    assert_int_equal(test_one(on->test, VERB_SECRET_REMOVE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_int_equal(registry_test_view(on, 11).body->secret_count, 0);
}

static void deleted_and_re_created_is_another_number(void **state)
{
    struct test_registry *on = *state;
    struct registry_view view;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    registry_test_view(on, 11);
    assert_int_equal(registry_test_delete(on->test, 11), TWOLEG_NONE);
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_application(on->registry, 11, &view), TWOLEG_NOT_FOUND);
    assert_int_equal(registry_figures(on->registry).applications, 0);
    assert_int_equal(registry_figures(on->registry).bodies, 0);
    assert_int_equal(test_make_application(on->test, 12, "billing"), TWOLEG_NONE);
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_WAIT);
    assert_int_equal(view.number, 12);
    assert_int_equal(registry_application(on->registry, 11, &view), TWOLEG_NOT_FOUND);
}

static void a_load_that_a_change_overtook_is_repeated(void **state)
{
    struct test_registry *on = *state;
    struct test_job first = {.done = false};
    struct test_job second = {.done = false};
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    assert_true(stop_hold("registry.loaded"));
    assert_int_equal(registry_load(on->registry, 11, &first.job), TWOLEG_NONE);
    test_wait_at("registry.loaded");
    assert_int_equal(registry_test_rename(on->test, 11, "Newer"), TWOLEG_NONE);
    assert_int_equal(registry_load(on->registry, 11, &second.job), TWOLEG_NONE);
    assert_false(first.done);
    assert_true(stop_release("registry.loaded"));
    assert_int_equal(test_job_wait(&first), TWOLEG_NONE);
    assert_int_equal(test_job_wait(&second), TWOLEG_NONE);
    struct registry_view view;
    assert_int_equal(registry_application(on->registry, 11, &view), TWOLEG_NONE);
    test_assert_str(view.body->name, "Newer");
    assert_int_equal(registry_figures(on->registry).loads, 1);
}

static void a_load_that_a_deletion_overtook_finds_nothing(void **state)
{
    struct test_registry *on = *state;
    struct test_job job = {.done = false};
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    assert_true(stop_hold("registry.loaded"));
    assert_int_equal(registry_load(on->registry, 11, &job.job), TWOLEG_NONE);
    test_wait_at("registry.loaded");
    assert_int_equal(registry_test_delete(on->test, 11), TWOLEG_NONE);
    assert_int_equal(test_make_application(on->test, 12, "billing"), TWOLEG_NONE);
    assert_true(stop_release("registry.loaded"));
    assert_int_equal(test_job_wait(&job), TWOLEG_NOT_FOUND);
    struct registry_view view;
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_WAIT);
    assert_int_equal(view.number, 12);
    assert_int_equal(registry_figures(on->registry).bodies, 0);
}

static void client_ids_of_one_hash_are_told_apart(void **state)
{
    struct test_registry *on = *state;
    static const char *const ids[] = {"one", "two", "three"};
    registry_test_collide(true);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(test_make_application(on->test, 11 + i, ids[i]), TWOLEG_NONE);
    for (uint64_t i = 0; i < 6; i++) {
        struct registry_view view;
        enum twoleg_error error;
        unsigned rounds = 0;
        struct str id = str_from(ids[i % 3]);
        while ((error = registry_client(on->registry, id, &view)) == TWOLEG_WAIT) {
            assert_int_equal(registry_test_load(on, view.number), TWOLEG_NONE);
            assert_true(++rounds <= 3);
        }
        assert_int_equal(error, TWOLEG_NONE);
        assert_int_equal(view.number, 11 + i % 3);
    }
    struct registry_view view;
    assert_int_equal(registry_client(on->registry, STR("four"), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_test_delete(on->test, 12), TWOLEG_NONE);
    assert_int_equal(registry_client(on->registry, STR("two"), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_client(on->registry, STR("three"), &view), TWOLEG_NONE);
    registry_test_collide(false);
}

static void bodies_are_bounded_and_the_visited_one_stays(void **state)
{
    struct test_registry *on = *state;
    registry_close(on);
    registry_open(on, 4);
    for (uint64_t i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "app%llu", (unsigned long long)i);
        assert_int_equal(test_make_application(on->test, 100 + i, id), TWOLEG_NONE);
    }
    for (uint64_t i = 0; i < 20; i++) {
        registry_test_view(on, 100 + i);
        struct registry_view view;
        assert_int_equal(registry_application(on->registry, 100, &view), TWOLEG_NONE);
        assert_true(registry_figures(on->registry).bodies <= 4);
    }
    assert_int_equal(registry_figures(on->registry).evictions, 16);
    assert_int_equal(registry_figures(on->registry).applications, 20);
    // Another bound: those beyond it go at once, or there is room for more.
    registry_bound(on->registry, 2);
    assert_int_equal(registry_figures(on->registry).bodies, 2);
    registry_bound(on->registry, 6);
    for (uint64_t i = 0; i < 20; i++)
        registry_test_view(on, 100 + i);
    assert_int_equal(registry_figures(on->registry).bodies, 6);
}

static struct token_id token(uint8_t first)
{
    return (struct token_id){{first, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
}

static void revocations_hold_until_they_are_purged(void **state)
{
    struct test_registry *on = *state;
    const struct token_id id = token(1);
    const struct token_id other = token(2);
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    struct store_verb verb = {0};
    verb.revoke.id = id;
    verb.revoke.application = 11;
    verb.revoke.expires_s = TEST_NOW / SECOND_US + 60;
    assert_false(registry_token_revoked(on->registry, &id));
    assert_int_equal(test_one(on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_true(registry_token_revoked(on->registry, &id));
    assert_false(registry_token_revoked(on->registry, &other));
    struct store_verb credential = {.number = 1011};
    assert_int_equal(test_one(on->test, VERB_CREDENTIAL_REVOKE, STORE_OPERATOR, &credential),
                     TWOLEG_NONE);
    assert_true(registry_credential_revoked(on->registry, 1011));
    assert_false(registry_credential_revoked(on->registry, 1012));
    assert_int_equal(registry_figures(on->registry).revocations, 2);

    registry_purge(on->registry, TEST_NOW / SECOND_US + 59);
    assert_true(registry_token_revoked(on->registry, &id));
    // A restart reads them again.
    registry_close(on);
    registry_open(on, 10);
    assert_true(registry_token_revoked(on->registry, &id));
    assert_true(registry_credential_revoked(on->registry, 1011));
    registry_purge(on->registry, TEST_NOW / SECOND_US + 60);
    assert_false(registry_token_revoked(on->registry, &id));
    assert_true(registry_credential_revoked(on->registry, 1011));
}

static void a_start_knows_what_the_store_knows(void **state)
{
    struct test_registry *on = *state;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    assert_int_equal(test_make_application(on->test, 12, "gone"), TWOLEG_NONE);
    assert_int_equal(registry_test_delete(on->test, 12), TWOLEG_NONE);
    registry_close(on);
    registry_open(on, 10);
    struct registry_view view;
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_WAIT);
    assert_true(view.account_active);
    assert_int_equal(registry_client(on->registry, STR("gone"), &view), TWOLEG_CLIENT_UNKNOWN);
    assert_int_equal(registry_figures(on->registry).applications, 1);
    const struct api *api = api_set_default(registry_apis(on->registry));
    assert_int_equal(api->number, TEST_API);
    test_assert_str(api->identifier, "https://api.example");
}

enum { REVOKED = 3 * 64 + 7 }; // several of the pieces that a start takes in, and a part of one

static struct token_id revoked_token(unsigned number)
{
    struct token_id id = token(1);
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

static void revoke_many(struct test_registry *on)
{
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    for (unsigned i = 0; i < REVOKED; i++) {
        struct store_verb verb = {0};
        verb.revoke.id = revoked_token(i);
        verb.revoke.application = 11;
        assert_int_equal(test_one(on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb),
                         TWOLEG_NONE);
    }
}

static void assert_all_revoked(const struct test_registry *on)
{
    assert_int_equal(registry_figures(on->registry).revocations, REVOKED);
    for (unsigned i = 0; i < REVOKED; i++) {
        struct token_id id = revoked_token(i);
        assert_true(registry_token_revoked(on->registry, &id));
    }
}

struct starting {
    struct registry_settings settings;
    struct registry *registry;
    enum twoleg_error error;
    atomic_bool over;
};

static void *starting_main(void *context)
{
    struct starting *starting = context;
    starting->error = registry_create(&starting->settings, &starting->registry);
    atomic_store(&starting->over, true);
    return NULL;
}

// The list is read by another thread: nothing may be answered before its last row.
static void promise_3_a_start_waits_for_the_last_revocation(void **state)
{
    struct test_registry *on = *state;
    revoke_many(on);
    registry_close(on);
    struct starting starting = {.settings = {on->test->store, &on->epoch, 10}};
    pthread_t thread;
    assert_true(stop_hold("registry.revocation"));
    assert_int_equal(pthread_create(&thread, NULL, starting_main, &starting), 0);
    test_wait_at("registry.revocation");
    // All else that a start reads comes by this reader, which is free again once it was read.
    struct store_reader *reader = store_reader_borrow(on->test->store);
    store_reader_return(on->test->store);
    assert_non_null(reader);
    assert_false(atomic_load(&starting.over));
    assert_true(stop_release("registry.revocation"));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(starting.error, TWOLEG_NONE);
    on->registry = starting.registry;
    assert_all_revoked(on);
}

static void promise_3_a_start_that_could_not_read_all_revocations_fails(void **state)
{
    struct test_registry *on = *state;
    revoke_many(on);
    registry_close(on);
    const struct registry_settings settings = {on->test->store, &on->epoch, 10};
    enum twoleg_error error = TWOLEG_STORE_FAILED;
    unsigned failed = 0;
    // Each call of the store's in turn; the last time none is left to fail.
    for (unsigned nth = 1; error; nth++) {
        fault_arm(FAULT_STORE, nth, false);
        error = registry_create(&settings, &on->registry);
        fault_arm(FAULT_STORE, 0, false);
        failed += error != TWOLEG_NONE;
    }
    assert_all_revoked(on);
    assert_true(failed >= REVOKED);
}

static void a_change_that_was_lost_refuses_everything_until_it_is_repaired(void **state)
{
    struct test_registry *on = *state;
    struct registry_view view;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    struct store_change change = {.kind = CHANGE_APPLICATION,
                                  .number = 12,
                                  .account = ACCOUNT_DEFAULT,
                                  .client_id = STR("lost")};
    fault_arm(FAULT_MEMORY, 1, true);
    registry_on_change(on->registry, &change, 1);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(registry_figures(on->registry).incomplete);
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_STORE_FAILED);
    assert_int_equal(registry_application(on->registry, 11, &view), TWOLEG_STORE_FAILED);
    registry_mend(on->registry);
    assert_false(registry_figures(on->registry).incomplete);
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_WAIT);
}

static void A14_a_change_is_taken_in_when_no_descriptor_is_left(void **state)
{
    struct test_registry *on = *state;
    struct registry_view view;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    struct store_verb verb = {0};
    verb.scope.api = TEST_API;
    verb.scope.name = STR("fresh");
    struct rlimit before = test_descriptors_out();
    enum twoleg_error error = test_one(on->test, VERB_SCOPE_CREATE, STORE_OPERATOR, &verb);
    bool incomplete = registry_figures(on->registry).incomplete;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(error, TWOLEG_NONE);
    assert_false(incomplete);
    assert_true(str_has_word(api_set_find(registry_apis(on->registry), TEST_API)->scopes,
                             STR("fresh")));
    assert_int_equal(registry_client(on->registry, STR("billing"), &view), TWOLEG_WAIT);
}

static void H8_nobody_waits_for_ever_for_a_load_that_hangs(void **state)
{
    struct test_registry *on = *state;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    assert_true(stop_hold("registry.loaded"));
    struct test_job first = {.done = false};
    struct test_job second = {.done = false};
    assert_int_equal(registry_load(on->registry, 11, &first.job), TWOLEG_NONE);
    test_wait_at("registry.loaded");
    registry_give_up(on->registry, 60 * SECOND_US);
    assert_false(first.done);
    registry_give_up(on->registry, -1);
    assert_int_equal(test_job_wait(&first), TWOLEG_STORE_BUSY);
    // Whoever comes later joins it, and gets what it brings.
    assert_int_equal(registry_load(on->registry, 11, &second.job), TWOLEG_NONE);
    assert_true(stop_release("registry.loaded"));
    assert_int_equal(test_job_wait(&second), TWOLEG_NONE);
}

static void a_failed_read_fails_the_job_and_is_tried_again(void **state)
{
    struct test_registry *on = *state;
    assert_int_equal(test_make_application(on->test, 11, "billing"), TWOLEG_NONE);
    assert_true(stop_hold("registry.loaded"));
    struct test_job job = {.done = false};
    // The second allocation from here on is the load's own; whatever fails, the job ends.
    fault_arm(FAULT_MEMORY, 2, true);
    assert_int_equal(registry_load(on->registry, 11, &job.job), TWOLEG_NONE);
    test_wait_at("registry.loaded");
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(stop_release("registry.loaded"));
    assert_int_equal(test_job_wait(&job), TWOLEG_NO_MEMORY);
    assert_int_equal(registry_test_load(on, 11), TWOLEG_NONE);
}

static enum twoleg_error make_user(struct test_registry *on, uint64_t number, const char *name)
{
    const struct user user = {.number = number, .account = ACCOUNT_DEFAULT,
                              .username = str_from(name), .password_hash = STR("hash"),
                              .state = {STATUS_ACTIVE, 5}};
    struct store_verb verb = {.user = &user};
    return test_one(on->test, VERB_USER_CREATE, STORE_OPERATOR, &verb);
}

static void users_are_known_while_they_are_there(void **state)
{
    struct test_registry *on = *state;
    struct registry_user_view view;
    assert_false(registry_user(on->registry, 21, &view));
    assert_int_equal(view.state.status, STATUS_DELETED);
    assert_int_equal(make_user(on, 21, "ann"), TWOLEG_NONE);
    assert_int_equal(make_user(on, 22, "bob"), TWOLEG_NONE);
    for (int life = 0; life < 2; life++) {
        assert_true(registry_user(on->registry, 21, &view));
        assert_true(view.state.status == STATUS_ACTIVE && view.state.generation == 5);
        assert_true(view.account_active);
        test_assert_str(view.username, "ann");
        assert_int_equal(registry_figures(on->registry).users, 2);
        registry_close(on);
        registry_open(on, 100);
    }
    struct store_verb verb = {.user_update = {.number = 21, .status = STATUS_DISABLED,
                                              .fields = FIELD_STATUS | FIELD_GENERATION,
                                              .generation = 99}};
    assert_int_equal(test_one(on->test, VERB_USER_UPDATE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_true(registry_user(on->registry, 21, &view));
    assert_true(view.state.status == STATUS_DISABLED && view.state.generation == 99);
    verb = (struct store_verb){.number = 21};
    assert_int_equal(test_one(on->test, VERB_USER_DELETE, STORE_OPERATOR, &verb), TWOLEG_NONE);
    assert_false(registry_user(on->registry, 21, &view));
    assert_int_equal(view.state.status, STATUS_DELETED);
    assert_true(registry_user(on->registry, 22, &view));
    assert_int_equal(registry_figures(on->registry).users, 1);
}

// What could not be taken in makes nothing of all this believable: promise 3.
static void a_user_that_there_is_no_memory_for_stops_all(void **state)
{
    struct test_registry *on = *state;
    struct registry_user_view view;
    fault_arm(FAULT_MEMORY, 1, true);
    struct store_change change = {.sequence = 1000, .kind = CHANGE_USER, .number = 21,
                                  .account = ACCOUNT_DEFAULT, .client_id = STR("ann"),
                                  .state = {STATUS_ACTIVE, 5}};
    registry_on_change(on->registry, &change, 1);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(registry_figures(on->registry).incomplete);
    assert_false(registry_user(on->registry, 21, &view));
    registry_mend(on->registry);
    assert_false(registry_figures(on->registry).incomplete);
}

#define unit(test) cmocka_unit_test_setup_teardown(test, registry_setup, registry_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(an_unknown_client_never_reaches_the_store),
        unit(a_client_is_known_at_once_and_loaded_once),
        unit(what_was_acknowledged_is_visible),
        unit(what_is_spent_outlives_changes_and_evictions),
        unit(a_removed_scope_or_secret_is_gone_from_the_body),
        unit(deleted_and_re_created_is_another_number),
        unit(a_load_that_a_change_overtook_is_repeated),
        unit(a_load_that_a_deletion_overtook_finds_nothing),
        unit(client_ids_of_one_hash_are_told_apart),
        unit(bodies_are_bounded_and_the_visited_one_stays),
        unit(revocations_hold_until_they_are_purged),
        unit(a_start_knows_what_the_store_knows),
        unit(promise_3_a_start_waits_for_the_last_revocation),
        unit(promise_3_a_start_that_could_not_read_all_revocations_fails),
        unit(a_change_that_was_lost_refuses_everything_until_it_is_repaired),
        unit(A14_a_change_is_taken_in_when_no_descriptor_is_left),
        unit(H8_nobody_waits_for_ever_for_a_load_that_hangs),
        unit(users_are_known_while_they_are_there),
        unit(a_user_that_there_is_no_memory_for_stops_all),
        unit(a_failed_read_fails_the_job_and_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
