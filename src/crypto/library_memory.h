// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: memory for OpenSSL. A signature makes 41 small blocks and a check 36, all
// freed at its end, and each TLS record has a buffer of 17 KiB while it is read or written; each
// thread keeps such blocks, so that a request asks malloc for none. Private keys lie in locked
// pages.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// Before the library's first allocation; without effect afterwards. Builds with test hooks keep
// nothing: there each allocation can be made to fail (FAULT_LIBRARY).
void library_memory_install(void);

// Empties the library's queue of errors: did one of them say that it had no memory? Nothing can be
// said then of what was to be judged: a good signature looks like a wrong one, a good file like a
// bad one.
bool library_lacked_memory(void);

// The shapes that OpenSSL wants; file and line are not used. A size of 0 gives NULL.
void *library_memory_alloc(size_t size, const char *file, int line);
void *library_memory_resize(void *memory, size_t size, const char *file, int line);
void library_memory_free(void *memory, const char *file, int line);

// From here to the end of the block, what this thread allocates lies in memory of crypto/wipe.h,
// and stays there until it is freed, by whomever: a private key is read, made or copied. Declare it
// as `LIBRARY_SECRET secret = library_secret_begin();`. One lock for all threads: not for each
// request. Builds with test hooks leave it to malloc.
struct library_secret {
    bool outer;
};
struct library_secret library_secret_begin(void);
void library_secret_end(const struct library_secret *secret);
#define LIBRARY_SECRET __attribute__((cleanup(library_secret_end), unused)) struct library_secret

// Bytes kept by this thread, for tests.
size_t library_memory_kept(void);
