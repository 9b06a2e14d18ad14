// SPDX-License-Identifier: Apache-2.0
#include "crypto/wipe.h"

#include <sodium.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"

static atomic_bool secret_was_not_locked;

void wipe(void *memory, size_t len)
{
    if (len)
        sodium_memzero(memory, len);
}

void secret_bytes_finish(struct secret_bytes *secret)
{
    if (secret)
        wipe(secret, sizeof *secret);
}

static size_t secret_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

// Size rounded up to whole pages; 0 when that is no size.
static size_t secret_pages(size_t size)
{
    size_t page = secret_page();
    size_t rounded;
    if (size == 0 || __builtin_add_overflow(size, page - 1, &rounded) || rounded > SIZE_MAX / 2)
        return 0;
    return rounded - rounded % page;
}

void *secret_memory_alloc(size_t size)
{
    size_t page = secret_page();
    size_t len = secret_pages(size);
    if (len == 0 || fault_here(FAULT_MEMORY))
        return NULL;
    char *map = mmap(NULL, len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    char *memory = map + page;
    if (mprotect(memory, len, PROT_READ | PROT_WRITE) != 0 ||
        madvise(memory, len, MADV_DONTDUMP) != 0 || madvise(memory, len, MADV_DONTFORK) != 0) {
        munmap(map, len + 2 * page);
        return NULL;
    }
    if (mlock(memory, len) != 0)
        atomic_store(&secret_was_not_locked, true);
    return memory;
}

bool secret_memory_is_locked(void)
{
    return !atomic_load(&secret_was_not_locked);
}

void secret_memory_free(void *memory, size_t size)
{
    size_t page = secret_page();
    size_t len = secret_pages(size);
    if (!memory || len == 0)
        return;
    wipe(memory, len);
    munmap((char *)memory - page, len + 2 * page);
}
