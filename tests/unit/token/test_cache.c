// SPDX-License-Identifier: Apache-2.0
// The cache of what reading tokens has found: it gives back what was put in, for the same bytes
// under the same key set, or nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "token/format.h"

#define KEYS ((uint64_t)9)

// A short text in the place of a token.
static struct str text_of(uint8_t which, char memory[static 8])
{
    memcpy(memory, "a.b.c.\0", 8);
    memory[7] = (char)which;
    return str_of(memory, 8);
}

static void put(struct token_cache *cache, uint8_t which, uint64_t keys)
{
    char memory[8];
    struct token_record record = {.application = which, .scope = STR("sms")};
    token_cache_put(cache, text_of(which, memory), keys, &record);
}

static uint64_t find(struct token_cache *cache, uint8_t which, uint64_t keys)
{
    char memory[8];
    struct arena arena;
    struct token_record record = {.application = 12345};
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    bool found = token_cache_find(cache, text_of(which, memory), keys, &arena, &record);
    if (found)
        assert_true(str_equal(record.scope, STR("sms")));
    else
        assert_int_equal(record.application, 12345);
    arena_finish(&arena);
    return found ? record.application : 0;
}

static void the_oldest_of_a_full_set_makes_room(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_create(8); // one set
    for (uint8_t i = 1; i <= 8; i++)
        put(cache, i, KEYS);
    for (uint8_t i = 1; i <= 8; i++)
        assert_int_equal(find(cache, i, KEYS), i);
    put(cache, 9, KEYS);
    put(cache, 10, KEYS);
    for (uint8_t i = 1; i <= 10; i++)
        assert_int_equal(find(cache, i, KEYS), i <= 2 ? 0 : i);
    token_cache_destroy(cache);
}

static void a_large_one_keeps_what_was_put_last(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_create(64);
    for (unsigned i = 1; i < 256; i++) {
        put(cache, (uint8_t)i, KEYS);
        assert_int_equal(find(cache, (uint8_t)i, KEYS), i);
    }
    unsigned kept = 0;
    for (unsigned i = 1; i < 256; i++)
        kept += find(cache, (uint8_t)i, KEYS) != 0;
    assert_in_range(kept, 8, 64);
    token_cache_destroy(cache);
}

static void another_text_or_key_set_finds_nothing(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_create(8);
    assert_int_equal(find(cache, 0, KEYS), 0);
    assert_int_equal(find(cache, 0, 0), 0); // what a free place looks like
    put(cache, 1, KEYS);
    assert_int_equal(find(cache, 1, KEYS + 1), 0);
    assert_int_equal(find(cache, 1, KEYS - 1), 0);
    assert_int_equal(find(cache, 2, KEYS), 0);
    assert_int_equal(find(cache, 1, KEYS), 1);
    token_cache_destroy(cache);
}

// The smallest one works too.
static void every_bit_of_the_text_counts(void **state)
{
    (void)state;
    char memory[8];
    struct arena arena;
    struct token_record record;
    struct token_cache *cache = token_cache_create(2);
    put(cache, 1, KEYS);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct str text = text_of(1, memory);
        memory[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(token_cache_find(cache, text, KEYS, &arena, &record));
    }
    for (size_t len = 0; len < 8; len++)
        assert_false(
            token_cache_find(cache, str_slice(text_of(1, memory), 0, len), KEYS, &arena, &record));
    arena_finish(&arena);
    token_cache_destroy(cache);
}

static void a_scope_up_to_its_limit_is_kept_whole(void **state)
{
    (void)state;
    struct arena arena;
    char scope[257];
    memset(scope, 's', sizeof scope);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct token_cache *cache = token_cache_create(8);
    static const struct {
        size_t len;
        bool kept;
    } rows[] = {{0, true}, {1, true}, {256, true}, {257, false}};
    for (uint8_t i = 0; i < 4; i++) {
        char memory[8];
        struct str text = text_of(i, memory);
        struct token_record found, record = {.scope = {rows[i].len ? scope : NULL, rows[i].len}};
        token_cache_put(cache, text, KEYS, &record);
        assert_int_equal(token_cache_find(cache, text, KEYS, &arena, &found), rows[i].kept);
        if (rows[i].kept)
            assert_true(str_equal(found.scope, record.scope));
    }
    token_cache_destroy(cache);
    arena_finish(&arena);
}

static void what_was_found_outlives_the_entry(void **state)
{
    (void)state;
    struct arena arena;
    struct token_record record;
    char memory[8];
    struct str text = text_of(1, memory);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct token_cache *cache = token_cache_create(2);
    put(cache, 1, KEYS);
    assert_true(token_cache_find(cache, text, KEYS, &arena, &record));
    token_cache_destroy(cache);
    assert_true(str_equal(record.scope, STR("sms")));
    arena_finish(&arena);
}

static void without_memory_for_the_copy_nothing_is_found(void **state)
{
    (void)state;
    struct arena none;
    struct token_record record;
    char memory[8];
    struct str text = text_of(1, memory);
    arena_init(&none, NULL, 0);
    struct token_cache *cache = token_cache_create(2);
    put(cache, 1, KEYS);
    assert_false(token_cache_find(cache, text, KEYS, &none, &record));
    token_cache_destroy(cache);
    arena_finish(&none);
    token_cache_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_of_a_full_set_makes_room),
        cmocka_unit_test(a_large_one_keeps_what_was_put_last),
        cmocka_unit_test(another_text_or_key_set_finds_nothing),
        cmocka_unit_test(every_bit_of_the_text_counts),
        cmocka_unit_test(a_scope_up_to_its_limit_is_kept_whole),
        cmocka_unit_test(what_was_found_outlives_the_entry),
        cmocka_unit_test(without_memory_for_the_copy_nothing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
