// SPDX-License-Identifier: Apache-2.0
// The life of signing keys as a pure function (design 3.6; threats C22, D5).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/duration.h"
#include "config/config.h"
#include "keyring/rotation.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define AGE (DAY / 2)
#define LIFE (2 * DAY)
#define ANNOUNCED (2 * AGE + 2 * SECOND)
#define SLACK (600 * SECOND)

static const struct rotation_rules rules = {
    .period_us = 30 * DAY, .age = {AGE, 0}, .life = {LIFE, 0}};

static struct rotation_key key_of(uint64_t id, const char *algorithm, enum key_state state,
                                  int64_t state_us)
{
    return (struct rotation_key){
        .id = id, .algorithm = str_from(algorithm), .state = state, .state_us = state_us};
}

static void D5_the_next_key_is_announced_before_its_turn(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_key keys[2] = {key_of(4, "ES256", KEY_SIGNING, 0)};
    rotation_due(&rules, keys, 1, 30 * DAY - ANNOUNCED - 1, &plan);
    assert_int_equal(plan.count, 0);
    rotation_due(&rules, keys, 1, 30 * DAY - ANNOUNCED, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].act, ROTATION_ANNOUNCE);
    assert_true(str_equal(plan.steps[0].algorithm, STR("ES256")));

    // It is there now: nothing until all caches know it, and then both change at once.
    keys[1] = key_of(5, "ES256", KEY_ANNOUNCED, 30 * DAY - ANNOUNCED);
    rotation_due(&rules, keys, 2, 30 * DAY - 1, &plan);
    assert_int_equal(plan.count, 0);
    rotation_due(&rules, keys, 2, 30 * DAY, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.steps[0].act, ROTATION_SIGN);
    assert_int_equal(plan.steps[0].id, 5);
    assert_int_equal(plan.steps[0].from, KEY_ANNOUNCED);
    assert_int_equal(plan.steps[1].act, ROTATION_RETIRE);
    assert_int_equal(plan.steps[1].id, 4);
    assert_int_equal(plan.steps[1].from, KEY_SIGNING);
    assert_true(plan.steps[1].last_expiry_us == 30 * DAY + LIFE + SLACK);
}

static void C22_a_retired_key_stays_until_its_last_token_has_expired(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_key keys[2] = {key_of(4, "ES256", KEY_RETIRED, 30 * DAY),
                                   key_of(5, "ES256", KEY_SIGNING, 30 * DAY)};
    keys[0].last_expiry_us = 33 * DAY;
    rotation_due(&rules, keys, 2, 33 * DAY - 1, &plan);
    assert_int_equal(plan.count, 0);
    rotation_due(&rules, keys, 2, 33 * DAY, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].act, ROTATION_END);
    assert_int_equal(plan.steps[0].id, 4);
    assert_int_equal(plan.steps[0].from, KEY_RETIRED);
}

// A clock that was years ahead has gone back: the next key would wait for as long. Nothing goes by
// itself, since it may be this clock that is wrong.
static void H12_a_key_announced_in_the_future_is_announced_anew_by_hand(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_key keys[2] = {key_of(5, "ES256", KEY_SIGNING, 0),
                                   key_of(6, "ES256", KEY_ANNOUNCED, 930 * DAY)};
    rotation_due(&rules, keys, 2, 31 * DAY, &plan);
    assert_int_equal(plan.count, 0);
    rotation_hasten(keys, 2, STR(""), 31 * DAY, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].id, 6);
    assert_int_equal(plan.steps[0].from, KEY_ANNOUNCED);
    assert_int_equal(rotation_target(plan.steps[0].act), KEY_ANNOUNCED);
    keys[1].state_us = 31 * DAY + SLACK; // so far back a step is waited out
    rotation_hasten(keys, 2, STR(""), 31 * DAY, &plan);
    assert_int_equal(plan.count, 0);
}

// The age was changed while the clock was years ahead, and that is stored: a key waits for it no
// longer than any cache can keep a set without it.
static void H12_a_key_waits_for_no_age_of_a_wrong_time(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_rules wrong = rules;
    struct rotation_key keys[2] = {key_of(5, "ES256", KEY_SIGNING, 0),
                                   key_of(6, "ES256", KEY_ANNOUNCED, 31 * DAY)};
    const int64_t most = 2 * DAY + 2 * SECOND;
    wrong.period_us = 0;
    wrong.age.until_us = 930 * DAY;
    assert_true(rotation_wait_us(&wrong, 31 * DAY) == most);
    assert_true(rotation_next_us(&wrong, &keys[1]) == 31 * DAY + most);
    rotation_due(&wrong, keys, 2, 31 * DAY + most - 1, &plan);
    assert_int_equal(plan.count, 0);
    rotation_due(&wrong, keys, 2, 31 * DAY + most, &plan);
    assert_int_equal(plan.count, 2);
}

static void D5_how_long_a_key_waits_is_told_as_it_is(void **state)
{
    (void)state;
    struct rotation_rules shorter = {.age = {SECOND, 5 * DAY}};
    assert_true(rotation_wait_us(&shorter, 4 * DAY) == DAY);
    assert_true(rotation_wait_us(&shorter, 5 * DAY - SECOND) == 4 * SECOND);
    assert_true(rotation_wait_us(&shorter, 6 * DAY) == 4 * SECOND);
    // Until then a cache may have been told of any age that there could be.
    assert_true(rotation_known_us(&shorter, 5 * DAY - 1) == 2 * DAY + 2 * SECOND);
    assert_true(rotation_known_us(&shorter, 5 * DAY) == 4 * SECOND);
}

static void the_longest_age_is_that_of_the_option(void **state)
{
    (void)state;
    int64_t most_us;
    const char *text = config_schema()->rows[CONFIG_JWKS_MAX_AGE].max;
    assert_int_equal(duration_parse(str_from(text), false, &most_us), TWOLEG_NONE);
    assert_true(most_us == ROTATION_AGE_MAX_US);
}

static void never_means_that_nothing_is_made_by_itself(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_rules never = rules;
    struct rotation_key keys[2] = {key_of(4, "ES256", KEY_SIGNING, 0),
                                   key_of(5, "ES256", KEY_ANNOUNCED, 0)};
    never.period_us = 0;
    rotation_due(&never, keys, 1, 10000 * DAY, &plan);
    assert_int_equal(plan.count, 0);
    assert_int_equal(rotation_next_us(&never, &keys[0]), 0);
    // What somebody had announced goes on.
    rotation_due(&never, keys, 2, ANNOUNCED, &plan);
    assert_int_equal(plan.count, 2);
}

static void each_algorithm_has_keys_of_its_own(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_key keys[3] = {key_of(4, "ES256", KEY_SIGNING, 0),
                                   key_of(5, "RS256", KEY_SIGNING, 20 * DAY),
                                   key_of(6, "RS256", KEY_ANNOUNCED, 29 * DAY)};
    rotation_due(&rules, keys, 3, 30 * DAY, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].act, ROTATION_ANNOUNCE);
    assert_true(str_equal(plan.steps[0].algorithm, STR("ES256")));
    rotation_due(&rules, keys, 3, 29 * DAY + ANNOUNCED, &plan);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.steps[1].id, 6);
    assert_int_equal(plan.steps[2].id, 5);

    rotation_hasten(keys, 3, STR(""), 30 * DAY, &plan);
    assert_int_equal(plan.count, 1);
    assert_true(str_equal(plan.steps[0].algorithm, STR("ES256")));
    rotation_hasten(keys, 3, STR("RS256"), 30 * DAY, &plan);
    assert_int_equal(plan.count, 0);
    rotation_hasten(keys, 3, STR("PS256"), 30 * DAY, &plan);
    assert_int_equal(plan.count, 0);
}

static void D5_a_compromised_key_is_replaced_at_once(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_key keys[3] = {key_of(4, "ES256", KEY_SIGNING, 0),
                                   key_of(5, "ES256", KEY_ANNOUNCED, DAY),
                                   key_of(3, "ES256", KEY_RETIRED, 0)};
    rotation_compromise(keys, 3, 4, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.steps[0].act, ROTATION_END);
    assert_int_equal(plan.steps[0].id, 4);
    assert_int_equal(plan.steps[1].act, ROTATION_SIGN);
    assert_int_equal(plan.steps[1].id, 5);
    rotation_compromise(keys, 1, 4, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.steps[1].act, ROTATION_REPLACE);
    rotation_compromise(keys, 3, 5, &plan);
    assert_int_equal(plan.count, 1);
    rotation_compromise(keys, 3, 3, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].from, KEY_RETIRED);
    rotation_compromise(keys, 3, 9, &plan);
    assert_int_equal(plan.count, 0);
    // Alone, an announced key has no cache to wait for.
    rotation_due(&rules, &keys[1], 1, DAY, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].act, ROTATION_SIGN);
}

static void a_plan_that_is_full_holds_no_half_a_swap(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_key keys[40];
    size_t count = 0;
    for (; count < 15; count++)
        keys[count] = key_of(count + 1, "ES256", KEY_RETIRED, 0);
    keys[count++] = key_of(50, "ES256", KEY_SIGNING, 0);
    keys[count++] = key_of(51, "ES256", KEY_ANNOUNCED, 0);
    rotation_due(&rules, keys, count, 40 * DAY, &plan);
    assert_int_equal(plan.count, 15);
    for (size_t i = 0; i < plan.count; i++)
        assert_int_equal(plan.steps[i].act, ROTATION_END);
    rotation_due(&rules, keys + 15, 2, 40 * DAY, &plan);
    assert_int_equal(plan.count, 2);
}

static void D5_what_was_promised_under_other_rules_holds_on(void **state)
{
    (void)state;
    struct rotation_plan plan;
    struct rotation_rules now, shorter = rules, again;
    assert_true(rotation_settle(NULL, &rules, DAY, &now));
    assert_true(now.age.until_us == 0 && now.life.until_us == 0);
    assert_false(rotation_settle(&now, &rules, 2 * DAY, &again));
    assert_true(again.age.value_us == AGE && again.life.value_us == LIFE);

    shorter.age.value_us = SECOND;
    shorter.life.value_us = SECOND;
    assert_true(rotation_settle(&now, &shorter, 5 * DAY, &again));
    assert_true(again.age.value_us == SECOND && again.age.until_us == 5 * DAY + ANNOUNCED);
    assert_true(again.life.value_us == SECOND && again.life.until_us == 5 * DAY + LIFE);
    struct rotation_key keys[2] = {key_of(4, "ES256", KEY_SIGNING, 0),
                                   key_of(5, "ES256", KEY_ANNOUNCED, 5 * DAY)};
    rotation_due(&again, keys, 2, 5 * DAY + ANNOUNCED - 1, &plan);
    assert_int_equal(plan.count, 0);
    rotation_due(&again, keys, 2, 5 * DAY + ANNOUNCED, &plan);
    assert_int_equal(plan.count, 2);
    assert_true(plan.steps[1].last_expiry_us == 5 * DAY + LIFE);
    // Twice shorter, and the first bound still reaches further.
    struct rotation_rules third = shorter, last;
    third.life.value_us = 2 * SECOND;
    assert_true(rotation_settle(&again, &third, 5 * DAY + 1, &last));
    assert_true(last.life.until_us == 5 * DAY + LIFE && last.life.value_us == 2 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(D5_the_next_key_is_announced_before_its_turn),
        cmocka_unit_test(C22_a_retired_key_stays_until_its_last_token_has_expired),
        cmocka_unit_test(H12_a_key_announced_in_the_future_is_announced_anew_by_hand),
        cmocka_unit_test(H12_a_key_waits_for_no_age_of_a_wrong_time),
        cmocka_unit_test(D5_how_long_a_key_waits_is_told_as_it_is),
        cmocka_unit_test(the_longest_age_is_that_of_the_option),
        cmocka_unit_test(never_means_that_nothing_is_made_by_itself),
        cmocka_unit_test(each_algorithm_has_keys_of_its_own),
        cmocka_unit_test(D5_a_compromised_key_is_replaced_at_once),
        cmocka_unit_test(a_plan_that_is_full_holds_no_half_a_swap),
        cmocka_unit_test(D5_what_was_promised_under_other_rules_holds_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
