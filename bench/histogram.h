// SPDX-License-Identifier: Apache-2.0
// Times in buckets that are never wider than 1/128 of their value, so that one array of fixed size
// holds a minute of latencies, from nanoseconds to hours, as exactly as anybody reads them.
#pragma once
#include <stdint.h>

#define HISTOGRAM_STEPS 128u // per power of two
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 58u)

struct histogram {
    uint64_t count;
    int64_t max;
    uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t ns); // below 0 counts as 0
// The least value that so many of a million do not exceed; 0 of none.
int64_t histogram_quantile(const struct histogram *histogram, uint32_t per_million);
