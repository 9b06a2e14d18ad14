// SPDX-License-Identifier: Apache-2.0
// Spans of time as people write them, in the one place that knows the units: us, ms, s, m, h, d,
// w (7 d), y (365 d). A number alone is seconds. Inside, spans are int64 microseconds.
#pragma once
#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"

#define DURATION_MS INT64_C(1000)
#define DURATION_MINUTE (60 * SECOND_US)
#define DURATION_HOUR (60 * DURATION_MINUTE)
#define DURATION_DAY (24 * DURATION_HOUR)
#define DURATION_WEEK (7 * DURATION_DAY)
#define DURATION_YEAR (365 * DURATION_DAY)

// Digits without a leading zero, then a unit at once. "never" gives TIME_NEVER if it may.
// MALFORMED, UNKNOWN (the unit), RANGE (does not fit, or never where it may not stand).
TWOLEG_MUST_CHECK
enum twoleg_error duration_parse(struct str text, bool may_be_never, int64_t *ret_us);

// The shortest text that reads back as the same span: "1h", "90s", "never".
void duration_format(struct buf *out, int64_t us);
// For people: "1 h", "5 min", "1 w", "never".
void duration_format_people(struct buf *out, int64_t us);
