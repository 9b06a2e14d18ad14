// SPDX-License-Identifier: Apache-2.0
// The rules between options, which no single row can say.
#pragma once
#include "config/config.h"

// Where the operator finds an option: in the file, or as the argument that gave it; empty for a
// default.
struct str config_check_source(const struct config *config, enum config_option option);
// Part of config_load.
void config_check(const struct config *config, struct config_report *report);
// What is no error but hardly meant: for warnings, of a configuration that is good.
void config_doubts(const struct config *config, struct config_report *doubts);
