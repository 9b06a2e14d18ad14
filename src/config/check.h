// SPDX-License-Identifier: Apache-2.0
// The rules between options, which no single row can say. Part of config_load.
#pragma once
#include "config/config.h"

void config_check(const struct config *config, struct config_report *report);
