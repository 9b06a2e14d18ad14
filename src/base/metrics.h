// SPDX-License-Identifier: Apache-2.0
// Counters: one set per thread, written by that thread only, summed when scraped. The series are
// this fixed list, so nothing that a client sends can add one.
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum metric {
#define METRIC(name, series, labels, help) METRIC_##name,
#include "base/metrics.def"
#undef METRIC
    METRICS
};

struct metrics {
    _Alignas(64) _Atomic uint64_t value[METRICS];
};

static inline void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
    // A single writer: a plain load and store, no locked instruction.
    uint64_t old = atomic_load_explicit(&metrics->value[metric], memory_order_relaxed);
    atomic_store_explicit(&metrics->value[metric], old + n, memory_order_relaxed);
}

// The sum of one counter over the sets.
uint64_t metrics_sum(struct metrics *const *sets, size_t count, enum metric metric);
// Writes the Prometheus text format (version 0.0.4) of the sum over the sets.
void metrics_write(struct metrics *const *sets, size_t count, struct buf *out);
