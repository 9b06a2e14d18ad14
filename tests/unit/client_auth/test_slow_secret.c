// SPDX-License-Identifier: Apache-2.0
// What the server remembers of secrets under a slow hash (row B1).
#include "client_auth/slow_secret.h"

#include "crypto/hash.h"
#include "unit/model/model_test.h"

static int cache_setup(void **state)
{
    struct env env;
    env_init(&env);
    *state = slow_secret_cache_create(&env);
    return *state ? 0 : -1;
}

static int cache_teardown(void **state)
{
    slow_secret_cache_destroy(*state);
    return 0;
}

// Fifty others are what one address may ask for where five are compared.
static void B1_what_was_compared_is_known_after_fifty_others(void **state)
{
    unsigned forgotten = 0;
    for (uint32_t first = 0; first < 1000000; first += 1000) {
        struct sha256 guess = sha256(str_of(&first, sizeof first));
        slow_secret_put(*state, &guess, false);
        for (uint32_t i = first + 1; i <= first + 50; i++) {
            struct sha256 other = sha256(str_of(&i, sizeof i));
            slow_secret_put(*state, &other, false);
        }
        forgotten += slow_secret_find(*state, &guess) != SLOW_DIFFERS;
    }
    assert_int_equal(forgotten, 0);
}

// As many as one server of another system may have handed over with their slow hashes: else each of
// them would be compared again and again.
static void ten_thousand_who_are_right_are_remembered(void **state)
{
    unsigned known = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        struct sha256 digest = sha256(str_of(&i, sizeof i));
        slow_secret_put(*state, &digest, true);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        struct sha256 digest = sha256(str_of(&i, sizeof i));
        known += slow_secret_find(*state, &digest) == SLOW_MATCHES;
    }
    assert_in_range(known, 9980, 10000);
}

static void what_is_found_again_takes_no_second_place(void **state)
{
    struct sha256 digests[4] = {0};
    for (uint8_t i = 0; i < 4; i++)
        digests[i].bytes[31] = i + 1; // all of one place
    for (unsigned turn = 0; turn < 3; turn++)
        for (unsigned i = 0; i < 4; i++)
            slow_secret_put(*state, &digests[i], true);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(slow_secret_find(*state, &digests[i]), SLOW_MATCHES);
}

static void each_part_makes_another_digest(void **state)
{
    const struct address here = {.family = ADDRESS_V4, .bytes = {192, 0, 2, 1}};
    struct address elsewhere = here, other_family = here;
    elsewhere.bytes[3] = 2;
    other_family.family = ADDRESS_V6;
    const struct secret secret = {.number = 1, .slow_hash = STR("a hash")};
    const struct secret other = {.number = 2, .slow_hash = STR("a hash")};
    const struct secret changed = {.number = 1, .slow_hash = STR("another")};
    const struct sha256 digests[] = {
        slow_secret_digest(*state, &secret, &here, STR("a")),
        slow_secret_digest(*state, &other, &here, STR("a")),
        slow_secret_digest(*state, &changed, &here, STR("a")),
        slow_secret_digest(*state, &secret, &elsewhere, STR("a")),
        slow_secret_digest(*state, &secret, &other_family, STR("a")),
        slow_secret_digest(*state, &secret, &here, STR("b")),
    };
    struct sha256 same = slow_secret_digest(*state, &secret, &here, STR("a"));
    assert_memory_equal(&same, &digests[0], sizeof same);
    for (size_t i = 0; i < COUNT(digests); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&digests[i], &digests[k], sizeof same);
}

#define CACHE(test) cmocka_unit_test_setup_teardown(test, cache_setup, cache_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE(B1_what_was_compared_is_known_after_fifty_others),
        CACHE(ten_thousand_who_are_right_are_remembered),
        CACHE(what_is_found_again_takes_no_second_place),
        CACHE(each_part_makes_another_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
