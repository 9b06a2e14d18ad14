// SPDX-License-Identifier: Apache-2.0
// The gate (design 3.1, 3.7; threat rows 21, 22, 23, 25, 38, 39): each refusal, its edge, and that
// no check can be left out unnoticed.
#include "model/gate.h"

#include "base/fault.h"
#include "model_test.h"

#define NOW_S INT64_C(1700000000)
#define SMS ((uint64_t)1)
#define MAIL ((uint64_t)2)

// A good token and a good client, and room to spoil them.
struct world {
    struct application_api apis[2];
    struct application application;
    struct application_api caller_apis[2];
    struct application caller;
    struct secret secret;
    struct token_record token;
    struct gate_token ask_token;
    struct gate_client ask_client;
    struct gate_user ask_user;
    struct refresh_family family;
    struct gate_refresh ask_refresh;
    struct gate_passed passed;
    struct arena arena;
};

static void world_init(struct world *w)
{
    *w = (struct world){
        .apis = {{SMS, true, false, STR("groups sms")}, {MAIL, true, false, STR("mail read")}},
        .caller_apis = {{SMS, false, true, STR("")}, {MAIL, false, true, STR("")}},
        .secret = {.number = 5, .expires_us = TIME_NEVER},
        .token = {.epoch = 3, .application = 11, .generation = 7, .credential = 5,
                  .apis = {SMS}, .api_count = 1, .scope = STR("groups sms"),
                  .issued_s = NOW_S - 10, .expires_s = NOW_S + 10},
    };
    w->application = (struct application){
        .number = 11, .apis = w->apis, .api_count = 2, .secrets = &w->secret, .secret_count = 1};
    w->caller = (struct application){.number = 12, .apis = w->caller_apis, .api_count = 2};
    w->ask_token = (struct gate_token){
        .door = GATE_CHECK, .token = &w->token, .application = &w->application,
        .state = {STATUS_ACTIVE, 7}, .account_active = true, .epoch = 3, .caller = &w->caller,
        .now_us = NOW_S * SECOND_US};
    w->ask_client = (struct gate_client){
        .door = GATE_TOKEN_ENDPOINT, .application = &w->application, .state = {STATUS_ACTIVE, 7},
        .secret = &w->secret, .account_active = true, .now_us = NOW_S * SECOND_US};
    w->ask_user = (struct gate_user){
        .state = {STATUS_ACTIVE, 9}, .account_active = true, .generation = 9};
    w->family = (struct refresh_family){.application = 11, .generation = 7, .epoch = 3,
                                        .idle_us = NOW_S * SECOND_US + 1,
                                        .expires_us = NOW_S * SECOND_US + 1};
    w->ask_refresh = (struct gate_refresh){.family = &w->family, .application = 11,
                                           .generation = 7, .epoch = 3,
                                           .now_us = NOW_S * SECOND_US};
    arena_init(&w->arena, NULL, ARENA_REQUEST_CAP);
}

static int world_setup(void **state)
{
    struct world *w = malloc(sizeof *w);
    if (!w)
        return -1;
    world_init(w);
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    arena_finish(&w->arena);
    free(w);
    return mutant_set(NULL) ? 0 : -1;
}

static enum twoleg_error world_token(struct world *w)
{
    return gate_token(&w->ask_token, &w->arena, &w->passed);
}

static enum twoleg_error world_client(struct world *w)
{
    return gate_client(&w->ask_client);
}

static enum twoleg_error world_user(struct world *w)
{
    return gate_user(&w->ask_user);
}

static enum twoleg_error world_refresh(struct world *w)
{
    return gate_refresh(&w->ask_refresh);
}

// The same token, of a user.
static enum twoleg_error world_user_token(struct world *w)
{
    w->token.subject = 13;
    w->token.subject_generation = 9;
    if (w->ask_token.user.generation == 0)
        w->ask_token.user.generation = 9;
    return gate_token(&w->ask_token, &w->arena, &w->passed);
}

// --- One row for each check: how to spoil what it looks at.

static void client_deleted(struct world *w)
{
    w->ask_client.state.status = STATUS_DELETED;
}
static void client_disabled(struct world *w)
{
    w->ask_client.state.status = STATUS_DISABLED;
}
static void client_account(struct world *w)
{
    w->ask_client.account_active = false;
}
static void secret_expires_now(struct world *w)
{
    w->secret.expires_us = w->ask_client.now_us;
}
static void secret_begins_later(struct world *w)
{
    w->secret.not_before_us = w->ask_client.now_us + 1;
}
static void client_serves_nothing(struct world *w)
{
    w->ask_client.door = GATE_INTROSPECT;
}
static void client_speaks_another(struct world *w)
{
    w->application.dialects = STR("rti-sms smscx");
    w->ask_client.dialect = STR("rti-sms-renew");
}
static void client_speaks_nowhere(struct world *w)
{
    w->application.dialects = STR("rti-sms smscx");
    w->ask_client.dialect = STR_NONE;
}
static void token_speaks_another(struct world *w)
{
    w->application.dialects = STR("rti-sms smscx");
    w->ask_token.dialect = STR("rfc6749");
}
static void token_epoch(struct world *w)
{
    w->token.epoch = 2;
}
static void token_deleted(struct world *w)
{
    w->ask_token.state.status = STATUS_DELETED;
}
static void token_disabled(struct world *w)
{
    w->ask_token.state.status = STATUS_DISABLED;
}
static void token_account(struct world *w)
{
    w->ask_token.account_active = false;
}
static void token_generation_newer(struct world *w)
{
    w->ask_token.state.generation = 8;
}
static void token_generation_older(struct world *w)
{
    w->ask_token.state.generation = 6;
}
static void token_expires_now(struct world *w)
{
    w->token.expires_s = NOW_S;
}
static void token_issued_later(struct world *w)
{
    w->token.issued_s = NOW_S + 601;
    w->token.expires_s = NOW_S + 700;
}
static void token_revoked(struct world *w)
{
    w->ask_token.token_revoked = true;
}
static void token_credential(struct world *w)
{
    w->ask_token.credential_revoked = true;
}
static void token_audience_gone(struct world *w)
{
    w->token.scope = STR("");
    w->application.apis = &w->apis[1];
    w->application.api_count = 1;
}
static void token_audience_served_only(struct world *w)
{
    w->apis[0].requests = false;
    w->apis[0].serves = true;
}
static void token_scope_gone(struct world *w)
{
    w->apis[0].scopes = STR("other");
}
static void token_not_served(struct world *w)
{
    w->ask_token.door = GATE_INTROSPECT;
    w->caller_apis[0].api = 99;
}
static void token_only_requested(struct world *w)
{
    w->ask_token.door = GATE_INTROSPECT;
    w->caller_apis[0].serves = false;
    w->caller_apis[0].requests = true;
}
static void token_not_owned(struct world *w)
{
    w->ask_token.door = GATE_REVOKE;
}
static void token_other_api(struct world *w)
{
    w->ask_token.required_api = MAIL;
}
static void token_lacks_scope(struct world *w)
{
    w->ask_token.required_scope = STR("groups sms voice");
}

static void user_deleted(struct world *w)
{
    w->ask_user.state.status = STATUS_DELETED;
}
static void user_disabled(struct world *w)
{
    w->ask_user.state.status = STATUS_DISABLED;
}
static void user_account(struct world *w)
{
    w->ask_user.account_active = false;
}
static void user_generation(struct world *w)
{
    w->ask_user.state.generation = 10;
}
static void refresh_not_owned(struct world *w)
{
    w->ask_refresh.application = 12;
}
static void refresh_epoch(struct world *w)
{
    w->family.epoch = 2;
}
static void refresh_generation(struct world *w)
{
    w->ask_refresh.generation = 8;
}
static void refresh_expires_now(struct world *w)
{
    w->family.expires_us = w->ask_refresh.now_us;
}
static void refresh_idle_till_now(struct world *w)
{
    w->family.idle_us = w->ask_refresh.now_us;
}
static void refresh_credential_revoked(struct world *w)
{
    w->ask_refresh.credential_revoked = true;
}
static void token_family_ended(struct world *w)
{
    w->token.family = 21;
    w->ask_token.family_revoked = true;
}
static void token_user_deleted(struct world *w)
{
    w->ask_token.user.status = STATUS_DELETED;
}
static void token_user_disabled(struct world *w)
{
    w->ask_token.user.status = STATUS_DISABLED;
}
static void token_user_generation(struct world *w)
{
    w->ask_token.user.generation = 8;
}

static const struct {
    const char *check;
    enum twoleg_error (*ask)(struct world *w);
    void (*spoil)(struct world *w);
    enum twoleg_error error;
} rows[] = {
    {"client_deleted", world_client, client_deleted, TWOLEG_APPLICATION_DELETED},
    {"client_status", world_client, client_disabled, TWOLEG_APPLICATION_DISABLED},
    {"client_account", world_client, client_account, TWOLEG_ACCOUNT_DISABLED},
    {"secret_expired", world_client, secret_expires_now, TWOLEG_SECRET_EXPIRED},
    {"secret_early", world_client, secret_begins_later, TWOLEG_SECRET_EARLY},
    {"client_serves", world_client, client_serves_nothing, TWOLEG_NOT_A_RESOURCE_SERVER},
    {"application_dialect", world_client, client_speaks_another, TWOLEG_APPLICATION_ELSEWHERE},
    {"application_dialect", world_client, client_speaks_nowhere, TWOLEG_APPLICATION_ELSEWHERE},
    {"application_dialect", world_token, token_speaks_another, TWOLEG_APPLICATION_ELSEWHERE},
    {"token_epoch", world_token, token_epoch, TWOLEG_TOKEN_EPOCH},
    {"token_deleted", world_token, token_deleted, TWOLEG_APPLICATION_DELETED},
    {"token_status", world_token, token_disabled, TWOLEG_APPLICATION_DISABLED},
    {"token_account", world_token, token_account, TWOLEG_ACCOUNT_DISABLED},
    {"token_generation", world_token, token_generation_newer, TWOLEG_TOKEN_GENERATION},
    {"token_generation", world_token, token_generation_older, TWOLEG_TOKEN_GENERATION},
    {"token_expired", world_token, token_expires_now, TWOLEG_TOKEN_EXPIRED},
    {"token_future", world_token, token_issued_later, TWOLEG_TOKEN_FUTURE},
    {"token_revoked", world_token, token_revoked, TWOLEG_TOKEN_REVOKED},
    {"token_credential", world_token, token_credential, TWOLEG_TOKEN_CREDENTIAL},
    {"token_audience", world_token, token_audience_gone, TWOLEG_TOKEN_AUDIENCE},
    {"token_audience", world_token, token_audience_served_only, TWOLEG_TOKEN_AUDIENCE},
    {"token_scope_left", world_token, token_scope_gone, TWOLEG_TOKEN_SCOPE_EMPTY},
    {"token_served", world_token, token_not_served, TWOLEG_TOKEN_AUDIENCE},
    {"token_served", world_token, token_only_requested, TWOLEG_TOKEN_AUDIENCE},
    {"token_owner", world_token, token_not_owned, TWOLEG_TOKEN_FOREIGN},
    {"token_required_api", world_token, token_other_api, TWOLEG_TOKEN_AUDIENCE},
    {"token_required_scope", world_token, token_lacks_scope, TWOLEG_TOKEN_SCOPE},
    {"user_deleted", world_user, user_deleted, TWOLEG_USER_DELETED},
    {"user_status", world_user, user_disabled, TWOLEG_USER_DISABLED},
    {"user_account", world_user, user_account, TWOLEG_USER_DISABLED},
    {"user_generation", world_user, user_generation, TWOLEG_USER_GENERATION},
    {"refresh_owner", world_refresh, refresh_not_owned, TWOLEG_REFRESH_FOREIGN},
    {"refresh_epoch", world_refresh, refresh_epoch, TWOLEG_REFRESH_EXPIRED},
    {"refresh_generation", world_refresh, refresh_generation, TWOLEG_REFRESH_GENERATION},
    {"refresh_expired", world_refresh, refresh_expires_now, TWOLEG_REFRESH_EXPIRED},
    {"refresh_idle", world_refresh, refresh_idle_till_now, TWOLEG_REFRESH_EXPIRED},
    {"refresh_credential", world_refresh, refresh_credential_revoked, TWOLEG_REFRESH_CREDENTIAL},
    {"token_family", world_user_token, token_family_ended, TWOLEG_TOKEN_FAMILY},
    {"token_user_deleted", world_user_token, token_user_deleted, TWOLEG_USER_DELETED},
    {"token_user_status", world_user_token, token_user_disabled, TWOLEG_USER_DISABLED},
    {"token_user_generation", world_user_token, token_user_generation, TWOLEG_USER_GENERATION},
};

static enum twoleg_error row_ask(size_t row, bool spoilt, const char *dropped)
{
    struct world w;
    world_init(&w);
    if (spoilt)
        rows[row].spoil(&w);
    assert_true(mutant_set(dropped));
    enum twoleg_error error = rows[row].ask(&w);
    assert_true(mutant_set(NULL));
    arena_finish(&w.arena);
    return error;
}

static void every_check_refuses_what_it_is_there_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_error(row_ask(i, false, NULL), TWOLEG_NONE, rows[i].check);
        check_error(row_ask(i, true, NULL), rows[i].error, rows[i].check);
    }
}

static void no_check_can_be_left_out_unnoticed(void **state)
{
    (void)state;
    for (const char *const *check = gate_checks; *check; check++) {
        size_t noticed = 0;
        for (size_t i = 0; i < COUNT(rows); i++)
            noticed += row_ask(i, true, *check) != rows[i].error;
        if (noticed == 0)
            fail_msg("no row notices that %s is left out", *check);
        // And it alone is what its own rows are refused by.
        for (size_t i = 0; i < COUNT(rows); i++)
            if (strcmp(rows[i].check, *check) == 0)
                assert_int_equal(row_ask(i, true, *check), TWOLEG_NONE);
    }
}

static void every_row_names_a_check_of_the_gate(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool known = false;
        for (const char *const *check = gate_checks; *check; check++)
            known = known || strcmp(*check, rows[i].check) == 0;
        if (!known)
            fail_msg("%s is not in gate_checks", rows[i].check);
    }
}

// --- Edges

static void a_token_is_dead_when_now_is_its_expiry_and_good_just_before(void **state)
{
    struct world *w = *state;
    w->ask_token.now_us = w->token.expires_s * SECOND_US - 1;
    assert_int_equal(world_token(w), TWOLEG_NONE);
    w->ask_token.now_us++;
    assert_int_equal(world_token(w), TWOLEG_TOKEN_EXPIRED);
}

static void a_token_without_expiry_never_expires(void **state)
{
    struct world *w = *state;
    w->token.expires_s = 0;
    w->ask_token.now_us = TIME_NEVER - 1;
    assert_int_equal(world_token(w), TWOLEG_NONE);
}

static void a_secret_is_good_from_its_first_to_before_its_last_microsecond(void **state)
{
    struct world *w = *state;
    w->secret.not_before_us = w->ask_client.now_us;
    w->secret.expires_us = w->ask_client.now_us + 1;
    assert_int_equal(world_client(w), TWOLEG_NONE);
    w->ask_client.now_us++;
    assert_int_equal(world_client(w), TWOLEG_SECRET_EXPIRED);
}

// The registry's word counts, not what the body was loaded with (rows 25, 39).
static void the_present_state_counts_not_the_loaded_one(void **state)
{
    struct world *w = *state;
    w->application.state = (struct application_state){STATUS_DISABLED, 1};
    assert_int_equal(world_client(w), TWOLEG_NONE);
    assert_int_equal(world_token(w), TWOLEG_NONE);
}

static void a_resource_server_passes_the_introspection_door(void **state)
{
    struct world *w = *state;
    w->ask_client.door = GATE_INTROSPECT;
    w->apis[1].serves = true;
    assert_int_equal(world_client(w), TWOLEG_NONE);
}

// --- Narrowing (design 3.1: effective scope is the token's intersected with the application's)

static void a_removed_scope_is_gone_from_tokens_already_out(void **state)
{
    struct world *w = *state;
    w->apis[0].scopes = STR("other sms");
    assert_int_equal(world_token(w), TWOLEG_NONE);
    check_str(w->passed.scope, "sms");
    assert_int_equal(w->passed.api_count, 1);
    assert_int_equal(w->passed.apis[0], SMS);
    w->ask_token.required_scope = STR("groups");
    assert_int_equal(world_token(w), TWOLEG_TOKEN_SCOPE);
}

static void a_scope_given_later_is_not_in_tokens_already_out(void **state)
{
    struct world *w = *state;
    w->apis[0].scopes = STR("groups sms voice");
    assert_int_equal(world_token(w), TWOLEG_NONE);
    check_str(w->passed.scope, "groups sms");
}

static void a_token_without_scope_stays_good_and_has_none(void **state)
{
    struct world *w = *state;
    w->token.scope = STR("");
    assert_int_equal(world_token(w), TWOLEG_NONE);
    check_str(w->passed.scope, "");
    w->ask_token.required_scope = STR("sms");
    assert_int_equal(world_token(w), TWOLEG_TOKEN_SCOPE);
}

static void of_several_audiences_the_removed_one_is_left_out(void **state)
{
    struct world *w = *state;
    w->token.apis[1] = MAIL;
    w->token.api_count = 2;
    w->token.scope = STR("groups mail read sms");
    assert_int_equal(world_token(w), TWOLEG_NONE);
    assert_int_equal(w->passed.api_count, 2);
    check_str(w->passed.scope, "groups mail read sms");
    w->apis[0].requests = false;
    assert_int_equal(world_token(w), TWOLEG_NONE);
    assert_int_equal(w->passed.api_count, 1);
    assert_int_equal(w->passed.apis[0], MAIL);
    check_str(w->passed.scope, "mail read");
}

// Rows 23, 24: a word that the application has for one API says nothing at another.
static void a_resource_server_sees_only_its_own_audiences_and_scopes(void **state)
{
    struct world *w = *state;
    w->ask_token.door = GATE_INTROSPECT;
    w->token.apis[1] = MAIL;
    w->token.api_count = 2;
    w->token.scope = STR("groups mail read sms");
    w->caller_apis[0].serves = false;
    assert_int_equal(world_token(w), TWOLEG_NONE);
    assert_int_equal(w->passed.api_count, 1);
    assert_int_equal(w->passed.apis[0], MAIL);
    check_str(w->passed.scope, "mail read");
}

static void a_required_audience_brings_its_own_scopes_only(void **state)
{
    struct world *w = *state;
    w->token.apis[1] = MAIL;
    w->token.api_count = 2;
    w->token.scope = STR("groups mail read sms");
    w->ask_token.required_api = MAIL;
    assert_int_equal(world_token(w), TWOLEG_NONE);
    assert_int_equal(w->passed.api_count, 1);
    assert_int_equal(w->passed.apis[0], MAIL);
    check_str(w->passed.scope, "mail read");
    w->ask_token.required_scope = STR("sms");
    assert_int_equal(world_token(w), TWOLEG_TOKEN_SCOPE);
    w->ask_token.required_scope = STR("read mail");
    assert_int_equal(world_token(w), TWOLEG_NONE);
}

static void a_token_for_no_audience_is_refused(void **state)
{
    struct world *w = *state;
    w->token.api_count = 0;
    assert_int_equal(world_token(w), TWOLEG_TOKEN_AUDIENCE);
}

static void required_scope_and_audience_are_the_check_doors_alone(void **state)
{
    struct world *w = *state;
    w->ask_token.required_api = MAIL;
    w->ask_token.required_scope = STR("voice");
    w->ask_token.door = GATE_OPERATOR;
    assert_int_equal(world_token(w), TWOLEG_NONE);
    w->ask_token.door = GATE_INTROSPECT;
    assert_int_equal(world_token(w), TWOLEG_NONE);
}

// RFC 7009: rights that are gone may come back; the revocation must hold then too.
static void rfc7009_2_1_an_owner_may_revoke_whatever_is_left_of_the_rights(void **state)
{
    struct world *w = *state;
    w->ask_token.door = GATE_REVOKE;
    w->ask_token.caller = &w->application;
    w->application.api_count = 0;
    assert_int_equal(world_token(w), TWOLEG_NONE);
    // A dead one needs none; that it is dead is not for another client to know.
    w->ask_token.token_revoked = true;
    assert_int_equal(world_token(w), TWOLEG_TOKEN_REVOKED);
    w->ask_token.caller = &w->caller;
    assert_int_equal(world_token(w), TWOLEG_TOKEN_FOREIGN);
}

static void a_full_arena_is_no_verdict_and_gives_no_result(void **state)
{
    struct world *w = *state;
    struct arena none;
    arena_init(&none, NULL, 0);
    w->apis[0].scopes = STR("sms"); // something must be copied
    w->passed.api_count = 42;
    assert_int_equal(gate_token(&w->ask_token, &none, &w->passed), TWOLEG_NO_MEMORY);
    assert_int_equal(w->passed.api_count, 42);
    arena_finish(&none);
}

static void a_refusal_leaves_the_result_alone(void **state)
{
    struct world *w = *state;
    w->passed.api_count = 42;
    w->ask_token.required_scope = STR("voice");
    assert_int_equal(world_token(w), TWOLEG_TOKEN_SCOPE);
    assert_int_equal(w->passed.api_count, 42);
}

#define WORLD(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_refuses_what_it_is_there_for),
        cmocka_unit_test(no_check_can_be_left_out_unnoticed),
        cmocka_unit_test(every_row_names_a_check_of_the_gate),
        WORLD(a_token_is_dead_when_now_is_its_expiry_and_good_just_before),
        WORLD(a_token_without_expiry_never_expires),
        WORLD(a_secret_is_good_from_its_first_to_before_its_last_microsecond),
        WORLD(the_present_state_counts_not_the_loaded_one),
        WORLD(a_resource_server_passes_the_introspection_door),
        WORLD(a_removed_scope_is_gone_from_tokens_already_out),
        WORLD(a_scope_given_later_is_not_in_tokens_already_out),
        WORLD(a_token_without_scope_stays_good_and_has_none),
        WORLD(of_several_audiences_the_removed_one_is_left_out),
        WORLD(a_resource_server_sees_only_its_own_audiences_and_scopes),
        WORLD(a_required_audience_brings_its_own_scopes_only),
        WORLD(a_token_for_no_audience_is_refused),
        WORLD(required_scope_and_audience_are_the_check_doors_alone),
        WORLD(rfc7009_2_1_an_owner_may_revoke_whatever_is_left_of_the_rights),
        WORLD(a_full_arena_is_no_verdict_and_gives_no_result),
        WORLD(a_refusal_leaves_the_result_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
