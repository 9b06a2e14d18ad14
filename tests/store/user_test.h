// SPDX-License-Identifier: Apache-2.0
// A user, for the tests of users and of what came from their passwords.
#pragma once
#include "store_test.h"

#define ANN UINT64_C(0xfedcba9876543210)

static inline enum twoleg_error make_user(struct test_store *test, uint64_t number,
                                          const char *name)
{
    static const struct application_api rights = {TEST_API, true, false, {"groups sms", 10}};
    const struct user user = {.number = number,
                              .account = ACCOUNT_DEFAULT,
                              .username = str_from(name),
                              .password_hash = STR("$argon2id$of-the-word"),
                              .state = {STATUS_ACTIVE, 5},
                              .apis = &rights,
                              .api_count = 1};
    struct store_verb verb = {.user = &user};
    return test_one(test, VERB_USER_CREATE, STORE_OPERATOR, &verb);
}

static inline enum twoleg_error update_user(struct test_store *test, uint64_t number,
                                            unsigned fields, enum entity_status status,
                                            uint64_t generation)
{
    struct store_verb verb = {.user_update = {.number = number,
                                              .fields = fields,
                                              .status = status,
                                              .generation = generation,
                                              .password_hash = STR("another hash")}};
    return test_one(test, VERB_USER_UPDATE, ACCOUNT_DEFAULT, &verb);
}
