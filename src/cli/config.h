// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"
#include "config/load.h"
#include "daemon/activation.h"

// What --config, --data and --listen give. All that is wrong is said: CLI_USAGE when something of
// the command line is, else CLI_REFUSED. activation: sockets that are there already; NULL: none.
enum cli_exit cli_config_load(struct cli *cli, const struct activation *activation,
                              struct config *ret_config);
