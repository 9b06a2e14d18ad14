// SPDX-License-Identifier: Apache-2.0
// Configuration as text: valid YAML that loads again.
#pragma once
#include "config/config.h"

// Every value with its origin as a comment: `# default`, `# twoleg.yaml:14`, `# --listen`.
void config_show(const struct config *config, struct buf *out);
// The whole table, each option with its manual text, set to its default and commented out.
void config_default(struct buf *out);
