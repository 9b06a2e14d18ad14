// SPDX-License-Identifier: Apache-2.0
// Client credentials (RFC 6749 sections 3.3 and 4.4, RFC 8707): which API, which scope, how long.
#include "grant/grant.h"

#include "unit/model/model_test.h"

#define NOW (INT64_C(1700000000) * SECOND_US)
#define HOUR (3600 * SECOND_US)

// A request that is granted, and room to change it.
struct world {
    struct api apis[3];
    struct api_set set;
    struct application_api links[3];
    struct application application;
    struct secret secret;
    struct client client;
    struct request_rules rules; // zero: those of RFC 6749
    struct token_request request;
    struct grant_context context;
    struct decision decision;
    struct arena arena;
};

static int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return -1;
    w->apis[0] = (struct api){.number = 1, .identifier = STR("https://one.example")};
    w->apis[1] =
        (struct api){.number = 2, .identifier = STR("https://two.example"), .is_default = true};
    w->apis[2] = (struct api){.number = 3, .identifier = STR("https://three.example")};
    w->set = (struct api_set){w->apis, 3};
    w->links[0] = (struct application_api){1, true, false, STR("groups sms")};
    w->links[1] = (struct application_api){2, true, false, STR("mail read")};
    w->links[2] = (struct application_api){3, true, false, STR("")};
    w->application = (struct application){.number = 11, .format = FORMAT_SEALED, .ttl_us = HOUR,
                                          .grants = GRANTS_DEFAULT,
                                          .apis = w->links, .api_count = 1};
    w->secret.number = 5;
    w->client = (struct client){&w->application, {STATUS_ACTIVE, 7}, &w->secret};
    w->request.grant = GRANT_CLIENT_CREDENTIALS;
    w->request.rules = &w->rules;
    arena_init(&w->arena, NULL, ARENA_REQUEST_CAP);
    w->context = (struct grant_context){
        .apis = &w->set, .arena = &w->arena, .now_us = NOW, .jwt_max_ttl_us = 24 * HOUR};
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    arena_finish(&w->arena);
    free(w);
    return 0;
}

static enum twoleg_error decide(struct world *w)
{
    enum twoleg_error error = grant_check(&w->context, &w->request, &w->client);
    return error ? error
                 : grant_decide(&w->context, &w->request, &w->client, &w->decision);
}

static void expect_api(struct world *w, const char *resource, uint64_t api)
{
    w->request.resource = str_from(resource);
    enum twoleg_error refusal = resource ? TWOLEG_TARGET_UNKNOWN : TWOLEG_TARGET_MISSING;
    check_error(decide(w), api ? TWOLEG_NONE : refusal, resource ? resource : "-");
    if (api)
        assert_int_equal(w->decision.api->number, api);
}

static void expect_scope(struct world *w, const char *scope, enum twoleg_error error,
                         const char *granted)
{
    w->request.scope = str_from(scope);
    check_error(decide(w), error, scope ? scope : "-");
    if (!error)
        check_str(w->decision.scope, granted);
}

static void rfc6749_4_4_the_decision_says_who_and_what(void **state)
{
    struct world *w = *state;
    assert_int_equal(decide(w), TWOLEG_NONE);
    assert_ptr_equal(w->decision.application, &w->application);
    assert_int_equal(w->decision.generation, 7);
    assert_int_equal(w->decision.credential, 5);
    assert_int_equal(w->decision.api->number, 1);
    check_str(w->decision.scope, "groups sms");
    assert_int_equal(w->decision.format, FORMAT_SEALED);
    assert_true(w->decision.ttl_us == HOUR);
    assert_true(w->decision.now_us == NOW);
}

static void rfc6749_5_2_other_grants_are_not_supported(void **state)
{
    struct world *w = *state;
    w->request.grant = GRANT_UNKNOWN;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_UNSUPPORTED);
    w->request.grant = GRANT_MISSING;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_MISSING);
    assert_null(w->decision.application);
}

// A user with a part of the application's words, a family that was granted a part of both.
static void with_user(struct world *w, enum grant_kind grant)
{
    static const struct application_api rights[] = {
        {.api = 1, .requests = true, .scopes = {"groups voice", 12}}};
    static const struct user user = {.number = 77, .username = {"ann", 3},
                                     .state = {STATUS_ACTIVE, 9}, .apis = rights, .api_count = 1};
    static const struct refresh_family family = {.number = 1, .api = 1, .scope = {"groups", 6}};
    w->context.users = true;
    w->context.user = &user;
    w->context.family = grant == GRANT_REFRESH_TOKEN ? &family : NULL;
    w->application.grants |= GRANT_BIT(GRANT_PASSWORD) | GRANT_BIT(GRANT_REFRESH_TOKEN);
    w->request.grant = grant;
    w->request.username = STR("ann");
    w->request.password = STR("word");
    w->request.refresh_token = STR("token");
    w->rules.refreshes = true;
}

static void rfc6749_4_3_a_user_bounds_what_the_application_gets(void **state)
{
    struct world *w = *state;
    with_user(w, GRANT_PASSWORD);
    expect_scope(w, NULL, TWOLEG_NONE, "groups");
    assert_int_equal(w->decision.subject, 77);
    assert_int_equal(w->decision.subject_generation, 9);
    check_str(w->decision.username, "ann");
    expect_scope(w, "groups", TWOLEG_NONE, "groups");
    expect_scope(w, "sms", TWOLEG_SCOPE_REFUSED, NULL);
    expect_scope(w, "voice", TWOLEG_SCOPE_REFUSED, NULL);
    w->links[0].scopes = STR("sms");
    expect_scope(w, NULL, TWOLEG_SCOPE_REFUSED, NULL);
    w->links[0].api = 2;
    expect_scope(w, NULL, TWOLEG_TARGET_UNKNOWN, NULL);
}

static void rfc6749_6_a_family_bounds_what_comes_after(void **state)
{
    struct world *w = *state;
    with_user(w, GRANT_REFRESH_TOKEN);
    w->rules.scope_omitted = SCOPE_EMPTY; // of no meaning here: section 6 says what is meant
    expect_scope(w, NULL, TWOLEG_NONE, "groups");
    expect_scope(w, "groups sms", TWOLEG_SCOPE_REFUSED, NULL);
    w->request.resource = STR("https://two.example");
    assert_int_equal(decide(w), TWOLEG_TARGET_UNKNOWN);
    w->request.resource = STR_NONE;
    w->links[0].requests = false;
    assert_int_equal(decide(w), TWOLEG_TARGET_UNKNOWN);
}

static void a_grant_is_the_servers_then_the_applications_then_whole(void **state)
{
    struct world *w = *state;
    with_user(w, GRANT_PASSWORD);
    w->context.users = false;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_UNSUPPORTED);
    w->context.users = true;
    w->application.grants = GRANTS_DEFAULT;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
    w->application.grants = GRANT_BIT(GRANT_PASSWORD);
    w->request.password = STR_NONE;
    assert_int_equal(decide(w), TWOLEG_PARAMETER_MISSING);
    w->request.grant = GRANT_REFRESH_TOKEN;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
    w->application.grants |= GRANT_BIT(GRANT_REFRESH_TOKEN);
    w->request.refresh_token = STR_NONE;
    assert_int_equal(decide(w), TWOLEG_PARAMETER_MISSING);
    w->request.refresh_token = STR("token");
    w->rules.refreshes = false;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_UNSUPPORTED);
    w->request.grant = GRANT_CLIENT_CREDENTIALS;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
}

// T19: what an omitted scope means is the dialect's to say; so is what becomes of unknown words.
static void T19_a_dialect_has_its_own_rules_of_scope(void **state)
{
    struct world *w = *state;
    w->rules.scope_omitted = SCOPE_EMPTY;
    assert_int_equal(decide(w), TWOLEG_NONE);
    check_str(w->decision.scope, "");
    w->rules.scope_omitted = SCOPE_DEFAULT;
    w->rules.scope_default = STR("mail sms");
    assert_int_equal(decide(w), TWOLEG_NONE);
    check_str(w->decision.scope, "sms"); // never more than the application's
    w->request.scope = STR("sms mail");
    assert_int_equal(decide(w), TWOLEG_SCOPE_REFUSED);
    w->rules.scope_drops_unknown = true;
    assert_int_equal(decide(w), TWOLEG_NONE);
    check_str(w->decision.scope, "sms");
    w->request.scope = STR("mail");
    assert_int_equal(decide(w), TWOLEG_NONE);
    check_str(w->decision.scope, "");
}

static void a_dialect_may_have_a_token_format_of_its_own(void **state)
{
    struct world *w = *state;
    w->application.ttl_us = 48 * HOUR;
    assert_int_equal(decide(w), TWOLEG_NONE);
    assert_true(w->decision.ttl_us == 48 * HOUR);
    w->rules.has_format = true;
    w->rules.format = FORMAT_JWT;
    assert_int_equal(decide(w), TWOLEG_NONE);
    assert_int_equal(w->decision.format, FORMAT_JWT);
    assert_true(w->decision.ttl_us == 24 * HOUR); // as every jwt
}

static void rfc8707_2_resource_names_the_api(void **state)
{
    struct world *w = *state;
    w->application.api_count = 3;
    expect_api(w, "https://one.example", 1);
    check_str(w->decision.scope, "groups sms");
    expect_api(w, "https://two.example", 2);
    check_str(w->decision.scope, "mail read");
    expect_api(w, "https://three.example", 3);
    check_str(w->decision.scope, "");
    static const char *const wrong[] = {"https://four.example", "https://one.example/", "one",
                                        "https://ONE.example", "https://one.exampl"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        expect_api(w, wrong[i], 0);
}

static void rfc8707_2_an_api_that_is_not_the_applications_is_refused(void **state)
{
    struct world *w = *state;
    expect_api(w, "https://two.example", 0);
    w->application.api_count = 2;
    w->links[1].requests = false;
    w->links[1].serves = true;
    expect_api(w, "https://two.example", 0);
    expect_api(w, "https://one.example", 1);
}

static void without_resource_the_only_api_is_meant(void **state)
{
    struct world *w = *state;
    expect_api(w, NULL, 1);
    w->application.api_count = 2;
    w->links[0].requests = false; // serves it, may be
    expect_api(w, NULL, 2);
    w->links[0].requests = true;
    w->links[1].requests = false; // the default one, but not to be asked for
    expect_api(w, NULL, 1);
}

// The order in which the APIs come says nothing.
static void without_resource_the_default_one_of_several_is_meant(void **state)
{
    struct world *w = *state;
    static const uint64_t orders[][3] = {{1, 2, 3}, {2, 1, 3}, {1, 3, 2}};
    w->application.api_count = 3;
    for (size_t i = 0; i < COUNT(orders); i++) {
        for (size_t k = 0; k < 3; k++)
            w->links[k].api = orders[i][k];
        expect_api(w, NULL, 2);
    }
}

static void without_resource_nothing_is_guessed(void **state)
{
    struct world *w = *state;
    w->application.api_count = 3;
    w->apis[1].is_default = false;
    expect_api(w, NULL, 0);
    w->application.api_count = 2;
    w->apis[2].is_default = true; // there is a default one, but not among the application's
    expect_api(w, NULL, 0);
}

static void an_api_that_is_not_there_any_more_does_not_count(void **state)
{
    struct world *w = *state;
    w->links[0].api = 99;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
    w->application.api_count = 2;
    expect_api(w, NULL, 2);
}

static void a_pure_resource_server_gets_no_tokens(void **state)
{
    struct world *w = *state;
    w->links[0].requests = false;
    w->links[0].serves = true;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
    w->request.resource = STR("https://one.example");
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
    w->application.api_count = 0;
    assert_int_equal(decide(w), TWOLEG_GRANT_TYPE_REFUSED);
}

static void rfc6749_3_3_scope_is_all_or_a_subset(void **state)
{
    struct world *w = *state;
    expect_scope(w, NULL, TWOLEG_NONE, "groups sms");
    expect_scope(w, "sms", TWOLEG_NONE, "sms");
    expect_scope(w, "groups", TWOLEG_NONE, "groups");
    expect_scope(w, "sms groups", TWOLEG_NONE, "groups sms");
    expect_scope(w, "sms sms", TWOLEG_NONE, "sms");
    expect_scope(w, "sms  groups ", TWOLEG_NONE, "groups sms");
}

static void B11_a_scope_that_is_not_ours_gives_nothing_at_all(void **state)
{
    struct world *w = *state;
    expect_scope(w, "voice", TWOLEG_SCOPE_REFUSED, NULL);
    expect_scope(w, "sms voice", TWOLEG_SCOPE_REFUSED, NULL);
    expect_scope(w, "SMS", TWOLEG_SCOPE_REFUSED, NULL);
    expect_scope(w, "sm", TWOLEG_SCOPE_REFUSED, NULL);
    expect_scope(w, "mail", TWOLEG_SCOPE_REFUSED, NULL);
    expect_scope(w, " ", TWOLEG_SCOPE_MALFORMED, NULL);
    expect_scope(w, "sms\t", TWOLEG_SCOPE_MALFORMED, NULL);
    expect_scope(w, "\"sms\"", TWOLEG_SCOPE_MALFORMED, NULL);
    expect_scope(w, "s\\ms", TWOLEG_SCOPE_MALFORMED, NULL);
    expect_scope(w, "sms,groups", TWOLEG_SCOPE_REFUSED, NULL);
    char many[SCOPE_TEXT_MAX + 2];
    memset(many, 'x', sizeof many);
    many[sizeof many - 1] = '\0';
    expect_scope(w, many, TWOLEG_SCOPE_MALFORMED, NULL);
    assert_null(w->decision.application);
}

// A word of another API of the application is not one for this.
static void a_scope_belongs_to_the_api_asked_for(void **state)
{
    struct world *w = *state;
    w->application.api_count = 2;
    w->request.resource = STR("https://one.example");
    expect_scope(w, "sms", TWOLEG_NONE, "sms");
    expect_scope(w, "mail", TWOLEG_SCOPE_REFUSED, NULL);
    w->request.resource = STR("https://two.example");
    expect_scope(w, "mail", TWOLEG_NONE, "mail");
    expect_scope(w, "sms", TWOLEG_SCOPE_REFUSED, NULL);
}

static void an_application_without_scopes_gets_none(void **state)
{
    struct world *w = *state;
    w->links[0].scopes = STR("");
    expect_scope(w, NULL, TWOLEG_NONE, "");
    expect_scope(w, "sms", TWOLEG_SCOPE_REFUSED, NULL);
}

static void a_jwt_lives_no_longer_than_its_cap_and_never_for_ever(void **state)
{
    struct world *w = *state;
    static const struct {
        enum token_format format;
        int64_t ttl, granted;
    } rows[] = {
        {FORMAT_JWT, SECOND_US, SECOND_US},         {FORMAT_JWT, 24 * HOUR, 24 * HOUR},
        {FORMAT_JWT, 24 * HOUR + 1, 24 * HOUR},     {FORMAT_JWT, TIME_NEVER, 24 * HOUR},
        {FORMAT_SEALED, 1000 * HOUR, 1000 * HOUR},  {FORMAT_SEALED, TIME_NEVER, TIME_NEVER},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        w->application.format = rows[i].format;
        w->application.ttl_us = rows[i].ttl;
        assert_int_equal(decide(w), TWOLEG_NONE);
        assert_true(w->decision.ttl_us == rows[i].granted);
        assert_int_equal(w->decision.format, rows[i].format);
    }
}

// What is issued must be of now, not of what the application was loaded with.
static void the_generation_is_the_present_one(void **state)
{
    struct world *w = *state;
    w->application.state.generation = 1;
    w->client.state.generation = 8;
    assert_int_equal(decide(w), TWOLEG_NONE);
    assert_int_equal(w->decision.generation, 8);
}

static void a_full_arena_is_no_malformed_scope(void **state)
{
    struct world *w = *state;
    struct arena none;
    arena_init(&none, NULL, 0);
    w->context.arena = &none;
    expect_scope(w, "sms groups", TWOLEG_NO_MEMORY, NULL);
    arena_finish(&none);
}

#define WORLD(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(rfc6749_4_4_the_decision_says_who_and_what),
        WORLD(rfc6749_5_2_other_grants_are_not_supported),
        WORLD(rfc6749_4_3_a_user_bounds_what_the_application_gets),
        WORLD(rfc6749_6_a_family_bounds_what_comes_after),
        WORLD(a_grant_is_the_servers_then_the_applications_then_whole),
        WORLD(T19_a_dialect_has_its_own_rules_of_scope),
        WORLD(a_dialect_may_have_a_token_format_of_its_own),
        WORLD(rfc8707_2_resource_names_the_api),
        WORLD(rfc8707_2_an_api_that_is_not_the_applications_is_refused),
        WORLD(without_resource_the_only_api_is_meant),
        WORLD(without_resource_the_default_one_of_several_is_meant),
        WORLD(without_resource_nothing_is_guessed),
        WORLD(an_api_that_is_not_there_any_more_does_not_count),
        WORLD(a_pure_resource_server_gets_no_tokens),
        WORLD(rfc6749_3_3_scope_is_all_or_a_subset),
        WORLD(B11_a_scope_that_is_not_ours_gives_nothing_at_all),
        WORLD(a_scope_belongs_to_the_api_asked_for),
        WORLD(an_application_without_scopes_gets_none),
        WORLD(a_jwt_lives_no_longer_than_its_cap_and_never_for_ever),
        WORLD(the_generation_is_the_present_one),
        WORLD(a_full_arena_is_no_malformed_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
