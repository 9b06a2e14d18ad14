// SPDX-License-Identifier: Apache-2.0
// Memory that held a secret: wiped for certain, and for long-lived keys kept out of swap, core
// dumps and child processes.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Zeroes; the compiler may not leave it out. NULL with len 0 accepted.
void wipe(void *memory, size_t len);

// A short secret on the stack. Declare it as `struct secret_bytes SECRET_BYTES_WIPED name = {0};`
// and it is zeroed on every way out of the block.
struct secret_bytes {
    uint8_t bytes[64];
    size_t len;
};
void secret_bytes_finish(struct secret_bytes *secret);
#define SECRET_BYTES_WIPED __attribute__((cleanup(secret_bytes_finish)))

// Zeroed pages of their own between two guard pages, not in core dumps and not in children (a fork
// must not go on with a key, least of all with a zeroed one), and locked, so that they are never
// swapped out. NULL only when the system has no memory. For the life of the process, not of a
// request: several system calls each.
void *secret_memory_alloc(size_t size);
void secret_memory_free(void *memory, size_t size); // wipes; the size as allocated; NULL accepted
// Whether the system locked all that was asked for so far. A small RLIMIT_MEMLOCK is no failure,
// but the daemon reports it. Any thread.
bool secret_memory_is_locked(void);
