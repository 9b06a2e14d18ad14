// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"
#include "config/load.h"
#include "daemon/activation.h"

// What --config, --data and --listen give. All that is wrong is said: CLI_USAGE when something of
// the command line is, else CLI_REFUSED. activation: sockets that are there already; NULL: none.
// ret_sources, unless it is NULL, gets where it was read from: good as long as the three are.
enum cli_exit cli_config_load(struct cli *cli, const struct activation *activation,
                              struct config_sources *ret_sources, struct config *ret_config);
