// SPDX-License-Identifier: Apache-2.0
// Hashes that others made. The texts were made by the implementations that are named.
#include "unit/crypto/hex.h"

#include "base/fault.h"
#include "crypto/brought_hash.h"
#include "crypto/init.h"

static const struct vector {
    enum brought_hash kind;
    const char *hash, *secret;
} vectors[] = {
    // crypt_blowfish 1.3, wrapper.c
    {BROUGHT_BCRYPT, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
    {BROUGHT_BCRYPT, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"},
    {BROUGHT_BCRYPT, "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"},
    // PHP 8.2, password_hash
    {BROUGHT_BCRYPT, "$2y$04$fnjipz5BNMRhT.RD3uesj.ZDn7zta8b3BH6n9cONAx6coItfzHaxq", "x"},
    {BROUGHT_ARGON2ID, "$argon2id$v=19$m=1024,t=2,p=1$UnVKOVZISGNwYUhSU3RIQw$"
                       "kh9om7/crjl+61+hW9EcPrvWuSVVmwu+NJuEuxSHnVY", "x"},
    {BROUGHT_ARGON2I, "$argon2i$v=19$m=1024,t=4,p=4$YkZNeFp6NHpwRjM1QlYzMQ$"
                      "m1vUf2yoBltXfXu7WNn9NnDc+I4e8gibBNM7R3nqrY8", "x"},
    // PHP 8.2, hash_pbkdf2, as Django writes it
    {BROUGHT_PBKDF2, "pbkdf2_sha256$1000$salt$ytboaGwCQBoTWVr1+GnFfI/sh+2xT7WOkLwmSa8MXBs=", "x"},
};
#define VECTORS (sizeof vectors / sizeof *vectors)

static void each_kind_is_told_and_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct str hash = str_from(vectors[i].hash);
        struct str secret = str_from(vectors[i].secret);
        enum brought_hash kind = 0;
        const char *problem = NULL;
        assert_int_equal(brought_hash_read(hash, &kind, &problem), TWOLEG_NONE);
        assert_int_equal(kind, vectors[i].kind);
        assert_null(problem);
        assert_true(brought_hash_is_like(hash));
        assert_int_equal(brought_hash_verify(kind, hash, secret), TWOLEG_NONE);
        assert_int_equal(brought_hash_verify(kind, hash, STR("y")), TWOLEG_SECRET_WRONG);
        assert_int_equal(brought_hash_verify(kind, hash, STR("")), TWOLEG_SECRET_WRONG);
        assert_int_equal(brought_hash_verify(kind, hash, STR("U*U\0")), TWOLEG_SECRET_WRONG);
        // Every wrong kind, too: the row says another scheme than the text.
        for (enum brought_hash other = BROUGHT_ARGON2ID; other <= BROUGHT_PBKDF2; other++)
            if (other != kind)
                assert_int_not_equal(brought_hash_verify(other, hash, secret), TWOLEG_NONE);
    }
}

// RFC 7914 section 11: PBKDF2-HMAC-SHA-256 of "Password" and "NaCl", 80000 rounds, 64 bytes.
static void rfc7914_11_pbkdf2_of_two_blocks(void **state)
{
    (void)state;
    struct str hash = STR("$pbkdf2-sha256$i=80000,l=64$TmFDbA$"
                          "TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtR"
                          "ybMXaicr3ruh0HhHj2Kzl/M8jQ");
    assert_int_equal(brought_hash_verify(BROUGHT_PBKDF2, hash, STR("Password")), TWOLEG_NONE);
    assert_int_equal(brought_hash_verify(BROUGHT_PBKDF2, hash, STR("password")),
                     TWOLEG_SECRET_WRONG);
}

static void a_digest_is_kept_under_argon2id(void **state)
{
    (void)state;
    struct env env;
    struct password_hash hash;
    struct sha256 digest = sha256(STR("short")), other = sha256(STR("shoru"));
    env_init(&env);
    assert_int_equal(brought_hash_make_sha256(&env, &digest, &hash), TWOLEG_NONE);
    struct str text = str_from(hash.text);
    enum brought_hash kind = BROUGHT_ARGON2ID_SHA256;
    assert_int_equal(brought_hash_verify(kind, text, STR("short")), TWOLEG_NONE);
    assert_int_equal(brought_hash_verify(kind, text, STR("shoru")), TWOLEG_SECRET_WRONG);
    assert_int_equal(brought_hash_verify(BROUGHT_ARGON2ID, text, STR("short")),
                     TWOLEG_SECRET_WRONG);
    assert_int_equal(brought_hash_verify_sha256(text, &digest), TWOLEG_NONE);
    assert_int_equal(brought_hash_verify_sha256(text, &other), TWOLEG_SECRET_WRONG);
    env_finish(&env);
}

// What was written with other bits at the salt's end is the same hash.
static void bcrypt_salts_end_in_bits_that_mean_nothing(void **state)
{
    (void)state;
    assert_int_equal(
        brought_hash_verify(BROUGHT_BCRYPT,
                            STR("$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
                            STR("U*U")),
        TWOLEG_NONE);
}

static void B1_hashes_that_cost_too_much_or_too_little_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "$2a$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "pbkdf2_sha256$2000001$salt$ytboaGwCQBoTWVr1+GnFfI/sh+2xT7WOkLwmSa8MXBs=",
        "pbkdf2_sha256$999$salt$ytboaGwCQBoTWVr1+GnFfI/sh+2xT7WOkLwmSa8MXBs=",
        "pbkdf2_sha256$18446744073709551615$salt$ytboaGwCQBoTWVr1+GnFfI/sh+2xT7WOkLwmSa8MXBs=",
        // Two blocks: each of them costs all rounds.
        ("$pbkdf2-sha256$1000001$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1"
         "ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ"),
        "$argon2id$v=19$m=262145,t=1,p=1$UnVKOVZISGNwYUhSU3RIQw$kh9om7/crjl+61+hW9EcPrvWuSVV",
        "$argon2id$v=19$m=262144,t=5,p=1$UnVKOVZISGNwYUhSU3RIQw$kh9om7/crjl+61+hW9EcPrvWuSVV",
        "$argon2i$v=19$m=1024,t=17,p=1$UnVKOVZISGNwYUhSU3RIQw$kh9om7/crjl+61+hW9EcPrvWuSVV",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum brought_hash kind;
        const char *problem = NULL;
        assert_int_equal(brought_hash_read(str_from(bad[i]), &kind, &problem), TWOLEG_RANGE);
        assert_non_null(problem);
        for (kind = BROUGHT_ARGON2ID; kind <= BROUGHT_PBKDF2; kind++)
            assert_int_equal(brought_hash_verify(kind, str_from(bad[i]), STR("x")),
                             TWOLEG_MALFORMED);
    }
}

// What is read must be what the library takes: it would be imported, and match nothing.
static void a_number_has_one_spelling(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "$argon2id$v=19$m=01024,t=2,p=1$UnVKOVZISGNwYUhSU3RIQw$"
        "kh9om7/crjl+61+hW9EcPrvWuSVVmwu+NJuEuxSHnVY",
        "$argon2id$v=19$m=1024,t=02,p=1$UnVKOVZISGNwYUhSU3RIQw$"
        "kh9om7/crjl+61+hW9EcPrvWuSVVmwu+NJuEuxSHnVY",
        "$argon2id$v=19$m=1024,t=2,p=01$UnVKOVZISGNwYUhSU3RIQw$"
        "kh9om7/crjl+61+hW9EcPrvWuSVVmwu+NJuEuxSHnVY",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum brought_hash kind;
        const char *problem = NULL;
        assert_int_equal(brought_hash_read(str_from(bad[i]), &kind, &problem), TWOLEG_MALFORMED);
        assert_non_null(problem);
    }
}

static void H6_without_memory_nothing_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        fault_arm(FAULT_MEMORY, 1, false);
        assert_int_equal(brought_hash_verify(vectors[i].kind, str_from(vectors[i].hash),
                                             str_from(vectors[i].secret)),
                         TWOLEG_NO_MEMORY);
    }
    fault_arm(FAULT_MEMORY, 0, false);
}

static int brought_start(void **state)
{
    (void)state;
    return (int)crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_told_and_verified),
        cmocka_unit_test(rfc7914_11_pbkdf2_of_two_blocks),
        cmocka_unit_test(a_digest_is_kept_under_argon2id),
        cmocka_unit_test(bcrypt_salts_end_in_bits_that_mean_nothing),
        cmocka_unit_test(B1_hashes_that_cost_too_much_or_too_little_are_refused),
        cmocka_unit_test(a_number_has_one_spelling),
        cmocka_unit_test(H6_without_memory_nothing_matches),
    };
    return cmocka_run_group_tests(tests, brought_start, NULL);
}
