// SPDX-License-Identifier: Apache-2.0
// Configuration as text: valid YAML that loads again.
#pragma once
#include "config/config.h"

// Every value with its origin as a comment: `# default`, `# twoleg.yaml:14`, `# --listen`. What is
// not set stands there as a comment. Paths are shown as they are used.
void config_show(const struct config *config, struct buf *out);
// One value on one line, as it could stand in a file.
void config_show_value(const struct schema_row *row, const void *value, struct buf *out);
// The whole table as a file to start from: each option with its manual text and what is allowed,
// set to its default or an example, and commented out.
void config_default(struct buf *out);
