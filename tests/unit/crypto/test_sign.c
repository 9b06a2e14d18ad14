// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "crypto/init.h"
#include "crypto/sign.h"

#define SIGN_HEX_N "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define SIGN_HEX_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define SIGN_HEX_N_PLUS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"
#define SIGN_HEX_MAX "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

// RFC 6979 A.2.5: P-256, SHA-256.
#define SIGN_X "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
#define SIGN_Y "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define SIGN_SAMPLE_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define SIGN_SAMPLE_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define SIGN_TEST_R "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
#define SIGN_TEST_S "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"

static struct verifier_ctx *sign_verifier(const struct public_key *point)
{
    struct verify_key *key = NULL;
    struct verifier_ctx *verifier = NULL;
    assert_int_equal(verify_key_create(sign_algorithm_es256(), point, &key), TWOLEG_NONE);
    assert_int_equal(verifier_create(key, &verifier), TWOLEG_NONE);
    verify_key_free(&key); // the verifier stands on its own
    assert_null(key);
    return verifier;
}

static struct verifier_ctx *sign_rfc6979(void)
{
    struct public_key point = {0};
    point.first.len = hex_read(SIGN_X, point.first.bytes, EC_COORDINATE_SIZE).len;
    point.second.len = hex_read(SIGN_Y, point.second.bytes, EC_COORDINATE_SIZE).len;
    return sign_verifier(&point);
}

static struct sign_key *sign_new_key(void)
{
    struct sign_key *key = NULL;
    assert_int_equal(sign_key_create(sign_algorithm_es256(), &key), TWOLEG_NONE);
    return key;
}

static enum twoleg_error sign_check(struct verifier_ctx *verifier, const char *message,
                                    const char *hex)
{
    uint8_t bytes[128];
    return verifier_check(verifier, str_from(message), hex_read(hex, bytes, sizeof bytes));
}

static void rfc6979_a_2_5_verifies_and_under_no_other_key(void **state)
{
    (void)state;
    struct verifier_ctx *verifier = sign_rfc6979();
    assert_int_equal(sign_check(verifier, "sample", SIGN_SAMPLE_R SIGN_SAMPLE_S), TWOLEG_NONE);
    assert_int_equal(sign_check(verifier, "test", SIGN_TEST_R SIGN_TEST_S), TWOLEG_NONE);
    assert_int_equal(sign_check(verifier, "test", SIGN_SAMPLE_R SIGN_SAMPLE_S),
                     TWOLEG_TOKEN_FORGED);
    for (int i = 0; i < 4; i++) {
        struct sign_key *other = sign_new_key();
        struct public_key point = *sign_key_public(other);
        struct verifier_ctx *wrong = sign_verifier(&point);
        assert_int_equal(sign_check(wrong, "sample", SIGN_SAMPLE_R SIGN_SAMPLE_S),
                         TWOLEG_TOKEN_FORGED);
        verifier_free(&wrong);
        sign_key_free(&other);
    }
    verifier_free(&verifier);
}

static void C12_r_or_s_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        SIGN_HEX_0 SIGN_HEX_0,           SIGN_HEX_0 SIGN_SAMPLE_S,
        SIGN_SAMPLE_R SIGN_HEX_0,        SIGN_HEX_N SIGN_SAMPLE_S,
        SIGN_SAMPLE_R SIGN_HEX_N,        SIGN_HEX_N SIGN_HEX_N,
        SIGN_HEX_N_PLUS_1 SIGN_SAMPLE_S, SIGN_SAMPLE_R SIGN_HEX_N_PLUS_1,
        SIGN_HEX_MAX SIGN_HEX_MAX,       SIGN_SAMPLE_R SIGN_HEX_MAX,
        SIGN_HEX_0 SIGN_HEX_N,           SIGN_HEX_MAX SIGN_HEX_0,
    };
    struct verifier_ctx *verifier = sign_rfc6979();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sign_check(verifier, "sample", bad[i]), TWOLEG_TOKEN_FORGED);
    verifier_free(&verifier);
}

static void C12_der_and_other_lengths_are_refused(void **state)
{
    (void)state;
    struct verifier_ctx *verifier = sign_rfc6979();
    assert_int_equal(sign_check(verifier, "sample",
                                "3046022100" SIGN_SAMPLE_R "022100" SIGN_SAMPLE_S),
                     TWOLEG_TOKEN_FORGED);
    uint8_t raw[80] = {0};
    hex_read(SIGN_SAMPLE_R SIGN_SAMPLE_S, raw, sizeof raw);
    for (size_t len = 0; len <= sizeof raw; len++)
        assert_int_equal(verifier_check(verifier, STR("sample"), str_of(raw, len)),
                         len == 64 ? TWOLEG_NONE : TWOLEG_TOKEN_FORGED);
    assert_int_equal(verifier_check(verifier, STR("sample"), STR_NONE), TWOLEG_TOKEN_FORGED);
    verifier_free(&verifier);
}

// s = n - s of the vector: the other signature that ECDSA has for the same message.
static void C12_the_other_s_is_accepted_as_documented(void **state)
{
    (void)state;
    uint8_t n[32], s[32];
    hex_read(SIGN_HEX_N, n, sizeof n);
    hex_read(SIGN_SAMPLE_S, s, sizeof s);
    unsigned borrow = 0;
    uint8_t raw[64];
    hex_read(SIGN_SAMPLE_R, raw, 32);
    for (size_t i = 32; i-- > 0;) {
        unsigned difference = 256u + n[i] - s[i] - borrow;
        raw[32 + i] = (uint8_t)difference;
        borrow = difference < 256;
    }
    struct verifier_ctx *verifier = sign_rfc6979();
    assert_int_equal(verifier_check(verifier, STR("sample"), str_of(raw, sizeof raw)),
                     TWOLEG_NONE);
    verifier_free(&verifier);
}

static void C15_every_flipped_bit_of_a_signature_is_refused(void **state)
{
    (void)state;
    struct verifier_ctx *verifier = sign_rfc6979();
    uint8_t raw[64];
    hex_read(SIGN_TEST_R SIGN_TEST_S, raw, sizeof raw);
    for (size_t bit = 0; bit < 512; bit++) {
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(verifier_check(verifier, STR("test"), str_of(raw, sizeof raw)),
                         TWOLEG_TOKEN_FORGED);
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(verifier_check(verifier, STR("test"), str_of(raw, sizeof raw)), TWOLEG_NONE);
    verifier_free(&verifier);
}

static void signs_what_verifies_many_times_with_one_context(void **state)
{
    (void)state;
    struct sign_key *key = sign_new_key();
    struct public_key point = *sign_key_public(key);
    struct verifier_ctx *verifier = sign_verifier(&point);
    struct signer *signer = NULL;
    assert_int_equal(signer_create(key, &signer), TWOLEG_NONE);
    sign_key_free(&key); // the signer stands on its own
    struct signature before = {0};
    for (uint32_t i = 0; i < 300; i++) {
        struct str message = str_of(&i, sizeof i);
        struct signature signature;
        assert_int_equal(signer_sign(signer, message, &signature), TWOLEG_NONE);
        assert_int_equal(signature.len, 64);
        assert_memory_not_equal(signature.bytes, before.bytes, 32); // r: a nonce of its own
        struct str bytes = str_of(signature.bytes, signature.len);
        assert_int_equal(verifier_check(verifier, message, bytes), TWOLEG_NONE);
        assert_int_equal(verifier_check(verifier, STR("other"), bytes), TWOLEG_TOKEN_FORGED);
        before = signature;
    }
    signer_free(&signer);
    verifier_free(&verifier);
}

static void der_keeps_the_key(void **state)
{
    (void)state;
    char memory[SIGN_KEY_DER_MAX];
    struct buf out;
    struct sign_key *key = sign_new_key();
    struct sign_key *again = NULL;
    buf_init(&out, memory, sizeof memory);
    assert_int_equal(sign_key_to_der(key, &out), TWOLEG_NONE);
    assert_int_equal(sign_key_from_der(sign_algorithm_es256(), buf_str(&out), &again),
                     TWOLEG_NONE);
    struct public_key one = *sign_key_public(key);
    struct public_key two = *sign_key_public(again);
    assert_memory_equal(&one, &two, sizeof one);
    struct signer *signer = NULL;
    struct signature signature;
    assert_int_equal(signer_create(again, &signer), TWOLEG_NONE);
    assert_int_equal(signer_sign(signer, STR("m"), &signature), TWOLEG_NONE);
    struct verifier_ctx *verifier = sign_verifier(&one);
    assert_int_equal(verifier_check(verifier, STR("m"), str_of(signature.bytes, signature.len)),
                     TWOLEG_NONE);
    verifier_free(&verifier);
    signer_free(&signer);
    sign_key_free(&again);
    sign_key_free(&key);
    struct buf small;
    buf_init(&small, memory, 16);
    key = sign_new_key();
    assert_int_equal(sign_key_to_der(key, &small), TWOLEG_TOO_LONG);
    sign_key_free(&key);
}

// D4: a private key that was tampered with is refused, or is the same key still.
static void D4_truncated_extended_and_flipped_der_is_refused(void **state)
{
    (void)state;
    char memory[SIGN_KEY_DER_MAX];
    struct buf out;
    struct sign_key *key = sign_new_key();
    struct public_key point = *sign_key_public(key);
    struct sign_key *bad = NULL;
    const struct sign_algorithm *es256 = sign_algorithm_es256();
    buf_init(&out, memory, sizeof memory);
    assert_int_equal(sign_key_to_der(key, &out), TWOLEG_NONE);
    sign_key_free(&key);
    for (size_t len = 0; len < out.len; len++)
        assert_int_equal(sign_key_from_der(es256, str_of(memory, len), &bad), TWOLEG_MALFORMED);
    memory[out.len] = 0;
    assert_int_equal(sign_key_from_der(es256, str_of(memory, out.len + 1), &bad),
                     TWOLEG_MALFORMED);
    for (size_t bit = 0; bit < 8 * out.len; bit += 3) {
        memory[bit / 8] = (char)(memory[bit / 8] ^ (1 << bit % 8));
        if (sign_key_from_der(es256, buf_str(&out), &bad) == TWOLEG_NONE) {
            struct public_key other = *sign_key_public(bad);
            assert_memory_equal(&other, &point, sizeof point);
            sign_key_free(&bad);
        }
        assert_null(bad);
        memory[bit / 8] = (char)(memory[bit / 8] ^ (1 << bit % 8));
    }
}

// PKCS#8 of Ed25519 (RFC 8410 10.3): a good key, but not of this row.
static void key_of_another_algorithm_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct sign_key *key = NULL;
    struct str der = hex_read("302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad"
                              "3afe7c28cbf1d4fbe097a88f44755842",
                              bytes, sizeof bytes);
    assert_int_equal(sign_key_from_der(sign_algorithm_es256(), der, &key), TWOLEG_MALFORMED);
    assert_null(key);
}

#define PKCS8_P256 "301306072a8648ce3d020106082a8648ce3d030107"
#define PKCS8_K256 "301006072a8648ce3d020106052b8104000a"
#define PKCS8_NUMBER "0201010420000000000000000000000000000000001234567890abcdef1234567890abcdef"
#define PKCS8_NAMES_P256 "a00a06082a8648ce3d030107"
#define PKCS8_NAMES_K256 "a00706052b8104000a"
#define PKCS8_POINT_P256                                                                          \
    "a14403420004f9ebe464147cc102d92324d099d927c1a50e42d57a08a116ffec0a29819d8c65"                 \
    "70baf7d12888902a6a0c1d67add103123c859ab69bf8e9431c9384930d4b7eee"
#define PKCS8_POINT_K256                                                                          \
    "a144034200049377c312145a5afb911bf9e8c067bcf6094c533603687850df502b61290bbf5e"                 \
    "742ba607d6ae1fc82dcccb176e7c8f9bdc7bb61e3ab527cecaf6144b679779fb"

// RFC 5208, RFC 5915. Made by another library; the curve is named twice, and either may be wrong.
static void D4_a_key_whose_curves_differ_is_refused(void **state)
{
    static const struct {
        const char *der;
        enum twoleg_error want;
    } rows[] = {
        {"308193020100" PKCS8_P256 "04793077" PKCS8_NUMBER PKCS8_NAMES_P256 PKCS8_POINT_P256,
         TWOLEG_NONE},
        {"3041020100" PKCS8_P256 "04273025" PKCS8_NUMBER, TWOLEG_NONE}, // the point follows from it
        {"308190020100" PKCS8_P256 "04763074" PKCS8_NUMBER PKCS8_NAMES_K256 PKCS8_POINT_K256,
         TWOLEG_MALFORMED},
        {"308190020100" PKCS8_K256 "04793077" PKCS8_NUMBER PKCS8_NAMES_P256 PKCS8_POINT_P256,
         TWOLEG_MALFORMED},
        {"308187020100" PKCS8_P256 "046d306b" PKCS8_NUMBER PKCS8_POINT_K256, TWOLEG_MALFORMED},
        {"308194020100" PKCS8_P256 "047a3077" PKCS8_NUMBER PKCS8_NAMES_P256 PKCS8_POINT_P256 "00",
         TWOLEG_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[SIGN_KEY_DER_MAX];
        struct sign_key *key = NULL;
        struct str der = hex_read(rows[i].der, bytes, sizeof bytes);
        assert_int_equal(sign_key_from_der(sign_algorithm_es256(), der, &key), rows[i].want);
        assert_int_equal(key != NULL, rows[i].want == TWOLEG_NONE);
        sign_key_free(&key);
    }
}

static void points_off_the_curve_are_refused(void **state)
{
    (void)state;
    struct verify_key *key = NULL;
    struct public_key zero = {.first.len = 32, .second.len = 32};
    const struct sign_algorithm *es256 = sign_algorithm_es256();
    assert_int_equal(verify_key_create(es256, &zero, &key), TWOLEG_MALFORMED);
    struct public_key point = {.first.len = 32, .second.len = 32};
    memset(point.first.bytes, 0xff, 32);
    memset(point.second.bytes, 0xff, 32);
    assert_int_equal(verify_key_create(es256, &point, &key), TWOLEG_MALFORMED);
    memset(&point, 0, sizeof point);
    for (unsigned bit = 0; bit < 256; bit += 7) {
        point.first.len = hex_read(SIGN_X, point.first.bytes, EC_COORDINATE_SIZE).len;
        point.second.len = hex_read(SIGN_Y, point.second.bytes, EC_COORDINATE_SIZE).len;
        point.second.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(verify_key_create(es256, &point, &key), TWOLEG_MALFORMED);
    }
    assert_null(key);
    point.second.len = hex_read(SIGN_Y, point.second.bytes, EC_COORDINATE_SIZE).len;
    assert_int_equal(verify_key_create(es256, &point, &key), TWOLEG_NONE);
    struct public_key same = *verify_key_public(key);
    assert_memory_equal(&same, &point, sizeof point);
    assert_ptr_equal(verify_key_algorithm(key), es256);
    verify_key_free(&key);
}

static void C1_C2_the_table_has_neither_none_nor_macs(void **state)
{
    (void)state;
    static const char *const absent[] = {"none",  "None",   "NONE",   "HS256", "HS384", "HS512",
                                         "es256", "ES256 ", "ES256K", "",      "dir"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_null(sign_algorithm_find(str_from(absent[i])));
    assert_null(sign_algorithm_find(STR("ES256\0")));
    assert_ptr_equal(sign_algorithm_find(STR("ES256")), sign_algorithm_es256());
}

static void failures_leave_results_untouched(void **state)
{
    (void)state;
    struct sign_key *key = NULL;
    struct signer *signer = NULL;
    struct verify_key *public_key = NULL;
    struct verifier_ctx *verifier = NULL;
    fault_arm(FAULT_MEMORY, 1, true);
    assert_int_equal(sign_key_create(sign_algorithm_es256(), &key), TWOLEG_NO_MEMORY);
    assert_null(key);
    fault_arm(FAULT_MEMORY, 0, false);
    key = sign_new_key();
    struct public_key point = *sign_key_public(key);
    fault_arm(FAULT_MEMORY, 1, true);
    assert_int_equal(signer_create(key, &signer), TWOLEG_NO_MEMORY);
    assert_int_equal(verify_key_create(sign_algorithm_es256(), &point, &public_key),
                     TWOLEG_NO_MEMORY);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_null(signer);
    assert_null(public_key);
    assert_int_equal(verify_key_create(sign_algorithm_es256(), &point, &public_key),
                     TWOLEG_NONE);
    fault_arm(FAULT_MEMORY, 1, true);
    assert_int_equal(verifier_create(public_key, &verifier), TWOLEG_NO_MEMORY);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_null(verifier);
    verify_key_free(&public_key);
    sign_key_free(&key);
    sign_key_free(&key); // and nothing accepted
    signer_free(&signer);
    verifier_free(&verifier);
}

// Each allocation of the library in turn: a key is made and written, or there was no memory.
static void H6_without_memory_no_key_is_made(void **state)
{
    (void)state;
    unsigned long nth = 0;
    unsigned lacked = 0;
    for (bool met = true; met; lacked += met) {
        struct sign_key *made = NULL;
        char memory[SIGN_KEY_DER_MAX];
        struct buf der;
        buf_init(&der, memory, sizeof memory);
        fault_arm(FAULT_LIBRARY, ++nth, false);
        enum twoleg_error error = sign_key_create(sign_algorithm_es256(), &made);
        if (!error)
            error = sign_key_to_der(made, &der);
        met = fault_count(FAULT_LIBRARY) >= nth;
        fault_arm(FAULT_LIBRARY, 0, false);
        if (error && error != TWOLEG_NO_MEMORY)
            fail_msg("allocation %lu: %s", nth, twoleg_error_name(error));
        assert_true(met || !error);
        sign_key_free(&made);
    }
    assert_true(lacked > 20);
}

static void D8_no_randomness_no_signature(void **state)
{
    (void)state;
    struct sign_key *key = sign_new_key();
    struct signer *signer = NULL;
    struct signature signature = {0};
    assert_int_equal(signer_create(key, &signer), TWOLEG_NONE);
    fault_arm(FAULT_RANDOM, 1, false);
    assert_int_equal(signer_sign(signer, STR("m"), &signature), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    assert_int_equal(signature.len, 0);
    assert_int_equal(signer_sign(signer, STR("m"), &signature), TWOLEG_NONE); // and recovers
    struct sign_key *none = NULL;
    fault_arm(FAULT_RANDOM, 1, false);
    assert_int_equal(sign_key_create(sign_algorithm_es256(), &none), TWOLEG_NO_RANDOM);
    fault_arm(FAULT_RANDOM, 0, false);
    assert_null(none);
    signer_free(&signer);
    sign_key_free(&key);
}

// Parent and child make a key from the same point in the buffer on.
static void D9_a_child_has_randomness_of_its_own(void **state)
{
    (void)state;
    struct sign_key *keys[2] = {NULL, NULL};
    int ends[2];
    struct public_key theirs, ours;
    keys[0] = sign_new_key(); // fills this thread's buffer
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool made = sign_key_create(sign_algorithm_es256(), &keys[1]) == TWOLEG_NONE;
        struct public_key point = made ? *sign_key_public(keys[1]) : (struct public_key){0};
        _exit(write(ends[1], &point, sizeof point) == (ssize_t)sizeof point ? 0 : 1);
    }
    keys[1] = sign_new_key();
    ours = *sign_key_public(keys[1]);
    assert_int_equal(read(ends[0], &theirs, sizeof theirs), sizeof theirs);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_memory_not_equal(&ours, &theirs, sizeof ours);
    close(ends[0]);
    close(ends[1]);
    sign_key_free(&keys[0]);
    sign_key_free(&keys[1]);
}

static int sign_start(void **state)
{
    (void)state;
    return (int)crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6979_a_2_5_verifies_and_under_no_other_key),
        cmocka_unit_test(C12_r_or_s_out_of_range_are_refused),
        cmocka_unit_test(C12_der_and_other_lengths_are_refused),
        cmocka_unit_test(C12_the_other_s_is_accepted_as_documented),
        cmocka_unit_test(C15_every_flipped_bit_of_a_signature_is_refused),
        cmocka_unit_test(signs_what_verifies_many_times_with_one_context),
        cmocka_unit_test(der_keeps_the_key),
        cmocka_unit_test(D4_truncated_extended_and_flipped_der_is_refused),
        cmocka_unit_test(key_of_another_algorithm_is_refused),
        cmocka_unit_test(D4_a_key_whose_curves_differ_is_refused),
        cmocka_unit_test(points_off_the_curve_are_refused),
        cmocka_unit_test(C1_C2_the_table_has_neither_none_nor_macs),
        cmocka_unit_test(failures_leave_results_untouched),
        cmocka_unit_test(H6_without_memory_no_key_is_made),
        cmocka_unit_test(D8_no_randomness_no_signature),
        cmocka_unit_test(D9_a_child_has_randomness_of_its_own),
    };
    return cmocka_run_group_tests(tests, sign_start, NULL);
}
