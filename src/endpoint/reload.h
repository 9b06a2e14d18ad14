// SPDX-License-Identifier: Apache-2.0
// A reload that somebody waits for, between the admin API and the daemon's thread that does it.
#pragma once
#include "config/compare.h"
#include "http/job.h"

#define RELOAD_WARNINGS_MAX 32 // that are told to whoever asked; the log has all

struct reload_outcome {
    // MALFORMED: the report says what is wrong; CONFLICT: it says what needs a restart, and nothing
    // is wrong. The old snapshot stays with any error.
    enum twoleg_error error;
    struct arena arena; // of all texts
    struct config_report report;
    struct config_changes changes;
    struct str *dialects; // names of those of which the file, or one behind it, has changed
    size_t dialect_count;
    size_t certificates; // pairs that were read
    struct str warnings[RELOAD_WARNINGS_MAX]; // of what came in force
    size_t warning_count;
    size_t warnings_left; // more of them, which the log alone has
    char reason[512];    // words for another error, or ""
};

// False without memory.
bool reload_outcome_init(struct reload_outcome *outcome);
void reload_outcome_finish(struct reload_outcome *outcome);

// Who wants it, as the audit has it.
struct reload_caller {
    char actor[24];
    char request_id[HTTP_ID_LEN];
    size_t request_id_len; // 0: it is no request
};

struct reload_order {
    struct http_job job; // first
    struct reload_order *next;
    struct reload_caller caller;
    struct reload_outcome outcome;
};
