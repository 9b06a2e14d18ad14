// SPDX-License-Identifier: Apache-2.0
// The budget of an application: how many access tokens it may be issued. One of its own, or the
// server's; and whether more of them are refused or only counted.
#pragma once
#include "codec/json_write.h"
#include "codec/rate.h"

enum budget_mode {
    BUDGET_MODE_DEFAULT = 0, // as the server's option budget_observe says
    BUDGET_MODE_ENFORCE = 1,
    BUDGET_MODE_OBSERVE = 2, // served all the same: to find the right budget
};

// Zeroed memory: the server's, in both.
struct budget {
    bool own; // else the server's option budget
    enum budget_mode mode;
    struct rate rate; // of its own; a count of 0: no limit
};

#define BUDGET_TEXT_MAX 48
#define BUDGET_WORDS "a rate such as 100/1m or 100/1m:20, none, or default" // what it may be

// "default", or what codec/rate.h reads; sets own and rate only. Its errors.
enum twoleg_error budget_parse(struct str text, struct budget *budget) TWOLEG_MUST_CHECK;
void budget_format(struct buf *out, const struct budget *budget);
// The same limit; the modes are not looked at.
bool budget_same(const struct budget *a, const struct budget *b);
// The members "budget" and "budget_mode".
void budget_write(struct json_writer *json, const struct budget *budget);

// "default", "enforce", "observe", and back.
struct str budget_mode_name(enum budget_mode mode);
bool budget_mode_from(struct str name, enum budget_mode *ret_mode);
