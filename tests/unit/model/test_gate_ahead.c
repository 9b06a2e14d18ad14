// SPDX-License-Identifier: Apache-2.0
// The gate and what a clock that was ahead has issued: how far ahead each kind of token may be.
#include "base/env.h"
#include "model/gate.h"
#include "model_test.h"

#define NOW_S INT64_C(1700000000)
#define HOUR_S 3600
#define YEARS_S (INT64_C(10) * 366 * 86400)
#define NEVER_S 0

static const struct {
    bool reference;
    int64_t life_s, ahead_s;
    enum twoleg_error error;
} rows[] = {
    {false, HOUR_S, 600, TWOLEG_NONE},
    {false, HOUR_S, 601, TWOLEG_TOKEN_FUTURE},
    {false, NEVER_S, YEARS_S, TWOLEG_NONE},
    {true, HOUR_S, 2 * HOUR_S, TWOLEG_NONE},
    {true, HOUR_S, 2 * HOUR_S + 1, TWOLEG_TOKEN_FUTURE},
    {true, 60, 600, TWOLEG_NONE},
    {true, 60, 601, TWOLEG_TOKEN_FUTURE},
    {true, YEARS_S, 2 * YEARS_S, TWOLEG_NONE},
    {true, NEVER_S, YEARS_S, TWOLEG_NONE},
};

static enum twoleg_error row_ask(size_t row, enum gate_door door)
{
    struct application_api api = {1, true, true, STR("sms")};
    const struct application application = {.number = 11, .apis = &api, .api_count = 1};
    struct token_record token = {.application = 11, .apis = {1}, .api_count = 1,
                                 .scope = STR("sms"), .issued_s = NOW_S + rows[row].ahead_s};
    if (rows[row].life_s != NEVER_S)
        token.expires_s = token.issued_s + rows[row].life_s;
    const struct gate_token ask = {
        .door = door, .token = &token, .application = &application,
        .state = {.status = STATUS_ACTIVE}, .account_active = true, .caller = &application,
        .reference = rows[row].reference, .now_us = NOW_S * SECOND_US};
    struct gate_passed passed;
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    enum twoleg_error error = gate_token(&ask, &arena, &passed);
    arena_finish(&arena);
    return error;
}

// A reference may be given out again, and is of the next life's window at most then.
static void H12_ten_minutes_ahead_or_two_lives_of_a_reference_are_good(void **state)
{
    static const enum gate_door doors[] = {GATE_INTROSPECT, GATE_CHECK, GATE_OPERATOR};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(doors); k++)
            assert_int_equal(row_ask(i, doors[k]), rows[i].error);
}

// Its time will come.
static void H12_it_can_be_revoked_however_far_ahead(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(row_ask(i, GATE_REVOKE), TWOLEG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(H12_ten_minutes_ahead_or_two_lives_of_a_reference_are_good),
        cmocka_unit_test(H12_it_can_be_revoked_however_far_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
