// SPDX-License-Identifier: Apache-2.0
// The rules between options, which no single row can say. Part of config_load.
#pragma once
#include "config/config.h"

// Where the operator finds an option: in the file, or as the argument that gave it; empty for a
// default.
struct str config_check_source(const struct config *config, enum config_option option);
void config_check(const struct config *config, struct config_report *report);
