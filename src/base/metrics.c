// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

static const struct {
    const char *series;
    const char *labels;
    const char *help;
} rows[METRICS] = {
#define METRIC(name, series, labels, help) {series, labels, help},
#include "base/metrics.def"
#undef METRIC
};

uint64_t metrics_sum(struct metrics *const *sets, size_t count, enum metric metric)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += atomic_load_explicit(&sets[i]->value[metric], memory_order_relaxed);
    return sum;
}

void metrics_write(struct metrics *const *sets, size_t count, struct buf *out)
{
    for (size_t m = 0; m < METRICS; m++) {
        uint64_t sum = metrics_sum(sets, count, (enum metric)m);
        if (*rows[m].help) {
            buf_add(out, STR("# HELP "));
            buf_add(out, str_from(rows[m].series));
            buf_add_char(out, ' ');
            buf_add(out, str_from(rows[m].help));
            buf_add(out, STR("\n# TYPE "));
            buf_add(out, str_from(rows[m].series));
            buf_add(out, STR(" counter\n"));
        }
        buf_add(out, str_from(rows[m].series));
        if (*rows[m].labels) {
            buf_add_char(out, '{');
            buf_add(out, str_from(rows[m].labels));
            buf_add_char(out, '}');
        }
        buf_add_char(out, ' ');
        buf_add_u64(out, sum);
        buf_add_char(out, '\n');
    }
}
