// SPDX-License-Identifier: Apache-2.0
// What is given back of a budget: whatever else was done for the request, no token was issued.
#include "store/store_test.h"

#include "endpoint/limit.h"
#include "endpoint/routes.h"
#include "http/listener.h"

#define DAY (86400 * SECOND_US)
#define APPLICATION 11

struct test_budget {
    struct test_store *test;
    struct epoch epoch;
    struct env env;
    struct metrics metrics;
    struct http_listener listener;
    struct server server;
    struct snapshot snapshot;
    struct endpoint_context context;
    struct application application;
    struct http_route route;
    struct http_request request;
};

static int budget_setup(void **state)
{
    struct test_budget *t = calloc(1, sizeof *t);
    void *test;
    if (!t || test_setup(&test))
        return -1;
    t->test = test;
    epoch_init(&t->epoch);
    env_init(&t->env);
    t->env.boot_us = 5 * DAY;
    test_make_api(t->test);
    assert_int_equal(test_make_application(t->test, APPLICATION, "billing"), TWOLEG_NONE);
    struct registry_settings settings = {t->test->store, &t->epoch, 10};
    assert_int_equal(registry_create(&settings, &t->server.registry), TWOLEG_NONE);
    t->snapshot.config.budget = (struct rate){2, 2, DAY};
    t->context = (struct endpoint_context){.server = &t->server, .snapshot = &t->snapshot};
    t->application.number = APPLICATION;
    t->route.handler = endpoint_healthz; // whose form is no dialect's
    *state = t;
    return 0;
}

static int budget_teardown(void **state)
{
    struct test_budget *t = *state;
    registry_destroy(t->server.registry);
    env_finish(&t->env);
    epoch_finish(&t->epoch);
    void *test = t->test;
    int failed = test_teardown(&test);
    free(t);
    return failed;
}

// A request that comes so far that it is charged.
static enum twoleg_error budget_ask(struct test_budget *t)
{
    int64_t retry_us;
    t->request = (struct http_request){.env = &t->env,
                                       .metrics = &t->metrics,
                                       .listener = &t->listener,
                                       .route = &t->route,
                                       .context = &t->context};
    return endpoint_limit_budget(&t->request, &t->application, &retry_us);
}

// How many more there are.
static unsigned budget_left(struct test_budget *t)
{
    unsigned count = 0;
    while (budget_ask(t) == TWOLEG_NONE)
        count++;
    return count;
}

// HTTP's own refusals come without another run of the handler: of what took too long, or is at a
// host that a reload has taken away.
static void budget_of_what_http_refuses_is_given_back(void **state)
{
    static const enum http_refusal refusals[] = {HTTP_REFUSAL_WORK_LONG, HTTP_REFUSAL_MISDIRECTED,
                                                 HTTP_REFUSAL_UNAVAILABLE};
    struct test_budget *t = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct http_answer answer;
        assert_int_equal(budget_ask(t), TWOLEG_NONE);
        assert_false(endpoint_refuse_http(&t->request, refusals[i], &answer));
    }
    assert_int_equal(budget_left(t), 2);
}

static void budget_is_given_back_once(void **state)
{
    struct test_budget *t = *state;
    assert_int_equal(budget_ask(t), TWOLEG_NONE);
    struct http_request first = t->request;
    assert_int_equal(budget_ask(t), TWOLEG_NONE);
    endpoint_limit_not_issued(&first);
    endpoint_limit_not_issued(&first);
    assert_int_equal(budget_left(t), 1);
    // One that got nothing has nothing to give back.
    assert_int_equal(budget_ask(t), TWOLEG_BUDGET);
    endpoint_limit_not_issued(&t->request);
    assert_int_equal(budget_left(t), 0);
}

// At a rate that a reload has changed since it was taken.
static void budget_gives_back_what_was_taken(void **state)
{
    struct test_budget *t = *state;
    assert_int_equal(budget_ask(t), TWOLEG_NONE);
    struct http_request first = t->request;
    t->snapshot.config.budget = (struct rate){1, 4, DAY};
    endpoint_limit_not_issued(&first);
    t->snapshot.config.budget = (struct rate){2, 2, DAY};
    assert_int_equal(budget_ask(t), TWOLEG_NONE);
    assert_int_equal(budget_left(t), 1);
}

static void budget_of_an_application_that_is_gone(void **state)
{
    struct test_budget *t = *state;
    assert_int_equal(budget_ask(t), TWOLEG_NONE);
    registry_destroy(t->server.registry);
    struct store_verb verb = {.number = APPLICATION};
    assert_int_equal(test_one(t->test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    struct registry_settings settings = {t->test->store, &t->epoch, 10};
    assert_int_equal(registry_create(&settings, &t->server.registry), TWOLEG_NONE);
    endpoint_limit_not_issued(&t->request);
    assert_int_equal(t->request.charged.bits & 2, 0);
}

#define BUDGET(test) cmocka_unit_test_setup_teardown(test, budget_setup, budget_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUDGET(budget_of_what_http_refuses_is_given_back),
        BUDGET(budget_is_given_back_once),
        BUDGET(budget_gives_back_what_was_taken),
        BUDGET(budget_of_an_application_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
