// SPDX-License-Identifier: Apache-2.0
// Reads a YAML text by a schema into a struct. Every problem is reported with its line and column.
#pragma once
#include "base/error.h"
#include "config/schema.h"

#define YAML_FILE_MAX ((size_t)1024 * 1024)
#define YAML_DEPTH_MAX 16

struct walk_source {
    struct str name;   // for messages: the file's name as the operator gave it
    struct str text;   // the whole file
    struct str folder; // relative paths start here
};

// Fills *target, the struct that the shape's rows describe. The root needs no config_mark at its
// start, and none is written there. Rows that are not in the text get their fallback, or stay as
// they are. Texts and lists live in the arena. ret_marks: where each row's key stands, line 0 if
// nowhere; NULL when not wanted. MALFORMED: the report says why, and what was read is not to be
// used. NO_MEMORY.
enum twoleg_error walk_load(const struct walk_source *source, const struct schema_shape *shape,
                            struct arena *arena, void *target, struct config_mark *ret_marks,
                            struct config_report *report) TWOLEG_MUST_CHECK;

// Reads a regular file of at most YAML_FILE_MAX bytes into the arena. REFUSED: the reason says why
// (static text). NO_MEMORY.
enum twoleg_error walk_read_file(const char *path, struct arena *arena, struct str *ret_text,
                                 const char **ret_reason) TWOLEG_MUST_CHECK;
// Is there something at the path? Whether it can be read is told by reading it.
bool walk_file_exists(const char *path);
bool walk_folder_exists(const char *path);
