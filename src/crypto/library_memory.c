// SPDX-License-Identifier: Apache-2.0
#include "crypto/library_memory.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypto/wipe.h"

#define LIBRARY_SMALLEST 32
#define LIBRARY_SMALL 8                  // classes, 32 bytes to 4 KiB
#define LIBRARY_CLASSES 11               // with 8 to 32 KiB; still larger blocks are not kept
#define LIBRARY_KEEP ((size_t)32 * 1024) // small ones of a thread, in all
// Of each large class. A TLS connection has a buffer for records only while it reads or writes one,
// 17 KiB each, so one pair serves all connections of a thread; a handshake has a third of 22 KiB.
#define LIBRARY_KEEP_LARGE 3
#define LIBRARY_CHUNK ((size_t)64 * 1024) // of locked memory: 10 RSA keys

// In front of each block. The library wipes what is secret before it frees.
struct library_block {
    _Alignas(16) size_t size; // of what follows
    union {
        struct library_block *next; // of a block that is kept
        bool secret;                // of one in use: it lies in locked memory
    };
};

struct library_thread {
    struct library_block *free[LIBRARY_CLASSES];
    size_t kept; // bytes of the small ones
    size_t large[LIBRARY_CLASSES]; // blocks
    bool joined; // library_thread_end will come
    bool ended;  // it came: destructors of others may still free, but nothing is kept any more
    bool secret; // see library_secret_begin
};
static _Thread_local struct library_thread library_thread;
static pthread_key_t library_key;
static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_key_made;

// Small blocks of locked memory, for all threads: who makes a key is not who frees it. The pages
// are never given back, since keys come and go in the same shapes.
static struct {
    pthread_mutex_t lock;
    struct library_block *free[LIBRARY_SMALL];
    char *at; // what is left of the newest chunk
    size_t left;
} library_locked = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void library_thread_end(void *memory)
{
    struct library_thread *own = memory;
    for (size_t i = 0; i < LIBRARY_CLASSES; i++)
        while (own->free[i]) {
            struct library_block *block = own->free[i];
            own->free[i] = block->next;
            free(block);
        }
    own->kept = 0;
    memset(own->large, 0, sizeof own->large);
    own->ended = true;
}

static void library_make_key(void)
{
    library_key_made = pthread_key_create(&library_key, library_thread_end) == 0;
}

// Whether this thread may keep blocks: only if it will give them back at its end.
static bool library_thread_joins(struct library_thread *own)
{
    if (!own->joined && !own->ended && pthread_once(&library_once, library_make_key) == 0)
        own->joined = library_key_made && pthread_setspecific(library_key, own) == 0;
    return own->joined && !own->ended;
}

// The smallest class that holds size, which is not 0; LIBRARY_CLASSES when none does.
static size_t library_class(size_t size)
{
    size_t units = (size - 1) / LIBRARY_SMALLEST;
    size_t i = units ? 64 - (size_t)__builtin_clzll(units) : 0;
    return i < LIBRARY_CLASSES ? i : LIBRARY_CLASSES;
}

// Small and large ones have bounds of their own: connections that are closed give back so many
// small blocks that the few large ones would never be among those that are kept.
static bool library_thread_keeps(struct library_thread *own, size_t i, size_t size)
{
    if (i < LIBRARY_SMALL ? own->kept + size > LIBRARY_KEEP
                          : i == LIBRARY_CLASSES || own->large[i] == LIBRARY_KEEP_LARGE)
        return false;
    return library_thread_joins(own);
}

static void library_thread_count(struct library_thread *own, size_t i, bool more)
{
    size_t *count = i < LIBRARY_SMALL ? &own->kept : &own->large[i];
    size_t step = i < LIBRARY_SMALL ? (size_t)LIBRARY_SMALLEST << i : 1;
    *count = more ? *count + step : *count - step;
}

static struct library_block *library_locked_take(size_t i, size_t total)
{
    struct library_block *block = library_locked.free[i];
    if (block) {
        library_locked.free[i] = block->next;
        return block;
    }
    if (library_locked.left < total) {
        char *chunk = secret_memory_alloc(LIBRARY_CHUNK);
        if (!chunk)
            return NULL;
        library_locked.at = chunk;
        library_locked.left = LIBRARY_CHUNK;
    }
    block = (struct library_block *)library_locked.at;
    library_locked.at += total;
    library_locked.left -= total;
    return block;
}

// Large ones are few, and for a moment: pages of their own.
static struct library_block *library_secret_new(size_t i, size_t total)
{
    if (i >= LIBRARY_SMALL)
        return secret_memory_alloc(total);
    pthread_mutex_lock(&library_locked.lock);
    struct library_block *block = library_locked_take(i, total);
    pthread_mutex_unlock(&library_locked.lock);
    return block;
}

static void library_secret_free(struct library_block *block)
{
    size_t i = library_class(block->size);
    if (i >= LIBRARY_SMALL) {
        secret_memory_free(block, sizeof *block + block->size);
        return;
    }
    wipe(block + 1, block->size);
    pthread_mutex_lock(&library_locked.lock);
    block->next = library_locked.free[i];
    library_locked.free[i] = block;
    pthread_mutex_unlock(&library_locked.lock);
}

struct library_secret library_secret_begin(void)
{
    struct library_secret secret = {.outer = library_thread.secret};
    library_thread.secret = true;
    return secret;
}

void library_secret_end(const struct library_secret *secret)
{
    library_thread.secret = secret->outer;
}

static void *library_alloc(size_t size, bool secret)
{
    size_t total;
    if (size == 0)
        return NULL;
    size_t i = library_class(size);
    struct library_thread *own = &library_thread;
    struct library_block *block = i < LIBRARY_CLASSES && !secret ? own->free[i] : NULL;
    if (block) {
        own->free[i] = block->next;
        library_thread_count(own, i, false);
        block->secret = false;
        return block + 1;
    }
    size_t room = i < LIBRARY_CLASSES ? (size_t)LIBRARY_SMALLEST << i : size;
    if (__builtin_add_overflow(room, sizeof *block, &total))
        return NULL;
    block = secret ? library_secret_new(i, total) : malloc(total);
    if (!block)
        return NULL;
    block->size = room;
    block->secret = secret;
    return block + 1;
}

void *library_memory_alloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return library_alloc(size, library_thread.secret);
}

void library_memory_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!memory)
        return;
    struct library_block *block = (struct library_block *)memory - 1;
    if (block->secret) {
        library_secret_free(block);
        return;
    }
    struct library_thread *own = &library_thread;
    size_t i = library_class(block->size);
    if (!library_thread_keeps(own, i, block->size)) {
        free(block);
        return;
    }
    block->next = own->free[i];
    own->free[i] = block;
    library_thread_count(own, i, true);
}

void *library_memory_resize(void *memory, size_t size, const char *file, int line)
{
    if (!memory)
        return library_memory_alloc(size, file, line);
    if (size == 0) {
        library_memory_free(memory, file, line);
        return NULL;
    }
    struct library_block *block = (struct library_block *)memory - 1;
    if (size <= block->size)
        return memory;
    void *larger = library_alloc(size, library_thread.secret || block->secret);
    if (!larger)
        return NULL;
    memcpy(larger, memory, block->size);
    library_memory_free(memory, file, line);
    return larger;
}

size_t library_memory_kept(void)
{
    size_t kept = library_thread.kept;
    for (size_t i = LIBRARY_SMALL; i < LIBRARY_CLASSES; i++)
        kept += library_thread.large[i] * ((size_t)LIBRARY_SMALLEST << i);
    return kept;
}

bool library_lacked_memory(void)
{
    unsigned long why;
    bool lacked = false;
    while ((why = ERR_get_error()) != 0)
        lacked = lacked || ERR_GET_REASON(why) == ERR_R_MALLOC_FAILURE;
    return lacked;
}

#ifdef TWOLEG_TEST_HOOKS
// Builds for tests keep nothing, so that sanitizers see each block, and can fail.
static void *library_test_alloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 || fault_here(FAULT_LIBRARY) ? NULL : malloc(size);
}

static void *library_test_resize(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return fault_here(FAULT_LIBRARY) ? NULL : realloc(memory, size);
}

static void library_test_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

void library_memory_install(void)
{
    CRYPTO_set_mem_functions(library_test_alloc, library_test_resize, library_test_free);
}
#else
void library_memory_install(void)
{
    CRYPTO_set_mem_functions(library_memory_alloc, library_memory_resize, library_memory_free);
}
#endif
