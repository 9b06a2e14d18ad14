// SPDX-License-Identifier: Apache-2.0
#include "histogram.h"

#include <stddef.h>

// Below 2 x STEPS each value has its own bucket; above, the value is shifted down until it fits.
static size_t histogram_bucket(uint64_t value)
{
    unsigned shift = 0;
    if (value >= 2 * HISTOGRAM_STEPS)
        shift = 63u - (unsigned)__builtin_clzll(value) - (unsigned)__builtin_ctz(HISTOGRAM_STEPS);
    return (size_t)(shift * HISTOGRAM_STEPS + (value >> shift));
}

// The largest value of a bucket.
static int64_t histogram_value(size_t bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS)
        return (int64_t)bucket;
    unsigned shift = (unsigned)(bucket / HISTOGRAM_STEPS) - 1;
    return (int64_t)(((bucket - shift * HISTOGRAM_STEPS + 1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    if (ns > histogram->max)
        histogram->max = ns;
    histogram->bucket[histogram_bucket((uint64_t)ns)]++;
    histogram->count++;
}

int64_t histogram_quantile(const struct histogram *histogram, uint32_t per_million)
{
    uint64_t wanted = (histogram->count * per_million + 999999) / 1000000;
    uint64_t seen = 0;
    for (size_t i = 0; histogram->count && i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->bucket[i];
        int64_t value = histogram_value(i);
        if (seen >= wanted)
            return value < histogram->max ? value : histogram->max;
    }
    return histogram->max;
}
