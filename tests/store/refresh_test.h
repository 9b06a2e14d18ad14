// SPDX-License-Identifier: Apache-2.0
// Families of refresh tokens, for the tests of their verbs and of the rows that stay.
#pragma once
#include "user_test.h"

#include "crypto/hash.h"

#define HOUR (3600 * SECOND_US)

static inline struct sha256 hash_of(unsigned which)
{
    return sha256(str_of(&which, sizeof which));
}

static inline struct refresh_family family_of(uint64_t number)
{
    return (struct refresh_family){.number = number,
                                   .account = ACCOUNT_DEFAULT,
                                   .application = 11,
                                   .generation = 5,
                                   .user = ANN,
                                   .user_generation = 5,
                                   .epoch = UINT32_MAX,
                                   .api = TEST_API,
                                   .scope = STR("sms"),
                                   .key = UINT32_MAX,
                                   .current = hash_of((unsigned)number),
                                   .rotated_us = TEST_NOW - 1,
                                   .idle_us = TEST_NOW + HOUR,
                                   .expires_us = TEST_NOW + 2 * HOUR,
                                   .tokens_until_s = TEST_NOW / SECOND_US + 600,
                                   .credential = 1011};
}

static inline enum twoleg_error add(struct test_store *test, const struct refresh_family *family)
{
    struct store_verb verb = {.family = family};
    return test_one(test, VERB_REFRESH_ADD, ACCOUNT_DEFAULT, &verb);
}

static inline enum twoleg_error rotate_until(struct test_store *test, uint64_t family,
                                             unsigned from, unsigned to, int64_t tokens_until_s)
{
    struct store_verb verb = {.rotate = {.family = family, .key = 4, .current = hash_of(from),
                                         .next = hash_of(to), .rotated_us = TEST_NOW - 2,
                                         .idle_us = TEST_NOW + HOUR + 1,
                                         .tokens_until_s = tokens_until_s,
                                         .credential = UINT64_MAX}};
    return test_one(test, VERB_REFRESH_ROTATE, ACCOUNT_DEFAULT, &verb);
}

static inline enum twoleg_error rotate(struct test_store *test, uint64_t family, unsigned from,
                                       unsigned to)
{
    return rotate_until(test, family, from, to, 1);
}

static inline enum twoleg_error end_found(struct test_store *test, uint64_t family, bool alone,
                                          int64_t tokens_until_s)
{
    struct store_verb verb = {.refresh_revoke = {.family = family, .application = 11,
                                                 .alone = alone,
                                                 .tokens_until_s = tokens_until_s}};
    return test_one(test, VERB_REFRESH_REVOKE, ACCOUNT_DEFAULT, &verb);
}

static inline enum twoleg_error end_family(struct test_store *test, uint64_t family, bool alone)
{
    return end_found(test, family, alone, 0);
}

static inline enum twoleg_error end_at(struct test_store *test, uint64_t family, int64_t now_us)
{
    struct store_batch *batch = store_batch_create(now_us);
    assert_non_null(batch);
    struct store_verb *verb = store_batch_add(batch, VERB_REFRESH_REVOKE, ACCOUNT_DEFAULT);
    verb->refresh_revoke.family = family;
    verb->refresh_revoke.application = 11;
    return test_commit(test, batch);
}

static inline struct refresh_family *find(struct test_store *test, uint64_t number)
{
    struct refresh_family *family = NULL;
    struct user *user = NULL;
    enum twoleg_error error =
        store_refresh(test->reader, number, &test->arena, &family, &user);
    assert_true(error == TWOLEG_NONE || error == TWOLEG_NOT_FOUND);
    if (error)
        return NULL;
    assert_true(user && user->number == family->user);
    return family;
}

static inline unsigned count(struct test_store *test, uint64_t first, unsigned most)
{
    unsigned found = 0;
    for (unsigned i = 0; i < most; i++)
        found += find(test, first + i) != NULL;
    return found;
}

// How many revocations are kept of this family's access tokens, and until when.
static inline unsigned ended(struct test_store *test, uint64_t family, int64_t *ret_until_s)
{
    struct token_id id = token_family_id(family);
    struct store_cursor *cursor;
    struct store_change change;
    unsigned found = 0;
    assert_int_equal(store_revocations_begin(test->reader, &cursor), TWOLEG_NONE);
    while (store_revocations_next(cursor, &change))
        if (change.kind == CHANGE_REVOCATION && memcmp(&change.token, &id, sizeof id) == 0) {
            found++;
            *ret_until_s = change.expires_s;
        }
    assert_int_equal(store_end(cursor), TWOLEG_NONE);
    return found;
}
