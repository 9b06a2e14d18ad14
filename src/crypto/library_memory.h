// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: memory for OpenSSL. A signature makes 41 small blocks and a check 36, all
// freed at its end, and each TLS record has a buffer of 17 KiB while it is read or written; each
// thread keeps such blocks, so that a request asks malloc for none.
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

// Bytes kept by this thread, for tests.
size_t library_memory_kept(void);
