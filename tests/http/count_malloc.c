// SPDX-License-Identifier: Apache-2.0
// Preloaded into a server: counts each thread's allocations in a file that the test maps as well
// (COUNT_MALLOC_FILE). Rows of two numbers: thread id, allocations so far.
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROWS 256

struct count_row {
    uint64_t thread;
    _Atomic uint64_t allocations;
};

// glibc's own names for what is replaced here.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct count_row *count_rows;
static atomic_uint count_next;
static _Thread_local struct count_row *count_own;

__attribute__((constructor)) static void count_map(void)
{
    const char *path = getenv("COUNT_MALLOC_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, ROWS * sizeof *count_rows, PROT_READ | PROT_WRITE, MAP_SHARED,
                              fd, 0);
    if (fd >= 0)
        close(fd);
    if (map != MAP_FAILED)
        count_rows = map;
}

static void count_one(void)
{
    if (!count_own && count_rows) {
        unsigned at = atomic_fetch_add(&count_next, 1);
        if (at >= ROWS)
            return;
        count_own = &count_rows[at];
        count_own->thread = (uint64_t)syscall(SYS_gettid);
    }
    if (count_own)
        atomic_fetch_add(&count_own->allocations, 1);
}

void *malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    count_one();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    count_one();
    void *memory = __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *ret_memory = memory;
    return 0;
}
