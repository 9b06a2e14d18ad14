// SPDX-License-Identifier: Apache-2.0
// What is different in a configuration that was read anew, and whether a running server can take it
// over.
#pragma once
#include "base/error.h"
#include "config/config.h"

struct config_changes {
    size_t count;
    struct config_change {
        enum config_option option;
        struct str before; // as it would stand in a file, on one line
        struct str after;
        struct config_mark mark; // line 0: it stands in no file
    } items[CONFIG_OPTIONS];
};

// Values that nobody gave, found when the server started, stay as they were found: the issuer of a
// store, the data folder, the number of cores. NO_MEMORY.
enum twoleg_error config_keep(const struct config *running,
                              struct config *fresh) TWOLEG_MUST_CHECK;
// Fills ret_changes, in the order of the options; texts live in the arena. What needs a restart is
// a problem for the report, with its place in the fresh one. NO_MEMORY.
enum twoleg_error config_compare(const struct config *running, const struct config *fresh,
                                 struct arena *arena, struct config_report *report,
                                 struct config_changes *ret_changes) TWOLEG_MUST_CHECK;
