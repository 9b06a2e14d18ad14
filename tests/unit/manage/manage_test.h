// SPDX-License-Identifier: Apache-2.0
// A change under construction, and what is there: two APIs and one application.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manage/application.h"

#define TEST_NOW ((int64_t)1700000000 * SECOND_US)

struct manage_test {
    struct store_batch *batch;
    struct manage_actor actor;
    struct manage_change change;
    struct api apis[2];
    struct api_set set;
    struct application_api rights[1];
    struct secret secrets[12];
    struct application application;
    struct manage_policy policy;
};

static inline int manage_test_setup(void **state)
{
    static struct manage_test test;
    test = (struct manage_test){
        .actor = {.name = STR("uid:0"), .operator_rights = true},
        .apis = {{.number = 1, .account = 5, .identifier = STR("https://auth.example"),
                  .scopes = STR("groups sms"), .is_default = true},
                 {.number = 2, .account = 5, .identifier = STR("https://sms.example"),
                  .scopes = STR("send sms")}},
        .rights = {{.api = 1, .requests = true, .scopes = STR("groups sms")}},
        .application = {.number = 77, .account = 5, .version = 3, .client_id = STR("app_x"),
                        .name = STR("Old"), .ttl_us = 3600 * SECOND_US, .api_count = 1,
                        .state = {.generation = 9}},
        .policy = {.ttl_us = 3600 * SECOND_US, .jwt_max_ttl_us = 86400 * SECOND_US}};
    test.set = (struct api_set){test.apis, 2};
    test.application.apis = test.rights;
    test.application.secrets = test.secrets;
    test.batch = store_batch_create(TEST_NOW);
    manage_change_init(&test.change, test.batch, &test.actor, STR("request-1"));
    *state = &test;
    return test.batch ? 0 : -1;
}

static inline int manage_test_teardown(void **state)
{
    store_batch_destroy(((struct manage_test *)*state)->batch);
    return 0;
}

// The nth verb of the kind, from 0; NULL when there are fewer.
static inline const struct store_verb *manage_test_verb(const struct manage_test *test,
                                                        enum store_verb_kind kind, size_t nth)
{
    for (const struct store_verb *verb = test->batch->verbs; verb; verb = verb->next)
        if (verb->kind == kind && nth-- == 0)
            return verb;
    return NULL;
}

static inline void manage_test_is(struct str text, const char *wanted)
{
    assert_true(str_equal(text, str_from(wanted)));
}

static inline bool manage_test_says(struct str text, const char *part)
{
    return text.len && memmem(text.ptr, text.len, part, strlen(part));
}

#define MANAGE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, manage_test_setup, manage_test_teardown)
