// SPDX-License-Identifier: Apache-2.0
// Changes of keys that somebody wants (design 3.6; threats D4, D5).
#include "keyring_test.h"

#include "keyring/change.h"

struct change_test {
    struct keyring_outcome outcome;
    struct keyring_actor actor;
};

static void D4_a_key_of_the_old_master_key_does_not_enter_the_store(void **state)
{
    struct test_keyring *on = *state;
    static struct change_test test = {.actor = {{"test", 4}, {"", 0}}};
    keyring_open(on);
    struct store_verb late = {0};
    uint8_t guard[256];
    struct str now = keyring_current(on->keyring)->guard;
    assert_true(now.len > 0 && now.len <= sizeof guard);
    memcpy(guard, now.ptr, now.len);
    late.expected_wrapped = str_of(guard, now.len);
    late.key = (struct store_key){.id = 9, .purpose = STR("seal"), .state = STR("retired"),
                                  .wrapped = STR("wrapped under the old master key")};
    assert_int_equal(keyring_change_master(on->keyring, &on->env, &test.actor, &test.outcome),
                     TWOLEG_NONE);
    assert_int_equal(test_one(on->test, VERB_KEY_CREATE, STORE_OPERATOR, &late),
                     TWOLEG_VERSION_CONFLICT);
    assert_false(keyring_stale(on->keyring));
    // What was re-wrapped meanwhile is not what somebody saw before.
    struct store_verb again = {0};
    again.key.id = 1;
    again.key.wrapped = STR("other");
    again.expected_wrapped = late.expected_wrapped;
    assert_int_equal(test_one(on->test, VERB_KEY_REWRAP, STORE_OPERATOR, &again),
                     TWOLEG_VERSION_CONFLICT);
    keyring_close(on);
    keyring_open(on);
}

// The first key of an algorithm comes with an API: wrapped before the change, it comes too late.
static void D4_a_first_key_is_not_wrapped_under_the_old_master_key(void **state)
{
    struct test_keyring *on = *state;
    static struct change_test test = {.actor = {{"test", 4}, {"", 0}}};
    const struct sign_algorithm *eddsa = sign_algorithm_find(STR("EdDSA"));
    struct sign_key *key;
    struct keyring_row old, fresh;
    keyring_open(on);
    struct arena *arena = &on->test->arena;
    assert_int_equal(keyring_key_create(eddsa, &key), TWOLEG_NONE);
    assert_int_equal(keyring_first_row(on->keyring, key, eddsa, &on->env, arena, &old),
                     TWOLEG_NONE);
    assert_int_equal(keyring_change_master(on->keyring, &on->env, &test.actor, &test.outcome),
                     TWOLEG_NONE);
    struct store_verb late = {.key = old.key, .expected_wrapped = old.guard};
    assert_int_equal(test_one(on->test, VERB_KEY_CREATE, STORE_OPERATOR, &late),
                     TWOLEG_VERSION_CONFLICT);
    // Built anew, it is good.
    assert_int_equal(keyring_first_row(on->keyring, key, eddsa, &on->env, arena, &fresh),
                     TWOLEG_NONE);
    sign_key_free(&key);
    struct store_verb again = {.key = fresh.key, .expected_wrapped = fresh.guard};
    assert_int_equal(test_one(on->test, VERB_KEY_CREATE, STORE_OPERATOR, &again), TWOLEG_NONE);
    keyring_close(on);
    keyring_open(on);
    assert_non_null(keyring_signing(keyring_current(on->keyring), STR("EdDSA")));
}

static void D5_of_two_that_change_keys_one_does(void **state)
{
    struct test_keyring *on = *state;
    static struct change_test test = {.actor = {{"test", 4}, {"", 0}}};
    keyring_open(on);
    struct str lost = keyring_current(on->keyring)->signing[0].kid;
    char kid[JWK_KID_SIZE];
    memcpy(kid, lost.ptr, sizeof kid);
    lost = str_of(kid, sizeof kid);
    assert_int_equal(keyring_hasten(on->keyring, &on->env, &test.actor, STR(""), &test.outcome),
                     TWOLEG_NONE);
    assert_int_equal(keyring_hasten(on->keyring, &on->env, &test.actor, STR(""), &test.outcome),
                     TWOLEG_CONFLICT);
    assert_int_equal(keyring_compromise(on->keyring, &on->env, &test.actor, lost, &test.outcome),
                     TWOLEG_NONE);
    assert_int_equal(test.outcome.count, 2);
    assert_int_equal(keyring_compromise(on->keyring, &on->env, &test.actor, lost, &test.outcome),
                     TWOLEG_NOT_FOUND);
    const struct keyring_set *set = keyring_current(on->keyring);
    assert_int_equal(set->signing_count, 1);
    assert_int_equal(set->signing[0].state, KEY_SIGNING);
    assert_null(keyring_find(set, lost));
    // No id is given twice, whatever is gone.
    assert_int_equal(set->last_id, 5);
}

#define HOUR_US ((int64_t)3600 * SECOND_US)

static enum twoleg_error change_rules(struct test_keyring *on, const struct rotation_rules *rules,
                                      char reason[static 512])
{
    struct store_batch *batch = store_batch_create(on->env.now_us);
    assert_non_null(batch);
    enum twoleg_error error =
        keyring_change_rules(on->keyring, rules, &on->env, batch, reason);
    store_batch_destroy(batch);
    return error;
}

// A reload: what is made under the old rules, now and in the next minutes, is still allowed for,
// and so it is after a restart.
static void D5_rules_change_while_the_server_runs(void **state)
{
    struct test_keyring *on = *state;
    char reason[512];
    const struct rotation_rules long_ones = {.period_us = 0,
                                             .age.value_us = HOUR_US,
                                             .life.value_us = 24 * HOUR_US};
    const struct rotation_rules short_ones = {.period_us = 100 * HOUR_US,
                                              .age.value_us = HOUR_US / 60,
                                              .life.value_us = HOUR_US};
    keyring_open(on);
    assert_int_equal(change_rules(on, &long_ones, reason), TWOLEG_NONE);
    struct rotation_rules rules = keyring_rules(on->keyring);
    assert_true(rules.period_us == 0 && rules.age.value_us == HOUR_US);
    assert_true(rules.life.value_us == 24 * HOUR_US);
    int64_t now_us = on->env.latest_us;
    assert_int_equal(change_rules(on, &short_ones, reason), TWOLEG_NONE);
    rules = keyring_rules(on->keyring);
    assert_true(rules.period_us == 100 * HOUR_US && rules.life.value_us == HOUR_US);
    assert_true(rules.life.until_us >= now_us + 24 * HOUR_US + HOUR_US / 60);
    assert_true(rules.age.until_us >= now_us + 2 * HOUR_US + HOUR_US / 60);
    struct store_reader *reader = store_reader_borrow(on->test->store);
    struct arena arena;
    struct str text;
    char wanted[128];
    arena_init(&arena, NULL, 4096);
    assert_int_equal(store_setting(reader, STR("rotation"), &arena, &text), TWOLEG_NONE);
    store_reader_return(on->test->store);
    snprintf(wanted, sizeof wanted, "%lld %lld %lld %lld", (long long)rules.age.value_us,
             (long long)rules.age.until_us, (long long)rules.life.value_us,
             (long long)rules.life.until_us);
    test_assert_str(text, wanted);
    arena_finish(&arena);
}

static void D5_rules_that_cannot_be_stored_are_not_in_force(void **state)
{
    struct test_keyring *on = *state;
    char reason[512];
    const struct rotation_rules rules = {.age.value_us = HOUR_US, .life.value_us = HOUR_US};
    keyring_open(on);
    const struct rotation_rules before = keyring_rules(on->keyring);
    // The store refuses: nothing is in force that is not stored.
    fault_arm(FAULT_STORE, 1, true);
    assert_int_not_equal(change_rules(on, &rules, reason), TWOLEG_NONE);
    fault_arm(FAULT_STORE, 0, false);
    assert_non_null(strstr(reason, "the change cannot be stored"));
    const struct rotation_rules after = keyring_rules(on->keyring);
    assert_memory_equal(&before, &after, sizeof before);
    // The claim was given back.
    assert_false(keyring_test_changing(on->keyring));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYRING(D4_a_key_of_the_old_master_key_does_not_enter_the_store),
        KEYRING(D4_a_first_key_is_not_wrapped_under_the_old_master_key),
        KEYRING(D5_of_two_that_change_keys_one_does),
        KEYRING(D5_rules_change_while_the_server_runs),
        KEYRING(D5_rules_that_cannot_be_stored_are_not_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
