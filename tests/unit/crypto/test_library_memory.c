// SPDX-License-Identifier: Apache-2.0
#include "unit/crypto/hex.h"

#include <pthread.h>

#include "crypto/library_memory.h"
#include "unit/crypto/memory_flags.h"

static void blocks_come_back(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 32 * 1024; size = size * 2 + 1) {
        void *first = library_memory_alloc(size, NULL, 0);
        assert_non_null(first);
        assert_int_equal((uintptr_t)first % 16, 0);
        memset(first, 0xaa, size);
        library_memory_free(first, NULL, 0);
        assert_true(library_memory_kept() >= size);
        void *second = library_memory_alloc(size, NULL, 0);
        assert_ptr_equal(second, first);
        void *third = library_memory_alloc(size, NULL, 0);
        assert_ptr_not_equal(third, second);
        library_memory_free(second, NULL, 0);
        library_memory_free(third, NULL, 0);
    }
}

static void resize_keeps_the_content(void **state)
{
    (void)state;
    unsigned char *memory = library_memory_resize(NULL, 1, NULL, 0);
    assert_non_null(memory);
    memory[0] = 0;
    for (size_t size = 2; size < 10000; size += 37) {
        size_t before = size == 2 ? 1 : size - 37;
        memory = library_memory_resize(memory, size, NULL, 0);
        assert_non_null(memory);
        for (size_t i = 0; i < before; i++)
            assert_int_equal(memory[i], i % 251);
        for (size_t i = before; i < size; i++)
            memory[i] = (unsigned char)(i % 251);
    }
    assert_null(library_memory_resize(memory, 0, NULL, 0)); // frees
}

static void no_size_and_too_much_are_refused(void **state)
{
    (void)state;
    assert_null(library_memory_alloc(0, NULL, 0));
    assert_null(library_memory_alloc(SIZE_MAX, NULL, 0));
    library_memory_free(NULL, NULL, 0);
}

enum { BLOCKS = 1000 };

static void fill_and_free(size_t size)
{
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = library_memory_alloc(size, NULL, 0);
        assert_non_null(blocks[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        library_memory_free(blocks[i], NULL, 0);
}

static void what_is_kept_is_bounded(void **state)
{
    (void)state;
    size_t before = library_memory_kept();
    fill_and_free(40000); // is not kept
    assert_int_equal(library_memory_kept(), before);
    fill_and_free(1000);
    fill_and_free(4000);
    for (size_t size = 7000; size <= 32 * 1024; size *= 2)
        fill_and_free(size);
    assert_true(library_memory_kept() <= (32 + 3 * (8 + 16 + 32)) * 1024);
}

// The buffers of a TLS record are there again, however many connections were closed meanwhile.
static void records_are_kept_beside_many_others(void **state)
{
    (void)state;
    enum { READ = 16712, WRITE = 16584, SESSION = 7624 };
    fill_and_free(500);
    fill_and_free(SESSION);
    void *read = library_memory_alloc(READ, NULL, 0);
    void *write = library_memory_alloc(WRITE, NULL, 0);
    library_memory_free(write, NULL, 0);
    library_memory_free(read, NULL, 0);
    fill_and_free(500);
    fill_and_free(SESSION);
    void *again = library_memory_alloc(READ, NULL, 0);
    assert_ptr_equal(again, read);
    void *other = library_memory_alloc(WRITE, NULL, 0);
    assert_ptr_equal(other, write);
    library_memory_free(other, NULL, 0);
    library_memory_free(again, NULL, 0);
}

static void *memory_in_a_thread(void *block)
{
    library_memory_free(block, NULL, 0); // of another thread
    void *own = library_memory_alloc(300, NULL, 0);
    library_memory_free(own, NULL, 0);
    return (void *)library_memory_kept();
}

// The leak check of AddressSanitizer sees whether a thread's blocks go with it.
static void threads_give_back_at_their_end(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *kept;
        void *block = library_memory_alloc(100, NULL, 0);
        assert_int_equal(pthread_create(&thread, NULL, memory_in_a_thread, block), 0);
        assert_int_equal(pthread_join(thread, &kept), 0);
        assert_true((uintptr_t)kept >= 400);
    }
}

// What a key is made of stays in locked pages, wherever it is enlarged or freed.
static void D7_what_a_key_needs_is_locked_wherever_it_goes(void **state)
{
    (void)state;
    size_t kept = library_memory_kept();
    for (size_t size = 8; size <= 100 * 1000; size *= 3) {
        unsigned char *key;
        {
            LIBRARY_SECRET outer = library_secret_begin();
            {
                LIBRARY_SECRET inner = library_secret_begin();
            }
            key = library_memory_alloc(size, NULL, 0);
        }
        assert_non_null(key);
        assert_int_equal((uintptr_t)key % 16, 0);
        memset(key, 0xaa, size);
        assert_true(memory_has_flag(key, " dd"));
        void *other = library_memory_alloc(size, NULL, 0);
        assert_false(memory_has_flag(other, " dd"));
        library_memory_free(other, NULL, 0);
        kept = library_memory_kept();
        key = library_memory_resize(key, 2 * size, NULL, 0);
        assert_true(memory_has_flag(key, " dd"));
        assert_true(memory_has_flag(key + 2 * size - 1, " dd"));
        for (size_t i = 0; i < size; i++)
            assert_int_equal(key[i], 0xaa);
        library_memory_free(key, NULL, 0);
        assert_int_equal(library_memory_kept(), kept); // by no thread
    }
}

static void D7_what_a_key_left_is_wiped_and_used_again(void **state)
{
    (void)state;
    LIBRARY_SECRET secret = library_secret_begin();
    for (size_t size = 32; size <= 4096; size *= 2) {
        unsigned char *key = library_memory_alloc(size, NULL, 0);
        memset(key, 0xaa, size);
        library_memory_free(key, NULL, 0);
        unsigned char *next = library_memory_alloc(size, NULL, 0);
        assert_ptr_equal(next, key);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(next[i], 0);
        library_memory_free(next, NULL, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(resize_keeps_the_content),
        cmocka_unit_test(no_size_and_too_much_are_refused),
        cmocka_unit_test(records_are_kept_beside_many_others),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(threads_give_back_at_their_end),
        cmocka_unit_test(D7_what_a_key_needs_is_locked_wherever_it_goes),
        cmocka_unit_test(D7_what_a_key_left_is_wiped_and_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
