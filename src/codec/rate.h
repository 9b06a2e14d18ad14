// SPDX-License-Identifier: Apache-2.0
// Rates as people write them: "100/1m" is a hundred a minute, all of them at once if need be;
// "100/1m:20" is as many, but at most 20 at once; "none" is no limit.
#pragma once
#include "base/buf.h"
#include "base/error.h"

#define RATE_MAX 1000000 // of the count, and of the burst

struct rate {
    uint32_t count; // in each period; 0 = no limit, the other members mean nothing then
    uint32_t burst; // at once
    int64_t period_us; // 1 s to 1 d
};

// MALFORMED, UNKNOWN (the period's unit), RANGE (a number, the period, or so many that rounding to
// whole microseconds from one to the next would change the rate by more than 1 %).
TWOLEG_MUST_CHECK
enum twoleg_error rate_parse(struct str text, struct rate *ret_rate);
// The shortest text that reads back as the same rate.
void rate_format(struct buf *out, const struct rate *rate);
