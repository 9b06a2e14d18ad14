// SPDX-License-Identifier: Apache-2.0
// The lines of a file that is read twice, in bounded memory: first to check it, then to act.
#pragma once
#include "cli/import_line.h"

#define IMPORT_STREAM_MAX ((size_t)64 * 1024 * 1024) // of what cannot be read twice

struct import_source {
    int fd;
    uint64_t number; // of the line that was read last, from 1
    bool ended;
    size_t at, len; // what is not read yet of the buffer
    char buffer[2 * IMPORT_LINE_MAX];
};

// FILE, or "-" for standard input. What is no regular file is copied first, into memory and never
// to a disk, as it holds secrets. False with errno; EFBIG: more than IMPORT_STREAM_MAX.
bool import_source_open(struct import_source *source, const char *path);
void import_source_close(struct import_source *source); // wipes the buffer
bool import_source_rewind(struct import_source *source); // false with errno

enum import_take { IMPORT_TAKEN, IMPORT_TOO_LONG, IMPORT_END, IMPORT_FAILED };

// The next line without its line end, good until the next call. Of one that is too long the rest is
// skipped. IMPORT_FAILED: errno.
enum import_take import_source_next(struct import_source *source, struct str *ret_line);
