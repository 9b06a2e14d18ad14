// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/fault.h"
#include "crypto/init.h"
#include "crypto/password.h"

// From the test suite of the reference implementation (phc-winner-argon2, src/test.c: Argon2id,
// t=2, m=2^8 KiB), as an imported hash would be.
static const char password_reference[] =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

static void hash_and_verify(void **state)
{
    (void)state;
    struct env env;
    struct password_hash one, two;
    env_init(&env);
    assert_int_equal(password_hash(&env, STR("correct horse"), &one), TWOLEG_NONE);
    assert_int_equal(password_hash(&env, STR("correct horse"), &two), TWOLEG_NONE);
    assert_string_not_equal(one.text, two.text); // salted
    assert_true(str_starts_with(str_from(one.text), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_int_equal(password_verify(str_from(one.text), STR("correct horse")), TWOLEG_NONE);
    assert_int_equal(password_verify(str_from(one.text), STR("correct horsf")),
                     TWOLEG_SECRET_WRONG);
    assert_int_equal(password_verify(str_from(one.text), STR("correct hors")),
                     TWOLEG_SECRET_WRONG);
    env_finish(&env);
}

static void phc_reference_vector_and_wrong_passwords(void **state)
{
    (void)state;
    struct str hash = str_from(password_reference);
    assert_int_equal(password_verify(hash, STR("password")), TWOLEG_NONE);
    assert_int_equal(password_verify(hash, STR("passwore")), TWOLEG_SECRET_WRONG);
    assert_int_equal(password_verify(hash, STR("password\0")), TWOLEG_SECRET_WRONG);
}

static void B9_empty_and_long_passwords_never_match(void **state)
{
    (void)state;
    static char text[PASSWORD_MAX + 1];
    struct env env;
    struct password_hash hash;
    env_init(&env);
    memset(text, 'a', sizeof text);
    assert_int_equal(password_hash(&env, STR(""), &hash), TWOLEG_RANGE);
    assert_int_equal(password_hash(&env, STR_NONE, &hash), TWOLEG_RANGE);
    assert_int_equal(password_hash(&env, str_of(text, sizeof text), &hash), TWOLEG_RANGE);
    struct str reference = str_from(password_reference);
    assert_int_equal(password_verify(reference, STR_NONE), TWOLEG_SECRET_WRONG);
    assert_int_equal(password_verify(reference, str_of(text, sizeof text)), TWOLEG_SECRET_WRONG);
    env_finish(&env);
}

static void malformed_and_costly_hashes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "$",
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=1000000,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi",
        "$argon2id$v=19$m=256,t=2,p=64$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=31,t=2,p=4$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=-1,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4!",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=256,t=2,p=1$",
        "$2y$10$abcdefghijklmnopqrstuv",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(password_verify(str_from(bad[i]), STR("password")), TWOLEG_MALFORMED);
    char nul[sizeof password_reference];
    memcpy(nul, password_reference, sizeof nul);
    assert_int_equal(password_verify(str_of(nul, sizeof nul), STR("password")), TWOLEG_MALFORMED);
}

// B2: whoever asks for somebody who is not there waits for a hash that costs the same.
static void B2_nobodys_hash_is_like_a_made_one_and_no_word_fits(void **state)
{
    (void)state;
    struct env env;
    struct password_hash made;
    struct str nobodys = password_nobodys();
    env_init(&env);
    assert_int_equal(password_hash(&env, STR("password"), &made), TWOLEG_NONE);
    struct str like = str_from(made.text);
    assert_int_equal(nobodys.len, like.len);
    struct str cost = STR("$argon2id$v=19$m=19456,t=2,p=1$");
    assert_true(str_starts_with(like, cost) && str_starts_with(nobodys, cost));
    for (size_t i = 0; i < like.len; i++)
        assert_int_equal(nobodys.ptr[i] == '$', like.ptr[i] == '$');
    assert_int_equal(password_verify(nobodys, STR("password")), TWOLEG_SECRET_WRONG);
    assert_int_equal(password_verify(nobodys, STR("nobody")), TWOLEG_SECRET_WRONG);
    env_finish(&env);
}

static void D8_no_randomness_and_no_memory_are_errors(void **state)
{
    (void)state;
    struct env env;
    struct password_hash hash;
    env_init(&env);
    fault_arm(FAULT_RANDOM, 1, false);
    assert_int_equal(password_hash(&env, STR("password"), &hash), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    fault_arm(FAULT_MEMORY, 1, false);
    assert_int_equal(password_hash(&env, STR("password"), &hash), TWOLEG_NO_MEMORY);
    fault_arm(FAULT_MEMORY, 1, false);
    assert_int_equal(password_verify(str_from(password_reference), STR("password")),
                     TWOLEG_NO_MEMORY);
    fault_arm(FAULT_MEMORY, 0, false);
    env_finish(&env);
}

static int password_start(void **state)
{
    (void)state;
    return (int)crypto_init();
}

#define HASHERS 12

static void *password_hasher(void *result)
{
    struct str costly = STR("$argon2id$v=19$m=262144,t=1,p=1$bm9ib2R5cyBzYWx0IDE2Yg"
                            "$dGhlIGhhc2ggdGhhdCBub2JvZHkncyB3b3JkIGdpdmU");
    *(enum twoleg_error *)result = password_verify(costly, STR("a guess"));
    return NULL;
}

// Twelve of the dearest that may be imported, at once, would hold three.
static void B1_hashes_hold_a_gibibyte_at_most_whoever_asks(void **state)
{
    (void)state;
    enum twoleg_error results[HASHERS];
    pthread_t threads[HASHERS];
    struct rusage usage;
    for (size_t i = 0; i < HASHERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, password_hasher, &results[i]), 0);
    for (size_t i = 0; i < HASHERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(results[i], TWOLEG_SECRET_WRONG);
    }
    getrusage(RUSAGE_SELF, &usage);
    assert_in_range(usage.ru_maxrss, 256 * 1024, (PASSWORD_MEMORY_KIB_ALL / 8) * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_and_verify),
        cmocka_unit_test(phc_reference_vector_and_wrong_passwords),
        cmocka_unit_test(B9_empty_and_long_passwords_never_match),
        cmocka_unit_test(malformed_and_costly_hashes_are_refused),
        cmocka_unit_test(B2_nobodys_hash_is_like_a_made_one_and_no_word_fits),
        cmocka_unit_test(B1_hashes_hold_a_gibibyte_at_most_whoever_asks),
        cmocka_unit_test(D8_no_randomness_and_no_memory_are_errors),
    };
    return cmocka_run_group_tests(tests, password_start, NULL);
}
