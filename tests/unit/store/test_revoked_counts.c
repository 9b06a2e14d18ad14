// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/revoked_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

#include "base/fault.h"

// One place for each number would be shared by some of them; here all are of one place.
#define NUMBER(i) (1 + ((uint64_t)(i) << 32))

static void every_application_keeps_its_own(void **state)
{
    struct revoked_counts counts = {0};
    (void)state;
    for (int64_t i = 0; i < 2000; i++) {
        struct revoked_count *count = revoked_counts_find(&counts, NUMBER(i));
        assert_int_equal(count->live, -1);
        assert_int_equal(count->kept, -1);
        *count = (struct revoked_count){.application = NUMBER(i), .live = i, .kept = 2 * i};
    }
    for (int64_t i = 0; i < 2000; i++) {
        struct revoked_count *count = revoked_counts_find(&counts, NUMBER(i));
        assert_int_equal(count->live, i);
        assert_int_equal(count->kept, 2 * i);
    }
    revoked_counts_clear(&counts);
    assert_int_equal(revoked_counts_find(&counts, NUMBER(7))->kept, -1);
    revoked_counts_clear(&counts);
}

static void memory_is_bounded(void **state)
{
    struct revoked_counts counts = {0};
    size_t most = 0;
    (void)state;
    for (uint64_t i = 1; i <= 3 * REVOKED_COUNTS_MAX; i++) {
        struct revoked_count *count = revoked_counts_find(&counts, i);
        assert_int_equal(count->kept, -1);
        count->kept = 5;
        assert_int_equal(revoked_counts_find(&counts, i)->kept, 5);
        most = counts.size > most ? counts.size : most;
    }
    assert_int_equal(most, REVOKED_COUNTS_MAX);
    revoked_counts_clear(&counts);
}

static void without_memory_the_last_one_is_known(void **state)
{
    struct revoked_counts counts = {0};
    (void)state;
    fault_arm(FAULT_MEMORY, 1, true);
    for (uint64_t i = 1; i < 10; i++) {
        revoked_counts_find(&counts, i)->kept = 5;
        assert_int_equal(revoked_counts_find(&counts, i)->kept, 5);
        assert_int_equal(revoked_counts_find(&counts, i)->application, i);
    }
    assert_int_equal(revoked_counts_find(&counts, 1)->kept, -1);
    fault_arm(FAULT_MEMORY, 0, false);
    revoked_counts_clear(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_application_keeps_its_own),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(without_memory_the_last_one_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
