// SPDX-License-Identifier: Apache-2.0
// Rows D9 and D10: two processes that came of one, whose randomness had begun already, make ids of
// tokens from the same state on. None comes twice, and they are even. Only ids: the keys do not
// come along to a child (D7), so that it could not issue. An argument says how many in all:
// tests/long/tokens.
#include <sys/mman.h>
#include <sys/wait.h>

#include "token_test.h"

#include "crypto/init.h"

#define PROCESSES 2
#define EVEN 7.0 // standard deviations

static size_t random_count = 40000;

// What a process has seen, in memory that both share.
struct seen {
    uint64_t cells[TOKEN_ID_LEN][256];
    uint64_t ids[]; // the beginnings of the tokens' ids
};

static struct seen *seen_create(size_t count)
{
    void *memory = mmap(NULL, sizeof(struct seen) + count * sizeof(uint64_t),
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void seen_make(struct test_tokens *t, struct seen *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct token_record record;
        assert_int_equal(token_record_make(&t->context, &t->decision, &record), TWOLEG_NONE);
        memcpy(&seen->ids[i], record.id.bytes, sizeof seen->ids[i]);
        for (size_t j = 0; j < TOKEN_ID_LEN; j++)
            seen->cells[j][(uint8_t)record.id.bytes[j]]++;
    }
}

static int seen_compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

static void seen_no_id_twice(struct seen *const seen[PROCESSES], size_t each)
{
    uint64_t *all = malloc(PROCESSES * each * sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < PROCESSES; i++)
        memcpy(all + i * each, seen[i]->ids, each * sizeof *all);
    qsort(all, PROCESSES * each, sizeof *all, seen_compare);
    for (size_t i = 1; i < PROCESSES * each; i++)
        if (all[i] == all[i - 1])
            fail_msg("two ids of %zu are one", PROCESSES * each);
    free(all);
}

// Chi-square of each byte's place, 255 degrees of freedom: its mean is 255, its variance 510.
static void seen_is_even(struct seen *const seen[PROCESSES], size_t each)
{
    double expected = (double)(PROCESSES * each) / 256;
    for (size_t j = 0; j < TOKEN_ID_LEN; j++) {
        double chi = 0;
        for (size_t value = 0; value < 256; value++) {
            double off = -expected;
            for (size_t i = 0; i < PROCESSES; i++)
                off += (double)seen[i]->cells[j][value];
            chi += off * off / expected;
        }
        double z = (chi - 255) / 22.583;
        if (z > EVEN || z < -EVEN)
            fail_msg("byte %zu of the ids: chi-square %.0f", j, chi);
    }
}

static void D9_D10_two_processes_make_no_id_twice_and_ids_are_even(void **state)
{
    struct test_tokens *t = *state;
    size_t each = random_count / PROCESSES;
    struct seen *seen[PROCESSES] = {seen_create(each), seen_create(each)};
    _Static_assert(8 * TOKEN_ID_LEN >= 128, "there is no guessing a token");
    assert_int_equal(crypto_init(), TWOLEG_NONE); // as each program begins
    (void)tokens_issue(t, FORMAT_SEALED);         // the randomness at hand is begun, not used up
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        seen_make(t, seen[1], each);
        _exit(0);
    }
    seen_make(t, seen[0], each);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    seen_no_id_twice(seen, each);
    seen_is_even(seen, each);
    for (size_t i = 0; i < PROCESSES; i++)
        munmap(seen[i], sizeof *seen[i] + each * sizeof seen[i]->ids[0]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TOKENS(D9_D10_two_processes_make_no_id_twice_and_ids_are_even),
    };
    if (argc > 1)
        random_count = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
