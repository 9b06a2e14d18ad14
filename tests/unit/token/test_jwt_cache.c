// SPDX-License-Identifier: Apache-2.0
// The cache of verified signatures: it gives back what was put in, for the same bytes under the
// same key set, or nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "token/format.h"

#define KEYS ((uint64_t)9)

// Digests that differ in their last byte fall into the same set.
static struct sha256 digest_of(uint8_t set, uint8_t rest)
{
    struct sha256 digest = {.bytes = {[0] = set, [31] = rest}};
    return digest;
}

static void put(struct jwt_cache *cache, uint8_t set, uint8_t rest, uint64_t keys)
{
    struct sha256 digest = digest_of(set, rest);
    struct token_record record = {.application = rest, .scope = STR("sms")};
    jwt_cache_put(cache, &digest, keys, &record);
}

static uint64_t find(struct jwt_cache *cache, uint8_t set, uint8_t rest, uint64_t keys)
{
    struct arena arena;
    struct sha256 digest = digest_of(set, rest);
    struct token_record record = {.application = 12345};
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    bool found = jwt_cache_find(cache, &digest, keys, &arena, &record);
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
    struct jwt_cache *cache = jwt_cache_create(16); // two sets of eight
    put(cache, 2, 200, KEYS);
    for (uint8_t i = 1; i <= 8; i++)
        put(cache, 1, i, KEYS);
    for (uint8_t i = 1; i <= 8; i++)
        assert_int_equal(find(cache, 1, i, KEYS), i);
    put(cache, 1, 9, KEYS);
    put(cache, 1, 10, KEYS);
    for (uint8_t i = 1; i <= 10; i++)
        assert_int_equal(find(cache, 1, i, KEYS), i <= 2 ? 0 : i);
    assert_int_equal(find(cache, 2, 200, KEYS), 200);
    jwt_cache_destroy(cache);
}

static void another_digest_or_key_set_finds_nothing(void **state)
{
    (void)state;
    struct jwt_cache *cache = jwt_cache_create(8);
    assert_int_equal(find(cache, 0, 0, KEYS), 0); // the digest of nothing, in an empty cache
    put(cache, 1, 1, KEYS);
    assert_int_equal(find(cache, 1, 1, KEYS + 1), 0);
    assert_int_equal(find(cache, 1, 7, KEYS), 0);
    assert_int_equal(find(cache, 3, 1, KEYS), 0);
    assert_int_equal(find(cache, 1, 1, KEYS), 1);
    jwt_cache_destroy(cache);
}

// The smallest one works too.
static void every_bit_of_the_digest_counts(void **state)
{
    (void)state;
    struct arena arena;
    struct token_record record;
    struct jwt_cache *cache = jwt_cache_create(2);
    put(cache, 1, 1, KEYS);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    for (unsigned bit = 0; bit < 256; bit++) {
        struct sha256 digest = digest_of(1, 1);
        digest.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(jwt_cache_find(cache, &digest, KEYS, &arena, &record));
    }
    arena_finish(&arena);
    jwt_cache_destroy(cache);
}

static void a_scope_up_to_its_limit_is_kept_whole(void **state)
{
    (void)state;
    struct arena arena;
    char scope[129];
    memset(scope, 's', sizeof scope);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct jwt_cache *cache = jwt_cache_create(8);
    static const struct {
        size_t len;
        bool kept;
    } rows[] = {{0, true}, {1, true}, {128, true}, {129, false}};
    for (uint8_t i = 0; i < 4; i++) {
        struct sha256 digest = digest_of(i, 1);
        struct token_record found, record = {.scope = {rows[i].len ? scope : NULL, rows[i].len}};
        jwt_cache_put(cache, &digest, KEYS, &record);
        assert_int_equal(jwt_cache_find(cache, &digest, KEYS, &arena, &found), rows[i].kept);
        if (rows[i].kept)
            assert_true(str_equal(found.scope, record.scope));
    }
    jwt_cache_destroy(cache);
    arena_finish(&arena);
}

static void what_was_found_outlives_the_entry(void **state)
{
    (void)state;
    struct arena arena;
    struct token_record record;
    struct sha256 digest = digest_of(1, 1);
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct jwt_cache *cache = jwt_cache_create(2);
    put(cache, 1, 1, KEYS);
    assert_true(jwt_cache_find(cache, &digest, KEYS, &arena, &record));
    jwt_cache_destroy(cache);
    assert_true(str_equal(record.scope, STR("sms")));
    arena_finish(&arena);
}

static void without_memory_for_the_copy_nothing_is_found(void **state)
{
    (void)state;
    struct arena none;
    struct token_record record;
    struct sha256 digest = digest_of(1, 1);
    arena_init(&none, NULL, 0);
    struct jwt_cache *cache = jwt_cache_create(2);
    put(cache, 1, 1, KEYS);
    assert_false(jwt_cache_find(cache, &digest, KEYS, &none, &record));
    jwt_cache_destroy(cache);
    arena_finish(&none);
    jwt_cache_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_of_a_full_set_makes_room),
        cmocka_unit_test(another_digest_or_key_set_finds_nothing),
        cmocka_unit_test(every_bit_of_the_digest_counts),
        cmocka_unit_test(a_scope_up_to_its_limit_is_kept_whole),
        cmocka_unit_test(what_was_found_outlives_the_entry),
        cmocka_unit_test(without_memory_for_the_copy_nothing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
