// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "base/fault.h"
#include "base_test.h"

static void memory_is_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    char *before = NULL;
    for (size_t size = 1; size < 600; size += 7) {
        char *at = arena_alloc(&arena, size);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 16, 0);
        assert_true(at != before);
        memset(at, 0xee, size);
        before = at;
    }
    arena_finish(&arena);
}

static void the_cap_holds(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 3 * ARENA_SLAB_SIZE);
    assert_null(arena_alloc(&arena, 3 * ARENA_SLAB_SIZE + 1));
    assert_true(arena.refused);
    size_t total = 0;
    while (arena_alloc(&arena, 256))
        total += 256;
    assert_true(total > ARENA_SLAB_SIZE && total <= 3 * ARENA_SLAB_SIZE);
    arena_finish(&arena);
    assert_false(arena.refused);
    assert_non_null(arena_alloc(&arena, 1));
    arena_finish(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 20));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_copy(&arena, str_of("", SIZE_MAX)).ptr);
    arena_finish(&arena);
}

static void a_big_piece_has_a_slab_of_its_own(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, 4);
    arena_init(&arena, &pool, ARENA_REQUEST_CAP);
    char *big = arena_array(&arena, 3, ARENA_SLAB_SIZE);
    assert_non_null(big);
    for (size_t i = 0; i < 3 * ARENA_SLAB_SIZE; i++)
        assert_int_equal(big[i], 0);
    arena_finish(&arena);
    assert_int_equal(pool.free_count, 0);
    arena_pool_finish(&pool);
}

static void slabs_go_round_and_no_more_than_kept(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, 2);
    arena_init(&arena, &pool, ARENA_REQUEST_CAP);
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&arena, 200));
    arena_finish(&arena);
    assert_int_equal(pool.free_count, 2);
    // The second request takes them without asking the system.
    fault_arm(FAULT_MEMORY, 1, true);
    assert_non_null(arena_alloc(&arena, 4000));
    assert_non_null(arena_alloc(&arena, 4000));
    assert_null(arena_alloc(&arena, 4000));
    fault_arm(FAULT_MEMORY, 0, false);
    arena_finish(&arena);
    arena_pool_finish(&pool);
}

static void what_held_a_secret_is_wiped(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, 1);
    arena_init(&arena, &pool, ARENA_REQUEST_CAP);
    arena.wipe = true;
    char *secret = arena_alloc(&arena, 64);
    memset(secret, 's', 64);
    arena_finish(&arena);
    char *again = arena_alloc(&arena, 64);
    assert_ptr_equal(again, secret);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(again[i], 0);
    arena_finish(&arena);
    arena_pool_finish(&pool);
}

static void the_newest_piece_can_be_shrunk(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, 1);
    arena_init(&arena, &pool, ARENA_REQUEST_CAP);
    arena.wipe = true;
    char *newest = arena_alloc(&arena, 2048);
    memset(newest, 's', 33);
    assert_true(arena_shrink(&arena, newest, 33));
    char *next = arena_alloc(&arena, 100);
    assert_ptr_equal(next, newest + 48);
    memset(next, 's', 100);
    assert_true(arena_shrink(&arena, next, 100)); // to what it has
    assert_ptr_equal(arena_alloc(&arena, 1), next + 112);
    char *big = arena_alloc(&arena, 2 * ARENA_SLAB_SIZE);
    assert_false(arena_shrink(&arena, big, 10));
    arena_finish(&arena);
    // All that was written is wiped, wherever the piece had ended.
    char *again = arena_alloc(&arena, 2048);
    assert_ptr_equal(again, newest);
    for (size_t i = 0; i < 148; i++)
        assert_int_equal(again[i], 0);
    arena_finish(&arena);
    assert_false(arena_shrink(&arena, again, 1));
    arena_pool_finish(&pool);
}

static void copies_end_with_a_nul(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct str copy = arena_copy(&arena, STR("abc"));
    check_str(copy, "abc");
    assert_int_equal(copy.ptr[3], 0);
    struct str none = arena_copy(&arena, STR_NONE);
    assert_int_equal(none.len, 0);
    assert_non_null(none.ptr);
    arena_finish(&arena);
}

// NULL means that memory is out: an empty text in a fresh arena is not that.
static void nothing_is_not_a_refusal(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_zalloc(&arena, 0));
    assert_false(arena.refused);
    arena_finish(&arena);
}

// A block that was outgrown does not stay until the end, and the slab before it stays in use.
static void a_big_piece_can_be_dropped(void **state)
{
    struct arena_pool pool;
    struct arena arena;
    (void)state;
    arena_pool_init(&pool, 1);
    arena_init(&arena, &pool, 4 * ARENA_SLAB_SIZE);
    char *small = arena_alloc(&arena, 16);
    for (int i = 0; i < 100; i++) {
        char *big = arena_alloc(&arena, 2 * ARENA_SLAB_SIZE);
        assert_non_null(big);
        memset(big, 'b', 2 * ARENA_SLAB_SIZE);
        arena_drop(&arena, big);
    }
    assert_ptr_equal(arena_alloc(&arena, 16), small + 16);
    arena_drop(&arena, small); // part of a slab
    assert_true(arena.total < ARENA_SLAB_SIZE);
    assert_int_equal(pool.released, 200 * ARENA_SLAB_SIZE);
    arena_finish(&arena);
    arena_pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_apart),
        cmocka_unit_test(the_cap_holds),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_big_piece_has_a_slab_of_its_own),
        cmocka_unit_test(a_big_piece_can_be_dropped),
        cmocka_unit_test(slabs_go_round_and_no_more_than_kept),
        cmocka_unit_test(what_held_a_secret_is_wiped),
        cmocka_unit_test(the_newest_piece_can_be_shrunk),
        cmocka_unit_test(copies_end_with_a_nul),
        cmocka_unit_test(nothing_is_not_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
