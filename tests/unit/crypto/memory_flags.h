// SPDX-License-Identifier: Apache-2.0
// Where something lies: what /proc tells of it.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "unit/crypto/hex.h"

// The flags that the kernel shows for the mapping of an address: dd = not in core dumps,
// dc = not in children, lo = locked.
static inline bool memory_has_flag(const void *memory, const char *flag)
{
    char line[512];
    bool inside = false;
    bool found = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)memory >= from && (uintptr_t)memory < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(maps);
    return found;
}
