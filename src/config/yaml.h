// SPDX-License-Identifier: Apache-2.0
// YAML without its traps: one document, no anchors, aliases, tags or directives, bounded depth and
// number of values. The only files that know libyaml are yaml.c and walk.c.
#pragma once
#include <yaml.h>

#include "base/error.h"
#include "config/walk.h"

#define YAML_VALUES_MAX 65536 // keys count, too

struct yaml_file {
    yaml_document_t document;
    bool loaded;
    yaml_node_t *root; // NULL: the text has no values
};
// MALFORMED: the report says why. After anchors or tags the document is loaded all the same, so
// that the walker can report what else is wrong. NO_MEMORY. Always to be finished.
enum twoleg_error yaml_file_load(const struct walk_source *source, struct config_report *report,
                                 struct yaml_file *file) TWOLEG_MUST_CHECK;
void yaml_file_finish(struct yaml_file *file);

struct config_mark yaml_mark(yaml_mark_t mark);
// Plain and empty, ~ or null.
bool yaml_node_is_null(const yaml_node_t *node);
struct str yaml_node_text(const yaml_node_t *node); // of a scalar
