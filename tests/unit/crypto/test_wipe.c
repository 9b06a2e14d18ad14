// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "crypto/wipe.h"
#include "unit/crypto/memory_flags.h"

static void wipe_takes_nothing_too(void **state)
{
    (void)state;
    char text[8] = "secret!";
    wipe(text, sizeof text);
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0", sizeof text);
    wipe(NULL, 0);
    secret_bytes_finish(NULL);
}

static void secret_is_wiped_at_the_end_of_its_block(void **state)
{
    (void)state;
    static const struct secret_bytes zero;
    struct secret_bytes secret = {.bytes = "abc", .len = 3};
    secret_bytes_finish(&secret);
    assert_memory_equal(&secret, &zero, sizeof zero);
}

// AddressSanitizer replaces mlock by a function that does nothing and says yes.
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_LOCK_IS_REAL false
#elif defined(__has_feature)
#define MEMORY_LOCK_IS_REAL (!__has_feature(address_sanitizer))
#else
#define MEMORY_LOCK_IS_REAL true
#endif

static void D7_secret_memory_stays_out_of_dumps_children_and_swap(void **state)
{
    (void)state;
    uint8_t *memory = secret_memory_alloc(5000);
    assert_non_null(memory);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(memory[i], 0);
    memory[4999] = 1;
    assert_true(memory_has_flag(memory, " dd"));
    assert_true(memory_has_flag(memory, " dc"));
    if (MEMORY_LOCK_IS_REAL)
        assert_int_equal(memory_has_flag(memory, " lo"), secret_memory_is_locked());
    secret_memory_free(memory, 5000);
}

static void D7_small_memlock_limit_is_reported_not_fatal(void **state)
{
    (void)state;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &old), 0);
    struct rlimit none = {0, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    void *memory = secret_memory_alloc(32);
    assert_non_null(memory);
    if (MEMORY_LOCK_IS_REAL && geteuid() != 0) // root may lock without limit
        assert_false(secret_memory_is_locked());
    if (MEMORY_LOCK_IS_REAL)
        assert_int_equal(memory_has_flag(memory, " lo"), secret_memory_is_locked());
    secret_memory_free(memory, 32);
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &old), 0);
}

static void no_size_and_no_memory_are_refused(void **state)
{
    (void)state;
    assert_null(secret_memory_alloc(0));
    assert_null(secret_memory_alloc(SIZE_MAX));
    fault_arm(FAULT_MEMORY, 1, false);
    assert_null(secret_memory_alloc(32));
    fault_arm(FAULT_MEMORY, 0, false);
    secret_memory_free(NULL, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wipe_takes_nothing_too),
        cmocka_unit_test(secret_is_wiped_at_the_end_of_its_block),
        cmocka_unit_test(D7_secret_memory_stays_out_of_dumps_children_and_swap),
        cmocka_unit_test(D7_small_memlock_limit_is_reported_not_fatal),
        cmocka_unit_test(no_size_and_no_memory_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
