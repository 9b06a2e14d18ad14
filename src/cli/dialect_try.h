// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"
#include "dialect/dialect.h"

// Reads a raw HTTP request from standard input and prints how the dialect reads it and what it
// would answer. No secret is printed, nothing is asked of anybody.
enum cli_exit dialect_try(struct cli *cli, const struct dialect *dialect);
