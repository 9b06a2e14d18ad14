// SPDX-License-Identifier: Apache-2.0
// YAML without its traps: one document, no anchors, aliases, tags or directives, bounded depth and
// number of values. The only files that know libyaml are yaml.c and walk.c.
#pragma once
#include <yaml.h>

#include "base/error.h"
#include "config/report.h"
#include "config/walk.h"

#define YAML_VALUES_MAX 65536 // keys count, too

struct yaml_file {
    yaml_document_t document;
    bool loaded;
    yaml_node_t *root; // NULL: the text has no values
    // Where aliases stand. In the document a word stands in the place of each.
    struct config_mark aliases[CONFIG_REPORT_MAX];
    size_t alias_count;
};
// MALFORMED: the report says why. After anchors, aliases or tags the document is loaded all the
// same, so that the walker can report what else is wrong. NO_MEMORY. Always to be finished.
enum twoleg_error yaml_file_load(const struct walk_source *source, struct config_report *report,
                                 struct yaml_file *file) TWOLEG_MUST_CHECK;
void yaml_file_finish(struct yaml_file *file);

struct config_mark yaml_mark(yaml_mark_t mark);
// An alias stood there and has been reported. Its value is not known: nothing can be said of it.
bool yaml_file_is_alias(const struct yaml_file *file, const yaml_node_t *node);
// Plain and empty, ~ or null.
bool yaml_node_is_null(const yaml_node_t *node);
struct str yaml_node_text(const yaml_node_t *node); // of a scalar
