// SPDX-License-Identifier: Apache-2.0
// What takes something away is written before what else waits, and nothing waits for ever.
#include <sched.h>
#include <stdatomic.h>

#include "store_test.h"

#define APPLICATION ((uint64_t)11)

struct order {
    struct test_store *test;
    struct store_batch *batch;
    atomic_bool done;
    size_t told; // changes that had been told when the answer came: equal within a round
};

static void order_done(struct store_batch *batch)
{
    struct order *order = batch->context;
    order->told = order->test->told.count;
    atomic_store(&order->done, true);
}

static struct store_verb *order_init(struct order *order, struct test_store *test,
                                     enum store_verb_kind kind)
{
    *order = (struct order){.test = test, .batch = test_batch()};
    order->batch->done = order_done;
    order->batch->context = order;
    return store_batch_add(order->batch, kind, STORE_OPERATOR);
}

static enum twoleg_error order_set(struct test_store *test, struct order *order)
{
    struct store_verb *verb = order_init(order, test, VERB_SETTING_SET);
    verb->setting.name = STR("a");
    verb->setting.value = STR("1");
    return store_submit(test->store, order->batch);
}

static enum twoleg_error order_revoke(struct test_store *test, struct order *order, uint8_t id)
{
    struct store_verb *verb = order_init(order, test, VERB_TOKEN_REVOKE);
    verb->revoke.application = APPLICATION;
    memset(verb->revoke.id.bytes, id, TOKEN_ID_LEN);
    return store_submit(test->store, order->batch);
}

static void wait_at(const char *point)
{
    while (!stop_waiting(point))
        sched_yield();
}

static void wait_for_all(struct order *orders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (!atomic_load(&orders[i].done))
            sched_yield();
        assert_int_equal(orders[i].batch->result, TWOLEG_NONE);
        store_batch_destroy(orders[i].batch);
    }
}

static size_t begin(struct test_store *test)
{
    test_make_api(test);
    assert_int_equal(test_make_application(test, APPLICATION, "billing"), TWOLEG_NONE);
    return test->told.count;
}

static void A27_a_revocation_is_written_before_what_waited_longer(void **state)
{
    struct test_store *test = *state;
    struct order orders[6];
    size_t told = begin(test);
    assert_true(stop_hold("store.before_commit"));
    assert_int_equal(order_set(test, &orders[0]), TWOLEG_NONE);
    wait_at("store.before_commit");
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(order_set(test, &orders[i]), TWOLEG_NONE);
    assert_int_equal(order_revoke(test, &orders[4], 1), TWOLEG_NONE);
    assert_int_equal(order_revoke(test, &orders[5], 2), TWOLEG_NONE);
    assert_true(stop_release("store.before_commit"));
    wait_for_all(orders, 6);
    assert_int_equal(orders[0].told, told + 1);
    // Both of them in one commit, with one of the others, so that those never stand still.
    assert_int_equal(orders[4].told, told + 4);
    assert_int_equal(orders[5].told, told + 4);
    assert_int_equal(orders[1].told, told + 4);
    assert_int_equal(test->told.changes[told + 1].kind, CHANGE_REVOCATION);
    assert_int_equal(test->told.changes[told + 2].kind, CHANGE_REVOCATION);
    assert_int_equal(test->told.changes[told + 3].kind, CHANGE_SETTING);
    assert_int_equal(orders[2].told, told + 6);
    assert_int_equal(orders[3].told, told + 6);
}

static void A27_a_revocation_joins_the_commit_that_is_being_written_and_ends_it(void **state)
{
    struct test_store *test = *state;
    struct order orders[4];
    size_t told = begin(test);
    assert_true(stop_hold("store.next"));
    assert_int_equal(order_set(test, &orders[0]), TWOLEG_NONE);
    wait_at("store.next");
    assert_int_equal(order_set(test, &orders[1]), TWOLEG_NONE);
    assert_int_equal(order_set(test, &orders[2]), TWOLEG_NONE);
    assert_int_equal(order_revoke(test, &orders[3], 1), TWOLEG_NONE);
    assert_true(stop_release("store.next"));
    wait_for_all(orders, 4);
    assert_int_equal(orders[0].told, told + 2);
    assert_int_equal(orders[3].told, told + 2);
    assert_int_equal(orders[1].told, told + 4);
    assert_int_equal(orders[2].told, told + 4);
}

static void A27_a_full_queue_has_room_for_a_revocation(void **state)
{
    struct test_store *test = *state;
    static struct order orders[80];
    size_t count = 0;
    begin(test);
    assert_true(stop_hold("store.before_commit"));
    assert_int_equal(order_set(test, &orders[count++]), TWOLEG_NONE);
    wait_at("store.before_commit");
    while (count < 80 && order_set(test, &orders[count]) == TWOLEG_NONE)
        count++;
    assert_int_equal(count, 65);
    store_batch_destroy(orders[count].batch); // which was refused
    assert_int_equal(order_revoke(test, &orders[count++], 1), TWOLEG_NONE);
    assert_true(stop_release("store.before_commit"));
    wait_for_all(orders, count);
}

static bool urgent(enum store_verb_kind kind, unsigned fields)
{
    struct store_batch *batch = test_batch();
    store_batch_add(batch, VERB_AUDIT, STORE_OPERATOR);
    store_batch_add(batch, kind, STORE_OPERATOR)->update.fields = fields;
    bool is = store_batch_is_urgent(batch);
    store_batch_destroy(batch);
    return is;
}

// Clients ask for those, as often as they like.
static void a_token_in_the_place_of_another_is_not_urgent(void **state)
{
    (void)state;
    struct store_batch *batch = test_batch();
    store_batch_add(batch, VERB_TOKEN_REPLACE, ACCOUNT_DEFAULT);
    store_batch_add(batch, VERB_REFRESH_ADD, ACCOUNT_DEFAULT);
    assert_false(store_batch_is_urgent(batch));
    store_batch_add(batch, VERB_TOKEN_REVOKE, ACCOUNT_DEFAULT);
    assert_true(store_batch_is_urgent(batch));
    store_batch_destroy(batch);
}

static void what_takes_away_is_urgent(void **state)
{
    (void)state;
    static const enum store_verb_kind kinds[] = {VERB_TOKEN_REVOKE, VERB_CREDENTIAL_REVOKE,
                                                 VERB_SECRET_REMOVE, VERB_APPLICATION_DELETE,
                                                 VERB_SCOPE_REMOVE, VERB_KEY_STATE};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_true(urgent(kinds[i], 0));
    assert_true(urgent(VERB_APPLICATION_UPDATE, FIELD_STATUS | FIELD_NAME));
    assert_true(urgent(VERB_APPLICATION_UPDATE, FIELD_GENERATION));
    assert_false(urgent(VERB_APPLICATION_UPDATE, FIELD_NAME | FIELD_TTL));
    assert_false(urgent(VERB_APPLICATION_CREATE, 0));
    assert_false(urgent(VERB_SECRET_USED, 0));
    assert_false(urgent(VERB_REVOCATIONS_PURGE, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(A27_a_revocation_is_written_before_what_waited_longer),
        WITH_STORE(A27_a_revocation_joins_the_commit_that_is_being_written_and_ends_it),
        WITH_STORE(A27_a_full_queue_has_room_for_a_revocation),
        cmocka_unit_test(what_takes_away_is_urgent),
        cmocka_unit_test(a_token_in_the_place_of_another_is_not_urgent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
