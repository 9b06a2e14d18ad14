// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "base/arena.h"
#include "base_test.h"

static void everything_is_appended(void **state)
{
    (void)state;
    char memory[128];
    struct buf buf;
    buf_init(&buf, memory, sizeof memory);
    buf_add(&buf, STR("a"));
    buf_add(&buf, STR_NONE);
    buf_add_char(&buf, ' ');
    buf_add_u64(&buf, UINT64_MAX);
    buf_add_char(&buf, ' ');
    buf_add_i64(&buf, INT64_MIN);
    buf_add_char(&buf, ' ');
    buf_add_hex(&buf, "\x00\xaf", 2);
    buf_addf(&buf, " %d", 42);
    check_str(buf_str(&buf), "a 18446744073709551615 -9223372036854775808 00af 42");
}

static void numbers_in_network_order(void **state)
{
    (void)state;
    char memory[12];
    struct buf buf;
    buf_init(&buf, memory, sizeof memory);
    buf_add_be(&buf, UINT64_C(0x0102030405060708), 8);
    buf_add_be(&buf, 0xaabbccdd, 4);
    assert_false(buf.failed);
    assert_memory_equal(memory, "\1\2\3\4\5\6\7\10\xaa\xbb\xcc\xdd", 12);
}

static void an_error_sticks(void **state)
{
    (void)state;
    char memory[4] = "....";
    struct buf buf;
    buf_init(&buf, memory, 3);
    buf_add(&buf, STR("abcd"));
    buf_add(&buf, STR("x"));
    assert_true(buf.failed);
    assert_null(buf_str(&buf).ptr);
    assert_int_equal(memory[3], '.');
    buf_init(&buf, memory, 3);
    buf_add(&buf, STR("abc"));
    check_str(buf_str(&buf), "abc");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
}

static void format_wants_room_for_its_nul(void **state)
{
    (void)state;
    char memory[3];
    struct buf buf;
    buf_init(&buf, memory, sizeof memory);
    buf_addf(&buf, "%s", "ab");
    check_str(buf_str(&buf), "ab");
    // A fixed buffer has no place for the NUL behind three: refused, not cut.
    buf_init(&buf, memory, sizeof memory);
    buf_addf(&buf, "%s", "abc");
    assert_true(buf.failed);
}

static void grows_in_an_arena_up_to_its_cap(void **state)
{
    (void)state;
    struct arena arena;
    struct buf buf;
    arena_init(&arena, NULL, 16384);
    buf_init_arena(&buf, &arena, 16);
    for (int i = 0; i < 3000; i++)
        buf_add_char(&buf, (char)('a' + i % 26));
    assert_int_equal(buf_str(&buf).len, 3000);
    assert_int_equal(buf.ptr[2999], 'a' + 2999 % 26);
    for (int i = 0; i < 30000; i++)
        buf_add_char(&buf, 'x');
    assert_true(buf.failed);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_appended),
        cmocka_unit_test(numbers_in_network_order),
        cmocka_unit_test(an_error_sticks),
        cmocka_unit_test(format_wants_room_for_its_nul),
        cmocka_unit_test(grows_in_an_arena_up_to_its_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
